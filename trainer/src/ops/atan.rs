//! `y = scale * atan(x)`; a scale of 2 gives outputs within +-pi, as steering heads after DAVE-2 use it.

use super::{Io, Operator, Reciprocal, chunks, exactly};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::Lowering;

/// `y = scale * atan(x)`; a scale of 2 gives outputs within +-pi, as steering heads after DAVE-2 use it.
#[derive(Debug, Clone, PartialEq)]
pub struct Atan {
    /// Factor on the angle.
    pub scale: f64,
}

impl Operator for Atan {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        exactly(inputs).map(|[x]| x.clone())
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let scale = T::of(self.scale);
        chunks::map(io.inputs[0].data, io.output, |x| scale * x.atan());
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let x = graph.node(node).inputs[0];
        let square = graph.mul(x, x)?;
        let one_more = graph.affine(square, 1.0, 1.0)?;
        let slope = graph.push(Reciprocal, &[one_more])?;
        let scaled = graph.affine(upstream, self.scale, 0.0)?;
        Ok(vec![Some(graph.mul(scaled, slope)?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let scale = self.scale as f32;
        lowering.function(move |x| scale * x.atan())
    }
}
