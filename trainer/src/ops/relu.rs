//! `y = max(x, 0)`.

use super::{Io, Mask, Operator, chunks, exactly};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::Lowering;

/// `y = max(x, 0)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Relu;

impl Operator for Relu {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        exactly(inputs).map(|[x]| x.clone())
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let positive = |x| if x > T::ZERO { x } else { T::ZERO };
        match io.inputs[0].data {
            [] => chunks::update(io.output, positive),
            x => chunks::map(x, io.output, positive),
        }
    }

    fn overwrites(&self) -> Option<usize> {
        Some(0)
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        // y > 0 exactly where x > 0, so the input need not be kept.
        Ok(vec![Some(graph.push(Mask { low: 0.0, high: f64::INFINITY }, &[node, upstream])?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        lowering.clamp(0.0, f32::INFINITY)
    }
}
