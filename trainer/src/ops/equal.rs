//! Where two tensors are equal: the mask of maxima and of masked positions.

use super::{Io, Operator, chunks, same};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};

/// 1 where `a` equals `b`, else 0; has derivative zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Equal;

impl Operator for Equal {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        same(inputs)
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let one = |a: T, b: T| if a == b { T::ONE } else { T::ZERO };
        chunks::map2(io.inputs[0].data, io.inputs[1].data, io.output, one);
    }

    fn gradient(&self, _graph: &mut Graph, _node: NodeId, _upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        Ok(vec![None, None])
    }
}
