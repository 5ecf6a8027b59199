//! Logarithms of the shares of exponentials, without the shares: exact where those round to 0.

use super::{Function, Io, Operator, Softmax, chunks};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};

/// `y[i] = x[i] - ln(sum over the last dimension of e^x)`.
#[derive(Debug, Clone, PartialEq)]
pub struct LogSoftmax;

impl Operator for LogSoftmax {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        Softmax.shape(inputs)
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let row = io.shape.last().copied().unwrap_or(1);
        chunks::rows(io.inputs[0].data, io.output, row, |x, y| {
            let whole = log_sum_exp(x);
            y.iter_mut().zip(x).for_each(|(y, &x)| *y = x - whole);
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        // dx = v - e^y (sum of v over the row).
        let rows = graph.shape(node).of_rows();
        let shares = graph.apply(Function::Exp, node)?;
        let sum = graph.sum_to(upstream, &rows)?;
        let taken = graph.mul(shares, sum)?;
        Ok(vec![Some(graph.sub(upstream, taken)?)])
    }
}

/// `ln(sum of e^x)`, from the largest `x` so that nothing overflows.
pub(super) fn log_sum_exp<T: Real>(x: &[T]) -> T {
    let largest = x.iter().copied().fold(x[0], |a, b| if b > a { b } else { a });
    largest + x.iter().map(|&x| (x - largest).exp()).sum::<T>().ln()
}
