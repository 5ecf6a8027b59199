//! Weights as int8 has them: whole steps of a scale per output channel.

use super::{Io, Operator, chunks, exactly};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};

/// Input: weights, output channel outermost. Each channel is rounded to multiples of its largest magnitude / 127. The derivative passes
/// straight through the rounding (Bengio et al. 2013).
#[derive(Debug, Clone, PartialEq)]
pub struct RoundWeights;

impl Operator for RoundWeights {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        exactly(inputs).map(|[weights]| weights.clone())
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let row = (io.output.len() / io.shape.first().copied().unwrap_or(1).max(1)).max(1);
        chunks::rows(io.inputs[0].data, io.output, row, |weights, rounded| {
            let largest = weights.iter().fold(0.0, |largest: f64, w| largest.max(w.to_f64().abs()));
            let step = if largest > 0.0 { largest / 127.0 } else { 1.0 };
            rounded.iter_mut().zip(weights).for_each(|(q, w)| *q = T::of((w.to_f64() / step).round() * step));
        });
    }

    fn gradient(&self, _graph: &mut Graph, _node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        Ok(vec![Some(upstream)])
    }
}
