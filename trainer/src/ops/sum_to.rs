//! Sums over dimensions: the transpose of broadcasting, the gradient of biases, the end of every loss.

use rayon::prelude::*;

use super::chunks::{CHUNKS, per_chunk};
use super::{Io, Operator, exactly, loops, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};

/// The input summed to `shape`, which must broadcast back to the input's shape.
#[derive(Debug, Clone, PartialEq)]
pub struct SumTo {
    /// The shape of the sums.
    pub shape: Shape,
}

impl Operator for SumTo {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x] = exactly(inputs)?;
        loops::broadcast_strides(&self.shape, x)
            .map(|_| self.shape.clone())
            .ok_or_else(|| misfit(format!("shape {x} cannot be summed to {}", self.shape)))
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let x = io.inputs[0];
        let len = io.output.len();
        if loops::is_suffix(&self.shape, x.shape) {
            return sum_rows(x.data, len, io.output, &mut io.scratch[..len * CHUNKS]);
        }
        io.output.fill(T::ZERO);
        let strides = loops::broadcast_strides(&self.shape, x.shape).unwrap_or_default();
        loops::for_each_pair(x.shape, &strides, |big, small| io.output[small] += x.data[big]);
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let shape = graph.shape(graph.node(node).inputs[0]).clone();
        Ok(vec![Some(graph.broadcast(upstream, &shape)?)])
    }

    fn scratch(&self, _inputs: &[&Shape], output: &Shape) -> usize {
        output.elements() * CHUNKS
    }
}

/// Sums rows of `len` elements; a fixed number of partial sums makes the result independent of the threads.
fn sum_rows<T: Real>(data: &[T], len: usize, out: &mut [T], partial: &mut [T]) {
    let rows = per_chunk(data.len() / len.max(1));
    partial.fill(T::ZERO);
    partial.par_chunks_mut(len.max(1)).zip(data.par_chunks(rows * len.max(1))).for_each(|(sum, piece)| {
        for row in piece.chunks_exact(len) {
            sum.iter_mut().zip(row).for_each(|(s, &v)| *s += v);
        }
    });
    out.fill(T::ZERO);
    for sum in partial.chunks_exact(len.max(1)) {
        out.iter_mut().zip(sum).for_each(|(o, &s)| *o += s);
    }
}
