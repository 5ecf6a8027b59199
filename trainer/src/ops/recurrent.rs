//! Layers that read sequences step by step: LSTM (Hochreiter and Schmidhuber 1997), GRU (Cho et al. 2014), RNN (Elman 1990).

use ackermann_core::blob::Element;
use ackermann_core::blob::write::{OperatorKind, RecurrentSpec, Storage, TensorSpec};
use ackermann_core::ops::recurrent::float::{FUNCTION_SCALE, FloatMatrix};
use ackermann_core::ops::{self, lstm, rnn};

use super::{Io, Operator, exactly, misfit};
use crate::Result;
use crate::graph::{Real, Shape};
use crate::quant::program::{Lowering, Made, Scale, Site};

/// What a recurrent layer does with its sums.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell {
    /// Gates input, forget, cell, output.
    Lstm,
    /// Gates update, reset, candidate; the reset gate meets the hidden state behind its matrix.
    Gru,
    /// One sum, tanh.
    Tanh,
    /// One sum, ReLU.
    Relu,
}

/// Largest magnitude of an LSTM's cell state; it saturates beyond, in steps of 2^-11.
const LARGEST_CELL: f32 = 15.9;

/// Inputs `x [batch, time, inputs]`, and as parameters `w [gates units, inputs]`, `r [gates units, units]`, `b [2 gates units]` (of both
/// matrices): the hidden state after each step, `[batch, time, units]`, from zeros. In a blob the states are kept from run to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Recurrent {
    /// The kind.
    pub cell: Cell,
    /// Whether the sequence is read from its end.
    pub backward: bool,
    /// Largest magnitude of an LSTM's cell state; 0 for none.
    pub clip: f64,
}

impl Cell {
    /// Rows of a matrix per unit.
    pub fn gates(self) -> usize {
        match self {
            Self::Lstm => 4,
            Self::Gru => 3,
            Self::Tanh | Self::Relu => 1,
        }
    }

    /// One step: sums from the input and from the hidden state, gate after gate; memory; new hidden state.
    fn step(self, clip: f64, from_input: &[f64], from_hidden: &[f64], memory: &mut [f64], hidden: &mut [f64]) {
        let units = hidden.len();
        let most = if clip > 0.0 { clip } else { f64::INFINITY };
        for u in 0..units {
            let sum = |gate: usize| from_input[gate * units + u] + from_hidden[gate * units + u];
            hidden[u] = match self {
                Self::Lstm => {
                    let kept = logistic(sum(1)) * memory[u];
                    memory[u] = (kept + logistic(sum(0)) * sum(2).tanh()).clamp(-most, most);
                    logistic(sum(3)) * memory[u].tanh()
                }
                Self::Gru => {
                    let reset = logistic(sum(1));
                    let candidate = (from_input[2 * units + u] + reset * from_hidden[2 * units + u]).tanh();
                    candidate + logistic(sum(0)) * (hidden[u] - candidate)
                }
                Self::Tanh => sum(0).tanh(),
                Self::Relu => sum(0).max(0.0),
            };
        }
    }

