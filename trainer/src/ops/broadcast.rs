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
        loops::broadcast_strides(x, &self.shape)
            .map(|_| self.shape.clone())
            .ok_or_else(|| misfit(format!("shape {x} cannot be repeated to {}", self.shape)))
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let x = io.inputs[0];
        if loops::is_suffix(x.shape, io.shape) {
            return io.output.chunks_exact_mut(x.data.len().max(1)).for_each(|row| row.copy_from_slice(x.data));
        }
        let strides = loops::broadcast_strides(x.shape, io.shape).unwrap_or_default();
        loops::for_each_pair(io.shape, &strides, |big, small| io.output[big] = x.data[small]);
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let shape = graph.shape(graph.node(node).inputs[0]).clone();
        Ok(vec![Some(graph.sum_to(upstream, &shape)?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        lowering.repeated()
    }
}
