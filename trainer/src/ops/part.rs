//! A part of a result that shares one node with others.

use super::{Io, Operator, Pad, exactly, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};

/// Elements `begin` and following of `x`, in the order of memory, in the shape `shape`.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// First element.
    pub begin: usize,
    /// Shape of the part.
    pub shape: Shape,
}

impl Operator for Part {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x] = exactly(inputs)?;
        if self.shape.elements().checked_add(self.begin).is_some_and(|end| end <= x.elements()) {
            Ok(self.shape.clone())
        } else {
            Err(misfit(format!("a part of shape {} from element {} does not lie in {x}", self.shape, self.begin)))
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let elements = io.output.len();
        io.output.copy_from_slice(&io.inputs[0].data[self.begin..][..elements]);
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let x = graph.shape(graph.node(node).inputs[0]).clone();
        let flat = graph.reshape(upstream, [self.shape.elements()])?;
        let whole =
            graph.push(Pad { begin: vec![self.begin], step: vec![1], whole: [x.elements()].into() }, &[flat])?;
        Ok(vec![Some(graph.reshape(whole, x)?)])
    }
}