    /// The operator of the core for gates made of float weights, and the scale of its memory, where it has one.
    fn lowered(self, gates: RecurrentSpec, clip: f32, sums: f32, output: f32) -> Option<(OperatorKind, Option<f32>)> {
        Some(match self {
            Self::Lstm => {
                let largest = if clip > 0.0 { clip.min(LARGEST_CELL) } else { LARGEST_CELL };
                let cell = lstm::Cell::for_scales(largest, output)?;
                let clip = if clip > 0.0 { (clip / cell.state_scale()).round().clamp(1.0, 32767.0) as i16 } else { 0 };
                let cell = lstm::Cell { clip, ..cell };
                (OperatorKind::Lstm { gates, cell }, Some(cell.state_scale()))
            }
            Self::Gru => {
                let output = ops::Gru::output_for_scale(output)?;
                (OperatorKind::Gru { gates, output }, Some(ops::Gru::STATE_SCALE))
            }
            Self::Tanh => {
                (OperatorKind::Rnn { gates, cell: rnn::Cell::for_scales(rnn::Function::Tanh, sums, output)? }, None)
            }
            Self::Relu => {
                (OperatorKind::Rnn { gates, cell: rnn::Cell::for_scales(rnn::Function::Relu, sums, output)? }, None)
            }
        })
    }
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// `sums[row] = bias[row] + weights[row] vector`.
fn product<T: Real>(weights: &[T], bias: &[T], vector: &[f64]) -> Vec<f64> {
    let dot = |row: &[T]| row.iter().zip(vector).map(|(w, v)| w.to_f64() * v).sum::<f64>();
    weights.chunks(vector.len().max(1)).zip(bias).map(|(row, bias)| bias.to_f64() + dot(row)).collect()
}

impl Operator for Recurrent {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x, w, r, b] = exactly(inputs)?;
        let (&[batch, time, inputs], &[rows, width], &[_, units]) = (x.dims(), w.dims(), r.dims()) else {
            return Err(misfit(format!("takes sequences and two matrices, was given shapes {x}, {w} and {r}")));
        };
        let whole = rows == self.cell.gates() * units && width == inputs && r.dims() == [rows, units];
        if whole && b.dims() == [2 * rows] && x.elements() > 0 && units > 0 {
            Ok([batch, time, units].into())
        } else {
            Err(misfit(format!("weights {w} and {r} with biases {b} for sequences {x}")))
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [x, w, r, b] = [io.inputs[0], io.inputs[1], io.inputs[2], io.inputs[3]];
        let &[_, time, units] = io.shape.dims() else { return };
        let inputs = w.shape[1];
        let (of_input, of_hidden) = b.data.split_at(w.shape[0]);
        for (y, x) in io.output.chunks_exact_mut(time * units).zip(x.data.chunks_exact(time * inputs)) {
            let (mut hidden, mut memory) = (vec![0.0; units], vec![0.0; units]);
            for step in 0..time {
                let t = if self.backward { time - 1 - step } else { step };
                let vector: Vec<f64> = x[t * inputs..][..inputs].iter().map(|x| x.to_f64()).collect();
                let from_hidden = product(r.data, of_hidden, &hidden);
                self.cell.step(self.clip, &product(w.data, of_input, &vector), &from_hidden, &mut memory, &mut hidden);
                y[t * units..][..units].iter_mut().zip(&hidden).for_each(|(y, h)| *y = T::of(*h));
            }
        }
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let [w, r, b] = [lowering.param(1)?.to_vec(), lowering.param(2)?.to_vec(), lowering.param(3)?.to_vec()];
        let (batch, this) = (lowering.input_shape()[0], self.clone());
        lowering.operator(Scale::Observed, move |site| this.quantized(site, batch, [&w, &r, &b]))
    }
}

impl Recurrent {
    fn quantized(&self, site: &Site<'_>, batch: usize, [w, r, b]: [&[f32]; 3]) -> Result<Made> {
        let rows = b.len() / 2;
        let units = r.len() / rows.max(1);
        let (of_input, of_hidden) = b.split_at(rows);
        let (input, output) = (site.inputs[0], site.output);
        // Sums of a ReLU have no fixed range: 64 steps to one of the output cover twice that.
        let sums = if self.cell == Cell::Relu { output.scale / 64.0 } else { FUNCTION_SCALE };
        let [input_matrix, hidden_matrix] =
            [(w, of_input), (r, of_hidden)].map(|(weights, bias)| FloatMatrix { weights, bias });
        let gates = RecurrentSpec::from_float(input_matrix, hidden_matrix, units, [input.scale, output.scale], sums);
        let lowered = gates.and_then(|gates| {
            self.cell.lowered(RecurrentSpec { backward: self.backward, ..gates }, self.clip as f32, sums, output.scale)
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
}
