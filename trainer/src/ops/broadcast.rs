//! Repeats a tensor along dimensions it lacks.

use super::{Io, Operator, exactly, loops, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::Lowering;

/// The input repeated to `shape` by NumPy's rule: dimensions are aligned at the last, 1 or missing ones repeat.
#[derive(Debug, Clone, PartialEq)]
pub struct Broadcast {
    /// The new shape.
    pub shape: Shape,
}

impl Operator for Broadcast {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x] = exactly(inputs)?;
        if loops::broadcasts(x, &self.shape) {
            Ok(self.shape.clone())
        } else {
            Err(misfit(format!("shape {x} cannot be repeated to {}", self.shape)))
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let x = io.inputs[0];
        if loops::is_suffix(x.shape, io.shape) {
            return io.output.chunks_exact_mut(x.data.len().max(1)).for_each(|row| row.copy_from_slice(x.data));
        }
        loops::for_each_row(io.shape, loops::repeated(x.shape, io.shape), |row, place, step| match step {
            0 => io.output[row].fill(x.data[place]),
            _ => io.output[row].iter_mut().zip(&x.data[place..]).for_each(|(y, &x)| *y = x),
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let shape = graph.shape(graph.node(node).inputs[0]).clone();
        Ok(vec![Some(graph.sum_to(upstream, &shape)?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        lowering.repeated()
    }
}
