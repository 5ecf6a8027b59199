//! Classes as vectors.

use super::{Io, Operator, exactly, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};

/// Input `x [..]`, whole numbers: `[.., classes]`, 1 at the index `x` says and 0 elsewhere; all 0 for an index outside. Has derivative zero.
#[derive(Debug, Clone, PartialEq)]
pub struct OneHot {
    /// Length of each vector.
    pub classes: usize,
}

impl Operator for OneHot {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x] = exactly(inputs)?;
        if self.classes == 0 {
            return Err(misfit("takes at least one class"));
        }
        Ok([x.dims(), &[self.classes]].concat().into())
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        io.output.fill(T::ZERO);
        for (row, index) in io.output.chunks_exact_mut(self.classes).zip(io.inputs[0].data) {
            if let Some(one) = class(*index, self.classes).and_then(|at| row.get_mut(at)) {
                *one = T::ONE;
            }
        }
    }

    fn gradient(&self, _graph: &mut Graph, _node: NodeId, _upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        Ok(vec![None])
    }
}

/// The class that a number stands for, when it is one of `classes`.
pub(super) fn class<T: Real>(number: T, classes: usize) -> Option<usize> {
    let number = number.to_f64();
    (number >= 0.0 && number < classes as f64).then_some(number as usize)
}
