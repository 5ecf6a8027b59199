//! Largest element over some dimensions.

use super::{Equal, Io, Operator, exactly, loops, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};

/// The largest (or smallest) element over the dimensions `axes`, which stay as 1; equals share the derivative, as in PyTorch's `amax`.
#[derive(Debug, Clone, PartialEq)]
pub struct ReduceMax {
    /// The dimensions, in any order, each once.
    pub axes: Vec<usize>,
    /// The smallest instead of the largest.
    pub smallest: bool,
}

impl Operator for ReduceMax {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x] = exactly(inputs)?;
        if x.elements() == 0 { Err(misfit(format!("a tensor {x} is empty"))) } else { x.reduced(&self.axes) }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let x = io.inputs[0];
        let start = T::of(if self.smallest { f64::INFINITY } else { f64::NEG_INFINITY });
        io.output.fill(start);
        loops::for_each_pair(x.shape, loops::repeated(io.shape, x.shape), |big, small| {
            let (value, best) = (x.data[big], &mut io.output[small]);
            // What is not a number wins, so that it does not go unseen.
            let better = if self.smallest { value < *best } else { value > *best };
            if better || value.to_f64().is_nan() {
                *best = value;
            }
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let x = graph.node(node).inputs[0];
        let (whole, kept) = (graph.shape(x).clone(), graph.shape(node).clone());
        let best = graph.broadcast(node, &whole)?;
        let winners = graph.push(Equal, &[x, best])?;
        let count = graph.sum_to(winners, &kept)?;
        let share = graph.div(upstream, count)?;
        Ok(vec![Some(graph.mul(winners, share)?)])
    }
}
