//! Binary cross-entropy of a logit, in the form that neither overflows nor loses digits.

use super::{Function, Io, Operator, chunks, same};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};

/// Inputs `x` (logits) and `t` (probabilities, 0 to 1): `-t ln s - (1 - t) ln(1 - s)` with `s = 1 / (1 + e^-x)`, computed as
/// `max(x, 0) - x t + ln(1 + e^-|x|)`.
#[derive(Debug, Clone, PartialEq)]
pub struct BceWithLogits;

impl Operator for BceWithLogits {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        same(inputs)
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        chunks::map2(io.inputs[0].data, io.inputs[1].data, io.output, |x, t| {
            let above = if x > T::ZERO { x } else { T::ZERO };
            above - x * t + (-x.abs()).exp().ln_1p()
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        // dx = v (s - t), dt = -v x.
        let (x, t) = (graph.node(node).inputs[0], graph.node(node).inputs[1]);
        let probability = graph.apply(Function::Sigmoid, x)?;
        let excess = graph.sub(probability, t)?;
        let dx = graph.mul(upstream, excess)?;
        let product = graph.mul(upstream, x)?;
        Ok(vec![Some(dx), Some(graph.neg(product)?)])
    }
}
