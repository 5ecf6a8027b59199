//! Dimensions in another order.

use ackermann_core::blob::write::OperatorKind;
use ackermann_core::ops;

use super::{Io, Operator, exactly, loops, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::{Lowering, Scale};

/// Dimension `i` of the output is dimension `order[i]` of the input (NumPy's `transpose`).
#[derive(Debug, Clone, PartialEq)]
pub struct Transpose {
    /// A permutation of the dimensions.
    pub order: Vec<usize>,
}

impl Operator for Transpose {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x] = exactly(inputs)?;
        let mut sorted = self.order.clone();
        sorted.sort_unstable();
        if sorted.iter().copied().eq(0..x.len()) {
            Ok(self.order.iter().map(|axis| x[*axis]).collect::<Vec<_>>().into())
        } else {
            Err(misfit(format!("{:?} is no order of the dimensions of {x}", self.order)))
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let x = io.inputs[0];
        let stride = |axis: usize| loops::stride(x.shape, self.order[axis]);
        loops::for_each_pair(io.shape, stride, |to, from| io.output[to] = x.data[from]);
    }

    fn gradient(&self, graph: &mut Graph, _node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let mut order = vec![0; self.order.len()];
        self.order.iter().enumerate().for_each(|(to, from)| order[*from] = to);
        Ok(vec![Some(graph.push(Self { order }, &[upstream])?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let mut order = [0, 1, 2, 3];
        for (at, from) in self.order.iter().enumerate() {
            order[lowering.axis(at)?] = lowering.axis(*from)?;
        }
        lowering.operator(Scale::OfInputs, move |_| Ok(OperatorKind::Transpose(ops::Transpose { order })))
    }
}
