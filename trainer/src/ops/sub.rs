//! `a - b`, element by element.

use super::{Io, Operator, chunks, same};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};

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
}
