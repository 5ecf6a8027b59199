//! Mean over some dimensions.

use ackermann_core::blob::write::OperatorKind;
use ackermann_core::ops;

use super::{Io, Operator, exactly, loops, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::{Lowering, Scale};

/// The mean over the dimensions `axes`, which stay as 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Mean {
    /// The dimensions, in any order, each once.
    pub axes: Vec<usize>,
}

impl Mean {
    fn count(&self, x: &Shape) -> usize {
        self.axes.iter().map(|axis| x[*axis]).product()
    }
}

impl Operator for Mean {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x] = exactly(inputs)?;
        x.reduced(&self.axes)
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let x = io.inputs[0];
        let share = T::of(1.0 / self.count(x.shape).max(1) as f64);
        loops::sum(x.data, x.shape, io.output, io.shape);
        io.output.iter_mut().for_each(|sum| *sum = *sum * share);
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let x = graph.shape(graph.node(node).inputs[0]).clone();
        let shared = graph.affine(upstream, 1.0 / self.count(&x).max(1) as f64, 0.0)?;
        Ok(vec![Some(graph.broadcast(shared, &x)?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let mut over = [false; 4];
        for axis in &self.axes {
            over[lowering.axis(*axis)?] = true;
        }
        let count = self.count(&lowering.input_shape());
        lowering.operator(Scale::Observed, move |site| {
            let [from, to] = [site.inputs[0].scale, site.output.scale];
            let mean = ops::Mean::for_scales(over, from, to, count).map(OperatorKind::Mean);
            mean.ok_or_else(|| misfit(format!("scales {from} and {to} with {count} values in a mean are out of range")))
        })
    }
}
