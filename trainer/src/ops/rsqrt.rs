//! `y = 1 / sqrt(x)`.

use super::{Io, Operator, chunks, exactly};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::Lowering;

/// `y = 1 / sqrt(x)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rsqrt;

impl Operator for Rsqrt {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        exactly(inputs).map(|[x]| x.clone())
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        chunks::map(io.inputs[0].data, io.output, |x| T::ONE / x.sqrt());
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let square = graph.mul(node, node)?;
        let cube = graph.mul(square, node)?;
        let slope = graph.affine(cube, -0.5, 0.0)?;
        Ok(vec![Some(graph.mul(upstream, slope)?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        lowering.function(|x| x.sqrt().recip())
    }
}
