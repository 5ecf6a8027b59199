//! `a * b`, element by element.

use ackermann_core::blob::write::OperatorKind;
use ackermann_core::ops;

use super::{Io, Operator, chunks, misfit, same};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::Sides;
use crate::quant::program::{Lowering, Scale};

/// `a * b`, element by element.
#[derive(Debug, Clone, PartialEq)]
pub struct Mul;

impl Operator for Mul {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        same(inputs)
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        chunks::map2(io.inputs[0].data, io.inputs[1].data, io.output, |a, b| a * b);
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let (a, b) = (graph.node(node).inputs[0], graph.node(node).inputs[1]);
        Ok(vec![Some(graph.mul(upstream, b)?), Some(graph.mul(upstream, a)?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let sides = Sides::of(lowering)?;
        lowering.fusing_operator(Scale::Observed, move |site| {
            let scales = sides.scales(site);
            ops::Mul::for_scales(scales, site.output.scale, site.activation)
                .map(|numbers| sides.made(OperatorKind::Mul(numbers)))
                .ok_or_else(|| misfit(format!("scales {scales:?} are too large for the product's")))
        })
    }
}
