//! `y = x^2 / 2` within `delta` of zero, `delta (|x| - delta / 2)` outside: the Huber loss of a difference (Huber 1964).

use super::{Clamp, Io, Operator, chunks, exactly};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};

/// `y = x^2 / 2` within `delta` of zero, `delta (|x| - delta / 2)` outside: the Huber loss of a difference (Huber 1964).
#[derive(Debug, Clone, PartialEq)]
pub struct Huber {
    /// Where the parabola turns into a line.
    pub delta: f64,
}

impl Operator for Huber {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        exactly(inputs).map(|[x]| x.clone())
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let (delta, half) = (T::of(self.delta), T::of(0.5));
        chunks::map(io.inputs[0].data, io.output, |x| {
            if x.abs() <= delta { half * x * x } else { delta * (x.abs() - half * delta) }
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let x = graph.node(node).inputs[0];
        let slope = graph.push(Clamp { low: -self.delta, high: self.delta }, &[x])?;
        Ok(vec![Some(graph.mul(upstream, slope)?)])
    }
}
