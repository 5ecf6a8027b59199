//! One row of a matrix.

use super::{Io, Operator, exactly, misfit};
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::{Error, Result};

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

    fn gradient(&self, _graph: &mut Graph, _node: NodeId, _upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        Err(Error::usage("Row", "rows take the sums of batch normalization apart, which have no second derivative"))
    }
}
