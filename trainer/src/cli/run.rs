//! `ackermann run`: the core on the host, byte-exact with every board.

use super::Output;
use super::args::RunArgs;
use super::blob::read_blob;
use crate::data::npy::{self, Array};
use crate::{Error, ErrorKind, Result};
use ackermann_core::blob::AlignedBytes;
use ackermann_core::{Model, Session};
use ndarray::ArrayD;
use serde_json::json;

/// Runs every input of the file and writes the outputs.
pub fn run(args: &RunArgs, output: Output) -> Result<()> {
    let blob = read_blob(&args.model)?;
    let model = Model::load(&blob).map_err(|error| Error::new(ErrorKind::BadBlob, args.model.display(), error))?;
    let inputs = match npy::read(&args.input)? {
        Array::I8(inputs) => inputs,
        other => {
            let message = format!("holds {}; the input tensor is int8", other.type_name());
            return Err(Error::new(ErrorKind::Shape, args.input.display(), message));
        }
    };
    let (each_in, each_out) = (elements(&model, true)?, elements(&model, false)?);
    if inputs.is_empty() || inputs.len() % each_in != 0 {
        let message = format!("has shape {:?}; the network takes {each_in} values per input", inputs.shape());
        return Err(Error::new(ErrorKind::Shape, args.input.display(), message));
    }
    let count = inputs.len() / each_in;
    let flat: Vec<i8> = inputs.iter().copied().collect();
    let outputs = run_all(model, &flat, each_in, each_out)?;
    let outputs = ArrayD::from_shape_vec(vec![count, each_out], outputs)
        .map_err(|error| Error::new(ErrorKind::Internal, "output", error))?;
    npy::write(&args.output, outputs.view())?;
    output.finish(
        format!("ran {count} inputs, wrote {}", args.output.display()),
        &json!({ "n": count, "output": args.output, "shape": [count, each_out] }),
    );
    Ok(())
}

fn elements(model: &Model<'_>, input: bool) -> Result<usize> {
    let tensor = if input { model.input(0) } else { model.output(0) };
    let side = if input { "input" } else { "output" };
    tensor.map(|tensor| tensor.elements()).ok_or_else(|| Error::new(ErrorKind::BadBlob, side, "the network has none"))
}

fn run_all(model: Model<'_>, inputs: &[i8], each_in: usize, each_out: usize) -> Result<Vec<i8>> {
    let internal = |what: &str| Error::new(ErrorKind::Internal, "session", what);
    let mut arena = AlignedBytes::zeroed(model.arena_bytes());
    let mut session = Session::new(model, &mut arena).map_err(|error| internal(&error.to_string()))?;
    let mut outputs = Vec::with_capacity(inputs.len() / each_in * each_out);
    for input in inputs.chunks_exact(each_in) {
        session.input_mut(0).ok_or_else(|| internal("no input"))?.copy_from_slice(input);
        session.run();
        outputs.extend_from_slice(session.output(0).ok_or_else(|| internal("no output"))?);
    }
    Ok(outputs)
}
