//! `y = scale * x + offset`.

use super::{Io, Operator, chunks, exactly};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::Lowering;

/// `y = scale * x + offset`.
#[derive(Debug, Clone, PartialEq)]
pub struct Affine {
    /// Factor.
    pub scale: f64,
    /// Summand.
    pub offset: f64,
}

impl Operator for Affine {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        exactly(inputs).map(|[x]| x.clone())
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let (scale, offset) = (T::of(self.scale), T::of(self.offset));
        chunks::map(io.inputs[0].data, io.output, |x| scale * x + offset);
    }

    fn gradient(&self, graph: &mut Graph, _node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        Ok(vec![Some(graph.affine(upstream, self.scale, 0.0)?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let (scale, offset) = (self.scale as f32, self.offset as f32);
        lowering.function(move |x| scale * x + offset)
    }
}
