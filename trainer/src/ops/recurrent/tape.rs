//! A recurrent layer in a graph for training: a tape of its steps, and the hidden states from it.

use rayon::prelude::*;

use super::forward::{Record, Weights};
use super::sizes::{cut, gather, scatter};
use super::{Recurrent, RecurrentGrad};
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::ops::{Io, Operator, misfit};
use crate::{Error, Result};

/// Inputs as of [`Recurrent`]: all that its derivative needs of the steps, `[batch, n]`.
#[derive(Debug, Clone, PartialEq)]
pub struct RecurrentTape {
    /// The layer.
    pub layer: Recurrent,
}

/// Inputs as of [`Recurrent`], and their [`RecurrentTape`]: the output of [`Recurrent`].
///
/// The gradient with respect to the inputs includes the way through the tape, which gets none of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct RecurrentStates {
    /// The layer.
    pub layer: Recurrent,
}

impl Operator for RecurrentTape {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let sizes = self.layer.sizes(inputs)?;
        Ok([sizes.batch, sizes.record(1, sizes.time).iter().sum()].into())
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let Some(sizes) = self.layer.sizes_of(io.inputs) else { return };
        let (weights, scratch) = Weights::prepare(&self.layer, sizes, io.inputs, io.scratch);
        let sequence = [sizes.time, sizes.inputs];
        let pieces = io.output.par_chunks_mut(sizes.rows() * io.shape[1]).zip(scratch.par_chunks_mut(sizes.scratch()));
        pieces.zip(io.inputs[0].data.par_chunks(sizes.rows() * sizes.time * sizes.inputs)).for_each(
            |((tape, scratch), x)| {
                let rows = tape.len() / io.shape[1];
                let mut record = Record::fresh(tape, sizes, rows, sizes.time);
                for (first, steps) in sizes.blocks() {
                    let [xs, apart] = cut(scratch, [rows * steps * sizes.inputs, rows * sizes.apart()]);
                    gather(x, xs, sequence, |step| self.layer.time(sizes, first + step));
                    weights.run(xs, record.part(sizes, rows, (first, steps)), rows, first == 0, apart);
                }
            },
        );
    }

    fn gradient(&self, _graph: &mut Graph, _node: NodeId, _upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        Err(Error::usage("RecurrentTape", "a tape has no derivative; differentiate the states that are taken from it"))
    }

    fn scratch(&self, inputs: &[&Shape], _output: &Shape) -> usize {
        self.layer.sizes(inputs).map_or(0, |sizes| sizes.weights() + sizes.pieces() * sizes.scratch())
    }
}

impl Operator for RecurrentStates {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let Some((tape, inputs)) = inputs.split_last() else { return Err(misfit("takes a tape, was given nothing")) };
        let sizes = self.layer.sizes(inputs)?;
        if tape.dims() == [sizes.batch, sizes.record(1, sizes.time).iter().sum()] {
            Ok(sizes.states())
        } else {
            Err(misfit(format!("a tape {tape} does not belong to states {}", sizes.states())))
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let Some((tape, inputs)) = io.inputs.split_last() else { return };
        let Some(sizes) = self.layer.sizes_of(inputs) else { return };
        let sequence = [sizes.time, sizes.units];
        let pieces = io.output.par_chunks_mut(sizes.rows() * sizes.time * sizes.units);
        pieces.zip(tape.data.par_chunks(sizes.rows() * tape.shape[1])).for_each(|(y, tape)| {
            let rows = tape.len() / io.inputs[inputs.len()].shape[1];
            let states = &tape[tape.len() - rows * sizes.time * sizes.units..];
            scatter(states, y, sequence, |step| self.layer.time(sizes, step));
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let mut inputs = graph.node(node).inputs.clone();
        let Some(tape) = inputs.pop() else { return Ok(Vec::new()) };
        let mut parts = RecurrentGrad::append(&self.layer, graph, &inputs, tape, upstream)?;
        parts.push(None);
        Ok(parts)
    }
}
