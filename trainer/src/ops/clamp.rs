//! `y = min(max(x, low), high)`.

use super::{Io, Mask, Operator, chunks, exactly};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::Lowering;

/// `y = min(max(x, low), high)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Clamp {
    /// Least value.
    pub low: f64,
    /// Greatest value.
    pub high: f64,
}

impl Operator for Clamp {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        exactly(inputs).map(|[x]| x.clone())
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let (low, high) = (T::of(self.low), T::of(self.high));
        chunks::map(io.inputs[0].data, io.output, |x| {
            if x < low {
                low
            } else if x > high {
                high
            } else {
                x
            }
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let x = graph.node(node).inputs[0];
        Ok(vec![Some(graph.push(Mask { low: self.low, high: self.high }, &[x, upstream])?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        lowering.clamp(self.low as f32, self.high as f32)
    }
}
