//! Which element is the largest.

use ackermann_core::blob::write::OperatorKind;
use ackermann_core::ops;

use super::{Io, Operator, exactly, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::{Lowering, Scale};

/// The index of the largest (or smallest) element along `axis`, which stays as 1; the first of equals. What is not a number wins,
/// as in PyTorch. Has derivative zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Argmax {
    /// The dimension.
    pub axis: usize,
    /// The smallest instead of the largest.
    pub smallest: bool,
}

impl Operator for Argmax {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x] = exactly(inputs)?;
        if x.elements() == 0 { Err(misfit(format!("a tensor {x} is empty"))) } else { x.reduced(&[self.axis]) }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let x = io.inputs[0];
        let (length, inner) = (x.shape[self.axis], x.shape[self.axis + 1..].iter().product::<usize>());
        let better = |a: T, b: T| if self.smallest { a < b } else { a > b };
        let wins = |a: T, b: T| better(a, b) || a.to_f64().is_nan() && !b.to_f64().is_nan();
        for (out, block) in io.output.chunks_exact_mut(inner).zip(x.data.chunks_exact(length * inner)) {
            for (at, out) in out.iter_mut().enumerate() {
                let pick = |best: usize, i: usize| {
                    if wins(block[i * inner + at], block[best * inner + at]) { i } else { best }
                };
                *out = T::of((0..length).fold(0, pick) as f64);
            }
        }
    }

    fn gradient(&self, _graph: &mut Graph, _node: NodeId, _upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        Ok(vec![None])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let argmax = ops::Argmax { axis: lowering.axis(self.axis)?, smallest: self.smallest };
        lowering.operator(Scale::Integers, move |_| Ok(OperatorKind::Argmax(argmax)))
    }
}
