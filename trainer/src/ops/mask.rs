//! Passes values where a reference lies in a range: the gradient of ReLU and clamp.

use super::{Io, Operator, chunks, same};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};

/// Inputs `x, v`: `v` where `low < x < high`, else 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Mask {
    /// Lower bound, excluded.
    pub low: f64,
    /// Upper bound, excluded.
    pub high: f64,
}

impl Operator for Mask {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        same(inputs)
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let (low, high) = (T::of(self.low), T::of(self.high));
        let passed = |v, x| if x > low && x < high { v } else { T::ZERO };
        match io.inputs[1].data {
            [] => chunks::update2(io.output, io.inputs[0].data, passed),
            v => chunks::map2(v, io.inputs[0].data, io.output, passed),
        }
    }

    fn overwrites(&self) -> Option<usize> {
        Some(1)
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let x = graph.node(node).inputs[0];
        Ok(vec![None, Some(graph.push(self.clone(), &[x, upstream])?)])
    }
}
