//! `a` to the power of `b`, element by element.

use super::{Function, Io, Operator, chunks, same};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};

/// `a^b`, element by element; `a` above zero, or 0 or below with whole exponents that are constant (the derivative with respect to `b`
/// is not a number there). See [`Function::Power`] for one exponent.
#[derive(Debug, Clone, PartialEq)]
pub struct Pow;

impl Operator for Pow {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        same(inputs)
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        chunks::map2(io.inputs[0].data, io.inputs[1].data, io.output, T::powf);
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        // da = v b a^(b - 1), db = v y ln a.
        let (a, b) = (graph.node(node).inputs[0], graph.node(node).inputs[1]);
        let less = graph.affine(b, 1.0, -1.0)?;
        let power = graph.pow(a, less)?;
        let slope = graph.mul(b, power)?;
        let logarithm = graph.apply(Function::Log, a)?;
        let growth = graph.mul(node, logarithm)?;
        Ok(vec![Some(graph.mul(upstream, slope)?), Some(graph.mul(upstream, growth)?)])
    }
}
