//! `a + b`, element by element.

use ackermann_core::blob::write::OperatorKind;
use ackermann_core::ops;

use super::{Io, Operator, chunks, misfit, same};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::Sides;
use crate::quant::program::{Lowering, Scale};

/// `a + b`, element by element.
#[derive(Debug, Clone, PartialEq)]
pub struct Add;

impl Operator for Add {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        same(inputs)
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        match io.inputs[0].data {
            [] => chunks::update2(io.output, io.inputs[1].data, |a, b| a + b),
            a => chunks::map2(a, io.inputs[1].data, io.output, |a, b| a + b),
        }
    }

    fn overwrites(&self) -> Option<usize> {
        Some(0)
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        if let Some(bias) = lowering.channel_values(1) {
            return lowering.fold(&vec![1.0; bias.len()], bias);
        }
        let sides = Sides::of(lowering)?;
        lowering.fusing_operator(Scale::Observed, move |site| {
            let scales = sides.scales(site);
            ops::Add::for_scales(scales, site.output.scale, site.activation)
                .map(|numbers| sides.made(OperatorKind::Add(numbers)))
                .ok_or_else(|| misfit(format!("scales {scales:?} are too large for the sum's")))
        })
    }

    fn gradient(&self, _graph: &mut Graph, _node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        Ok(vec![Some(upstream), Some(upstream)])
    }
}
