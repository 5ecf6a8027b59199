//! Functions of one number that need no operator of their own: in int8 each is a table.

use super::{Function, Io, Operator, chunks, exactly, same};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::Lowering;

/// `y = function(x)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Unary {
    /// The function.
    pub function: Function,
}

/// Inputs `x, v`: `v` times the slope of the function at `x`.
#[derive(Debug, Clone, PartialEq)]
pub struct UnaryGrad {
    /// The function.
    pub function: Function,
}

impl Operator for Unary {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        exactly(inputs).map(|[x]| x.clone())
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        chunks::map(io.inputs[0].data, io.output, |x| T::of(self.function.value(x.to_f64())));
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let x = graph.node(node).inputs[0];
        Ok(vec![Some(graph.push(UnaryGrad { function: self.function }, &[x, upstream])?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let function = self.function;
        lowering.function(move |x| function.value(f64::from(x)) as f32)
    }
}

impl Operator for UnaryGrad {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        same(inputs)
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let slope = |x: T, v: T| v * T::of(self.function.slope(x.to_f64()));
        chunks::map2(io.inputs[0].data, io.inputs[1].data, io.output, slope);
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let (x, v) = (graph.node(node).inputs[0], graph.node(node).inputs[1]);
        let slope = self.function.slope_of(graph, x)?;
        let product = graph.mul(upstream, v)?;
        let dx = graph.pull_back(slope, product, &[x])?;
        Ok(vec![dx[0], Some(graph.push(self.clone(), &[x, upstream])?)])
    }
}
