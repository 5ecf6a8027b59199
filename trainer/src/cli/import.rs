//! `ackermann import`: a network from another tool becomes a blob.

use super::Output;
use super::args::{ImportArgs, ObserverName, RoundingName};
use super::recording::{Recording, SIM};
use crate::data::{Augment, Augmented};
use crate::import::{Arrays, DenseRounding, ImportOptions, Imported, blob, read};
use crate::quant::{FloatGraph, Inputs, Observer, Quantization, Recorded, load, spread};
use crate::report::format;
use crate::{Error, ErrorKind, Result, files};
use serde_json::json;
use std::path::Path;

/// Imports a file and writes the blob.
pub fn import(args: &ImportArgs, output: Output) -> Result<()> {
    files::check_file(&args.out)?;
    let rounding = match args.rounding {
        RoundingName::Tflm => DenseRounding::Double,
        RoundingName::Litert => DenseRounding::Single,
    };
    let imported = read(&args.model, &ImportOptions { rounding })?;
    let observer = observer(args)?;
    let placed = |error: Error| match error.kind {
        ErrorKind::Usage => error,
        _ => Error { place: format!("{}, {}", args.model.display(), error.place), ..error },
    };
    let (network, calibrated) = match (imported, &args.calibrate) {
        (Imported::Float(mut float), Some(path)) => calibrated(&mut float, path, args, observer, output)?,
        (Imported::Int8(_), Some(path)) => {
            let message = "the network is quantized already: leave --calibrate out";
            return Err(Error::usage(path.display(), message));
        }
        (imported, None) => (imported.quantize(None, observer).map_err(placed)?, 0),
    };
    let blob = blob(network, &args.model)?;
    let model = load(&blob)?;
    files::write(&args.out, &blob)?;
    let (bytes, arena, macs) = (model.blob_bytes() as u64, model.arena_bytes() as u64, model.macs());
    let text = format!(
        "wrote {}: {} operators, {}, arena {}, {} MACs{}",
        args.out.display(),
        model.operators(),
        format::bytes(bytes),
        format::bytes(arena),
        format::count(macs),
        if calibrated > 0 { format!(", calibrated on {calibrated} inputs") } else { String::new() }
    );
    let json = json!({
        "out": args.out, "operators": model.operators(), "blob_bytes": bytes, "arena_bytes": arena, "macs": macs,
        "calibrated": calibrated,
    });
    output.finish(text, &json)
}

/// The network quantized on the inputs in `path`, and how many there were.
fn calibrated(
    float: &mut FloatGraph,
    path: &Path,
    args: &ImportArgs,
    observer: Observer,
    output: Output,
) -> Result<(ackermann_core::blob::write::Network, usize)> {
    let placed = |error: Error| Error { place: format!("{}, {}", args.model.display(), error.place), ..error };
    let quantize = |float: &FloatGraph, samples: &dyn Inputs| {
        let network = crate::quant::quantize_graph(float, Some(samples), observer).map_err(placed)?;
        Ok((network, samples.count()))
    };
    if !is_recording(path) {
        let arrays = Arrays::read(path, float)?;
        return quantize(float, &arrays);
    }
    let &[input] = &float.inputs[..] else {
        return Err(Error::usage("--calibrate", "the network has several inputs: show them as arrays in a .npz file"));
    };
    let &[_, height, width, channels] = &float.graph.shape(input)[..] else {
        return Err(Error::usage("--calibrate", "the network takes no images: show its inputs as .npy arrays"));
    };
    let recording = Recording { sim_frames: args.frames, ..Recording::of(path) };
    let frames = recording.frames(&args.split, [height, width, channels], output)?;
    if frames.is_empty() {
        return Err(Error::usage("--calibrate", "holds no frames of that split"));
    }
    // Pixels reach the network as they do on a board.
    float.given.values.entry(input).or_insert(Quantization::FRAME);
    let indices = spread(frames.len(), args.frames);
    quantize(float, &Recorded(&Augmented::new(&frames, Augment::NONE), &indices))
}

/// How ranges are made.
fn observer(args: &ImportArgs) -> Result<Observer> {
    if args.observer == ObserverName::Percentile && args.percentile.is_none() {
        return Err(Error::usage("--observer percentile", "say how many with --percentile"));
    }
    Ok(args.observer.observer(args.percentile)?.unwrap_or(Observer::MinMax))
}

/// Whether `path` is driving data, not arrays: the simulator, or a folder without a single array.
fn is_recording(path: &Path) -> bool {
    let array = |path: &Path| path.extension().is_some_and(|extension| extension == "npy" || extension == "npz");
    let arrays = || std::fs::read_dir(path).map(|mut all| all.any(|e| e.is_ok_and(|entry| array(&entry.path()))));
    path == Path::new(SIM) || path.is_dir() && !arrays().unwrap_or(false)
}
