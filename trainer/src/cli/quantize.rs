//! `ackermann quantize`: a trained network becomes an int8 blob.

use super::Output;
use super::args::QuantizeArgs;
use super::recording::Recording;
use crate::quant::{QuantizeOptions, Quantized, quantize};
use crate::report::{Table, format};
use crate::train::Predictor;
use crate::{Result, files};
use serde_json::json;

/// Quantizes a run and writes the blob.
pub fn run(args: &QuantizeArgs, output: Output) -> Result<()> {
    let predictor = Predictor::load(&args.run)?;
    let network = predictor.network();
    let recording = Recording::of(&args.calibrate, None, None).like(Recording::of_run(&args.run)?.as_ref());
    let frames = recording.frames(&args.split, network.input, output)?;
    let options = QuantizeOptions { samples: args.frames, ..QuantizeOptions::default() };
    let quantized = quantize(network, predictor.params(), &frames, &options)?;
    files::write(&args.out, &quantized.blob)?;
    Ok(())
}
