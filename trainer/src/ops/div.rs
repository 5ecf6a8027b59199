//! `a / b`, element by element.

use super::{Io, Operator, chunks, same};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};

/// `a / b`, element by element.
#[derive(Debug, Clone, PartialEq)]
pub struct Div;

impl Operator for Div {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        same(inputs)
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        chunks::map2(io.inputs[0].data, io.inputs[1].data, io.output, |a, b| a / b);
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        // da = v / b, db = -y v / b.
        let b = graph.node(node).inputs[1];
        let da = graph.div(upstream, b)?;
        let product = graph.mul(da, node)?;
        Ok(vec![Some(da), Some(graph.neg(product)?)])
    }
}
