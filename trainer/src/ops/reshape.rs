//! The same elements in another shape.

use ackermann_core::blob::write::OperatorKind;

use super::{Io, Operator, exactly, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::{Lowering, Scale};

/// Row-major elements unchanged, shape replaced; flattening is one case.
#[derive(Debug, Clone, PartialEq)]
pub struct Reshape {
    /// The new shape.
    pub shape: Shape,
}

impl Operator for Reshape {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x] = exactly(inputs)?;
        if x.elements() == self.shape.elements() {
            Ok(self.shape.clone())
        } else {
            Err(misfit(format!("{} elements of shape {x} do not fill shape {}", x.elements(), self.shape)))
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        if !io.inputs[0].data.is_empty() {
            io.output.copy_from_slice(io.inputs[0].data);
        }
    }

    fn overwrites(&self) -> Option<usize> {
        Some(0)
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let shape = graph.shape(graph.node(node).inputs[0]).clone();
        Ok(vec![Some(graph.push(Self { shape }, &[upstream])?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        lowering.operator(Scale::OfInputs, |_| Ok(OperatorKind::Reshape))
    }
}
