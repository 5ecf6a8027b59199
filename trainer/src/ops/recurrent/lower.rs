//! A recurrent layer in int8: the operators of the core, which keep their states from run to run.

use ackermann_core::blob::Element;
use ackermann_core::blob::write::{OperatorKind, RecurrentSpec, Storage, TensorSpec};
use ackermann_core::ops::recurrent::float::{FUNCTION_SCALE, FloatMatrix};
use ackermann_core::ops::{self, lstm, rnn};

use super::{Cell, Recurrent};
use crate::Result;
use crate::ops::misfit;
use crate::quant::program::{Lowering, Made, Scale, Site};

/// Largest magnitude of an LSTM's cell state; it saturates beyond, in steps of 2^-11.
const LARGEST_CELL: f32 = 15.9;

/// Says what `layer` becomes in int8. Errors for peepholes.
pub fn lower(layer: &Recurrent, lowering: &mut Lowering<'_>) -> Result<()> {
    if lowering.param(4).is_ok() {
        return lowering.refuse("the int8 core has no peepholes; train the LSTM without them");
    }
    let gates = layer.cell.gates();
    let parts = [(1, 1), (2, 1), (3, 2)];
    let [w, r, b] = parts.map(|(at, halves)| lowering.param(at).map(|p| ordered(layer.cell, p, gates * halves)));
    let (w, r, b) = (w?, r?, b?);
    let (batch, layer) = (lowering.input_shape()[0], layer.clone());
    lowering.operator(Scale::Observed, move |site| quantized(&layer, site, batch, [&w, &r, &b]))
}

/// Gates in the core's order, in which a GRU's update gate comes before its reset gate; `blocks`: of how many gates `values` are.
fn ordered(cell: Cell, values: &[f32], blocks: usize) -> Vec<f32> {
    let mut values = values.to_vec();
    if cell == Cell::Gru && !values.is_empty() {
        let gate = values.len() / blocks;
        for half in values.chunks_exact_mut(gate * cell.gates()) {
            half[..2 * gate].rotate_left(gate);
        }
    }
    values
}

/// The operator of the core for gates made of float weights, and the scale of its memory, where it has one.
fn operator(
    cell: Cell,
    gates: RecurrentSpec,
    clip: f32,
    sums: f32,
    output: f32,
) -> Option<(OperatorKind, Option<f32>)> {
    Some(match cell {
        Cell::Lstm => {
            let largest = if clip > 0.0 { clip.min(LARGEST_CELL) } else { LARGEST_CELL };
            let cell = lstm::Cell::for_scales(largest, output)?;
            let clip = if clip > 0.0 { (clip / cell.state_scale()).round().clamp(1.0, 32767.0) as i16 } else { 0 };
            let cell = lstm::Cell { clip, ..cell };
            (OperatorKind::Lstm { gates, cell }, Some(cell.state_scale()))
        }
        Cell::Gru => {
            let output = ops::Gru::output_for_scale(output)?;
            (OperatorKind::Gru { gates, output }, Some(ops::Gru::STATE_SCALE))
        }
        Cell::Tanh => {
            (OperatorKind::Rnn { gates, cell: rnn::Cell::for_scales(rnn::Function::Tanh, sums, output)? }, None)
        }
        Cell::Relu => {
            (OperatorKind::Rnn { gates, cell: rnn::Cell::for_scales(rnn::Function::Relu, sums, output)? }, None)
        }
    })
}

fn quantized(layer: &Recurrent, site: &Site<'_>, batch: usize, [w, r, b]: [&[f32]; 3]) -> Result<Made> {
    let rows = b.len() / 2;
    let units = r.len() / rows.max(1);
    let (of_input, of_hidden) = b.split_at(rows);
    let (input, output) = (site.inputs[0], site.output);
    // Sums of a ReLU have no fixed range: 64 steps to one of the output cover twice that.
    let sums = if layer.cell == Cell::Relu { output.scale / 64.0 } else { FUNCTION_SCALE };
    let [input_matrix, hidden_matrix] =
        [(w, of_input), (r, of_hidden)].map(|(weights, bias)| FloatMatrix { weights, bias });
    let gates = RecurrentSpec::from_float(input_matrix, hidden_matrix, units, [input.scale, output.scale], sums);
    let lowered = gates.and_then(|gates| {
        operator(layer.cell, RecurrentSpec { backward: layer.backward, ..gates }, layer.clip as f32, sums, output.scale)
    });
    let (kind, memory) = lowered.ok_or_else(|| misfit("its numbers are out of the core's range"))?;
    let state = |scale: f32, zero_point: i32, element: Element| TensorSpec {
        shape: vec![batch as u32, units as u32],
        scale,
        zero_point,
        element,
        storage: Storage::State,
        ..TensorSpec::default()
    };
    let mut after = vec![state(output.scale, i32::from(output.zero_point), Element::Int8)];
    after.extend(memory.map(|scale| state(scale, 0, Element::Int16)));
    Ok(Made { kind, before: Vec::new(), after })
}
