//! One row of a matrix.

use super::{Io, Operator, Pad, exactly, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};

/// Input `x [rows, n]`: row `row`, shape `[n]`. Takes apart results that share one node.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Which row, from 0.
    pub row: usize,
}

impl Operator for Row {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x] = exactly(inputs)?;
        match x.dims() {
            &[rows, n] if self.row < rows => Ok([n].into()),
            _ => Err(misfit(format!("shape {x} has no row {}", self.row))),
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let n = io.output.len();
        io.output.copy_from_slice(&io.inputs[0].data[self.row * n..][..n]);
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let whole = graph.shape(graph.node(node).inputs[0]).clone();
        let row = graph.reshape(upstream, [1, whole[1]])?;
        let pad = Pad { begin: vec![self.row, 0], step: vec![1, 1], whole };
        Ok(vec![Some(graph.push(pad, &[row])?)])
    }
}
