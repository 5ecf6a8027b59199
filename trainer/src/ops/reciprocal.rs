//! `y = 1 / x`.

use super::{Io, Operator, chunks, exactly};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::Lowering;

/// `y = 1 / x`.
#[derive(Debug, Clone, PartialEq)]
pub struct Reciprocal;

impl Operator for Reciprocal {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        exactly(inputs).map(|[x]| x.clone())
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        chunks::map(io.inputs[0].data, io.output, |x| T::ONE / x);
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let square = graph.mul(node, node)?;
        let slope = graph.affine(square, -1.0, 0.0)?;
        Ok(vec![Some(graph.mul(upstream, slope)?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        lowering.function(f32::recip)
    }
}
