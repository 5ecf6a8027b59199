//! `a - b`, element by element.

use ackermann_core::blob::write::OperatorKind;
use ackermann_core::ops;

use super::{Io, Operator, chunks, misfit, same};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::Sides;
use crate::quant::program::{Lowering, Scale};

/// `a - b`, element by element.
#[derive(Debug, Clone, PartialEq)]
pub struct Sub;

impl Operator for Sub {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        same(inputs)
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        chunks::map2(io.inputs[0].data, io.inputs[1].data, io.output, |a, b| a - b);
    }

    fn gradient(&self, graph: &mut Graph, _node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        Ok(vec![Some(upstream), Some(graph.affine(upstream, -1.0, 0.0)?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let sides = Sides::of(lowering)?;
        lowering.fusing_operator(Scale::Observed, move |site| {
            let scales = sides.scales(site);
            ops::Add::for_scales(scales, site.output.scale, site.activation)
                .map(|numbers| sides.made(OperatorKind::Sub(ops::Sub(numbers))))
                .ok_or_else(|| misfit(format!("scales {scales:?} are too large for the difference's")))
        })
    }
}
