//! Sums over dimensions: the transpose of broadcasting, the gradient of biases, the end of every loss.

use ackermann_core::blob::write::OperatorKind;
use ackermann_core::ops;

use super::{Io, Operator, channels, exactly, loops, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::{Lowering, Scale};

/// The input summed to `shape`, which must broadcast back to the input's shape.
#[derive(Debug, Clone, PartialEq)]
pub struct SumTo {
    /// The shape of the sums.
    pub shape: Shape,
}

impl Operator for SumTo {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x] = exactly(inputs)?;
        if loops::broadcasts(&self.shape, x) {
            Ok(self.shape.clone())
        } else {
            Err(misfit(format!("shape {x} cannot be summed to {}", self.shape)))
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let x = io.inputs[0];
        if loops::is_suffix(&self.shape, x.shape) {
            channels::sum(x.data, io.output, io.scratch);
        } else {
            loops::sum(x.data, x.shape, io.output, io.shape);
        }
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let shape = graph.shape(graph.node(node).inputs[0]).clone();
        Ok(vec![Some(graph.broadcast(upstream, &shape)?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        // In the core's four dimensions both shapes have ones in front; a mean that does not divide by the count is a sum.
        let (whole, mut over) = (lowering.input_shape().clone(), [false; 4]);
        for (axis, summed) in whole.iter().enumerate() {
            let kept = (axis + self.shape.len()).checked_sub(whole.len()).map_or(1, |axis| self.shape[axis]);
            over[lowering.axis_of(&whole, axis)?] = kept == 1 && *summed != 1;
        }
        lowering.operator(Scale::Observed, move |site| {
            let [from, to] = [site.inputs[0].scale, site.output.scale];
            let sum = ops::Mean::for_scales(over, from, to, 1).map(OperatorKind::Mean);
            sum.ok_or_else(|| misfit(format!("scales {from} and {to} of a sum are out of range")))
        })
    }

    fn scratch(&self, inputs: &[&Shape], output: &Shape) -> usize {
        if loops::is_suffix(output, inputs[0]) { channels::sum_scratch(output.elements()) } else { 0 }
    }
}
