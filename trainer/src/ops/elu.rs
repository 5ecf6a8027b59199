//! Exponential linear unit (Clevert et al. 2016).

use super::{Io, Mask, Operator, chunks, exactly, same};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::Lowering;

/// `y = x` above zero, `alpha (e^x - 1)` below.
#[derive(Debug, Clone, PartialEq)]
pub struct Elu {
    /// The limit far below zero, negated; positive.
    pub alpha: f64,
}

/// Inputs `y, v`: `v` times the slope of ELU at the point where its output is `y`.
#[derive(Debug, Clone, PartialEq)]
pub struct EluGrad {
    /// As in [`Elu`].
    pub alpha: f64,
}

impl Operator for Elu {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        exactly(inputs).map(|[x]| x.clone())
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let alpha = T::of(self.alpha);
        chunks::map(io.inputs[0].data, io.output, |x| if x > T::ZERO { x } else { alpha * x.exp_m1() });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        Ok(vec![Some(graph.push(EluGrad { alpha: self.alpha }, &[node, upstream])?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let alpha = self.alpha as f32;
        lowering.function(move |x| if x > 0.0 { x } else { alpha * x.exp_m1() })
    }
}

impl Operator for EluGrad {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        same(inputs)
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let alpha = T::of(self.alpha);
        chunks::map2(
            io.inputs[0].data,
            io.inputs[1].data,
            io.output,
            |y, v| {
                if y > T::ZERO { v } else { v * (y + alpha) }
            },
        );
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let (y, v) = (graph.node(node).inputs[0], graph.node(node).inputs[1]);
        let product = graph.mul(upstream, v)?;
        let above = graph.push(Mask { low: 0.0, high: f64::INFINITY }, &[y, product])?;
        Ok(vec![Some(graph.sub(product, above)?), Some(graph.push(self.clone(), &[y, upstream])?)])
    }
}
