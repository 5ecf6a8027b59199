//! Layers that read sequences step by step: LSTM (Hochreiter and Schmidhuber 1997; peepholes: Gers and Schmidhuber 2000), GRU (Cho et
//! al. 2014), RNN (Elman 1990). One node computes a whole sequence, and one its derivative, by back-propagation through time.
//!
//! A graph for use holds [`Recurrent`]. A graph for training holds, made by [`Recurrent::train`], [`RecurrentTape`], whose values are all
//! that the way back needs, and [`RecurrentStates`], which takes the hidden states out of it.

mod backward;
mod cells;
mod forward;
mod grad;
mod lower;
mod sizes;
mod tape;
mod unrolled;

#[cfg(test)]
mod tests;

use rayon::prelude::*;

use super::{Io, MAX_INPUTS, Operator, View, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::Lowering;

pub use grad::RecurrentGrad;
pub use tape::{RecurrentStates, RecurrentTape};

use forward::{Record, Weights};
use sizes::{Sizes, cut, gather, scatter};

/// What a recurrent layer does with its sums `a = w x + b` from the input and `s = r h + b'` from the hidden state before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell {
    /// Gates input, forget, cell, output, as PyTorch orders them: `c = f c' + i tanh(a + s)`, `h = o tanh(c)`. Peepholes `p` add `p c'` to
    /// the sums of input and forget gate, `p c` to that of the output gate.
    Lstm,
    /// Gates reset, update, new, as PyTorch orders them: `n = tanh(a + r s)`, `h = (1 - z) n + z h'`.
    Gru,
    /// One sum: `h = tanh(a + s)`.
    Tanh,
    /// One sum: `h = max(a + s, 0)`.
    Relu,
}

/// Inputs `x [batch, time, inputs]`, and as parameters `w [gates units, inputs]`, `r [gates units, units]`, `b [2 gates units]` (of both
/// matrices), and for an LSTM perhaps peepholes `[3 units]` (of input, forget, output gate): the hidden state after each step,
/// `[batch, time, units]`, from zeros. In a blob the states are kept from run to run.
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
}

impl Recurrent {
    /// A layer that reads from the first step to the last, without a clip.
    pub fn new(cell: Cell) -> Self {
        Self { cell, backward: false, clip: 0.0 }
    }

    /// This layer in a graph that is to be differentiated: the same values and inputs as the node `self` has, with a tape for the way
    /// back, which spares it half of the work.
    pub fn train(self, graph: &mut Graph, name: &str, inputs: &[NodeId]) -> Result<NodeId> {
        let tape = graph.push_named(name, RecurrentTape { layer: self.clone() }, inputs)?;
        let with_tape = [inputs, &[tape]].concat();
        graph.push_named(name, RecurrentStates { layer: self }, &with_tape)
    }

    /// Sizes of the layer for these inputs. Errors when they do not fit together.
    fn sizes(&self, inputs: &[&Shape]) -> Result<Sizes> {
        let (&[x, w, r, b, ..], 4..=5) = (inputs, inputs.len()) else {
            return Err(misfit(format!("takes x, w, r, b and perhaps peepholes, was given {} inputs", inputs.len())));
        };
        let (&[batch, time, inner], &[rows, width], &[_, units]) = (x.dims(), w.dims(), r.dims()) else {
            return Err(misfit(format!("takes sequences and two matrices, was given shapes {x}, {w} and {r}")));
        };
        let whole = rows == self.cell.gates() * units && width == inner && r.dims() == [rows, units];
        if !(whole && b.dims() == [2 * rows] && x.elements() > 0 && units > 0) {
            return Err(misfit(format!("weights {w} and {r} with biases {b} for sequences {x}")));
        }
        match inputs.get(4) {
            Some(p) if self.cell != Cell::Lstm || p.dims() != [3 * units] => {
                Err(misfit(format!("peepholes {p} for {:?} with {units} units; an LSTM takes 3 per unit", self.cell)))
            }
            peepholes => {
                Ok(Sizes { cell: self.cell, batch, time, inputs: inner, units, peepholes: peepholes.is_some() })
            }
        }
    }
}

impl Recurrent {
    /// Sizes of the layer for these inputs, of which a node has made sure that they fit.
    fn sizes_of<T>(&self, inputs: &[View<'_, T>]) -> Option<Sizes> {
        let mut shapes = [inputs.first()?.shape; MAX_INPUTS];
        shapes.iter_mut().zip(inputs).for_each(|(shape, input)| *shape = input.shape);
        self.sizes(&shapes[..inputs.len()]).ok()
    }

    /// The time of the sequence that step `step` is at.
    fn time(&self, sizes: Sizes, step: usize) -> usize {
        if self.backward { sizes.time - 1 - step } else { step }
    }

    /// Largest magnitude of a cell state.
    fn limit<T: Real>(&self) -> T {
        T::of(if self.clip > 0.0 { self.clip } else { f64::INFINITY })
    }
}

impl Operator for Recurrent {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        self.sizes(inputs).map(|sizes| sizes.states())
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let Some(sizes) = self.sizes_of(io.inputs) else { return };
        let (weights, scratch) = Weights::prepare(self, sizes, io.inputs, io.scratch);
        let [x, y] = [sizes.inputs, sizes.units].map(|width| [sizes.time, width]);
        let pieces = io.output.par_chunks_mut(sizes.rows() * sizes.time * sizes.units);
        let pieces = pieces.zip(scratch.par_chunks_mut(sizes.scratch() + sizes.block()));
        pieces.zip(io.inputs[0].data.par_chunks(sizes.rows() * x[0] * x[1])).for_each(|((out, scratch), sequences)| {
            let rows = out.len() / (sizes.time * sizes.units);
            let (record, scratch) = scratch.split_at_mut(sizes.block());
            let mut record = Record::fresh(record, sizes, rows, sizes.steps());
            for (first, steps) in sizes.blocks() {
                let at = |step: usize| self.time(sizes, first + step);
                let [xs, apart] = cut(scratch, [rows * steps * sizes.inputs, rows * sizes.apart()]);
                gather(sequences, xs, x, at);
                weights.run(xs, record.part(sizes, rows, (0, steps)), rows, first == 0, apart);
                scatter(&record.states[rows * sizes.units..][..steps * rows * sizes.units], out, y, at);
                record.carry(sizes, rows, steps);
            }
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let inputs = graph.node(node).inputs.clone();
        let tape = graph.push(RecurrentTape { layer: self.clone() }, &inputs)?;
        RecurrentGrad::append(self, graph, &inputs, tape, upstream)
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        lower::lower(self, lowering)
    }

    fn scratch(&self, inputs: &[&Shape], _output: &Shape) -> usize {
        let of_piece = |sizes: Sizes| sizes.scratch() + sizes.block();
        self.sizes(inputs).map_or(0, |sizes| sizes.weights() + sizes.pieces() * of_piece(sizes))
    }
}
