//! The larger and the smaller of two tensors, element by element.

use super::{Io, Operator, chunks, same};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};

/// `max(a, b)`, element by element; of equals each gets half of the derivative, as in PyTorch.
#[derive(Debug, Clone, PartialEq)]
pub struct Maximum;

/// `min(a, b)`, element by element; of equals each gets half of the derivative, as in PyTorch.
#[derive(Debug, Clone, PartialEq)]
pub struct Minimum;

impl Operator for Maximum {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        same(inputs)
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        chunks::map2(io.inputs[0].data, io.inputs[1].data, io.output, |a, b| if a > b { a } else { b });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let (a, b) = (graph.node(node).inputs[0], graph.node(node).inputs[1]);
        let [of_larger, of_smaller] = shares(graph, [a, b], upstream)?;
        Ok(vec![Some(of_larger), Some(of_smaller)])
    }
}

impl Operator for Minimum {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        same(inputs)
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        chunks::map2(io.inputs[0].data, io.inputs[1].data, io.output, |a, b| if a < b { a } else { b });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let (a, b) = (graph.node(node).inputs[0], graph.node(node).inputs[1]);
        let [of_larger, of_smaller] = shares(graph, [a, b], upstream)?;
        Ok(vec![Some(of_smaller), Some(of_larger)])
    }
}

/// `v` where `a > b`, and what is left of it; half each where they are equal.
fn shares(graph: &mut Graph, [a, b]: [NodeId; 2], v: NodeId) -> Result<[NodeId; 2]> {
    let [above, below] = [graph.sub(a, b)?, graph.sub(b, a)?];
    let [above, below] = [graph.where_positive(above, v)?, graph.where_positive(below, v)?];
    let undecided = graph.sub(above, below)?;
    let twice = graph.add(undecided, v)?;
    let first = graph.affine(twice, 0.5, 0.0)?;
    Ok([first, graph.sub(v, first)?])
}
