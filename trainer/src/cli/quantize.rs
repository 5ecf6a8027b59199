//! `ackermann quantize`: a trained network becomes an int8 blob.

use super::Output;
use super::args::QuantizeArgs;
use super::blob::arena;
use super::recording::Recording;
use crate::quant::{LayerError, QuantizeOptions, Quantized, layer_errors, quantize};
use crate::report::{Table, format};
use crate::train::Predictor;
use crate::{Result, files};
use serde_json::json;

/// Frames that the error per layer is measured on.
const COMPARED: usize = 32;

/// Quantizes a run and writes the blob.
pub fn run(args: &QuantizeArgs, output: Output) -> Result<()> {
    files::check_file(&args.out)?;
    let predictor = Predictor::load(&args.run)?;
    let (network, params) = (predictor.network(), predictor.params());
    let recording = Recording { sim_frames: args.frames, ..Recording::of(&args.calibrate) };
    let recording = recording.like(Recording::of_run(&args.run)?.as_ref());
    let frames = recording.frames(&args.split, network.frame_size()?, output)?;
    let options = QuantizeOptions { samples: args.frames, window: recording.window, ..QuantizeOptions::default() };
    let quantized = quantize(network, params, &frames, &options)?;
    let layers = match args.layers {
        true => Some(layer_errors(network, params, &quantized.blob, &frames, COMPARED)?),
        false => None,
    };
    files::write(&args.out, &quantized.blob)?;
    let table = layers.as_deref().map(|layers| format!("{}\n", table(layers))).unwrap_or_default();
    output.finish(format!("{table}{}", sentence(args, &quantized)), &json!({
        "out": args.out, "blob_bytes": quantized.blob.len(), "arena_bytes": quantized.arena_bytes,
        "arena_lower_bound": quantized.arena_lower_bound, "macs": quantized.macs, "calibrated": quantized.calibrated,
        "layers": layers,
    }))
}

fn sentence(args: &QuantizeArgs, quantized: &Quantized) -> String {
    format!(
        "wrote {}: {}, arena {}, {} MACs, calibrated on {} frames",
        args.out.display(),
        format::bytes(quantized.blob.len() as u64),
        arena(quantized.arena_bytes, quantized.arena_lower_bound),
        format::count(quantized.macs),
        quantized.calibrated
    )
}

/// Float against int8, layer by layer.
fn table(layers: &[LayerError]) -> String {
    let mut table =
        Table::new(["layer", "operator", "SQNR / dB", "mean error", "largest error", "saturated"]).left_columns(2);
    for layer in layers {
        table.row([
            layer.name.clone(),
            layer.op.to_string(),
            format::optional(layer.sqnr_db, 1),
            format::fixed(layer.mean_abs, 5),
            format::fixed(layer.max_abs, 5),
            format::percent(layer.saturated, 2),
        ]);
    }
    table.to_terminal()
}
