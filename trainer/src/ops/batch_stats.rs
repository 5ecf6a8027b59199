//! Mean and variance of each channel over a batch: the measuring half of batch normalization.

use rayon::prelude::*;

use super::chunks::{CHUNKS, per_chunk};
use super::{Io, Operator, Row, exactly, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};

/// Input `x [.., c]`: `[2, c]`, the mean of each channel and below it the (biased) variance.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchStats;

impl Operator for BatchStats {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x] = exactly(inputs)?;
        match x.last() {
            Some(&channels) if x.elements() > 0 => Ok([2, channels].into()),
            _ => Err(misfit(format!("shape {x} has no channels to take statistics of"))),
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let (x, channels) = (io.inputs[0].data, io.shape[1]);
        let share = T::of(channels as f64 / x.len() as f64);
        let partial = &mut io.scratch[..channels * CHUNKS];
        let (mean, variance) = io.output.split_at_mut(channels);
        sum_channels(x, mean, partial, |sum, row| sum.iter_mut().zip(row).for_each(|(s, &x)| *s += x));
        mean.iter_mut().for_each(|m| *m = *m * share);
        let mean = &*mean;
        sum_channels(x, variance, partial, |sum, row| {
            sum.iter_mut().zip(row.iter().zip(mean)).for_each(|(s, (&x, &m))| *s += (x - m) * (x - m));
        });
        variance.iter_mut().for_each(|v| *v = *v * share);
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        // dx = (dmean + 2 (x - mean) dvariance) / count.
        let x = graph.node(node).inputs[0];
        let count = graph.shape(x).elements() / graph.shape(node)[1];
        let mean = graph.push(Row { row: 0 }, &[node])?;
        let [dmean, dvariance] = [graph.push(Row { row: 0 }, &[upstream])?, graph.push(Row { row: 1 }, &[upstream])?];
        let centred = graph.sub(x, mean)?;
        let slope = graph.affine(dvariance, 2.0, 0.0)?;
        let spread = graph.mul(centred, slope)?;
        let sum = graph.add(spread, dmean)?;
        Ok(vec![Some(graph.affine(sum, 1.0 / count as f64, 0.0)?)])
    }

    fn scratch(&self, _inputs: &[&Shape], output: &Shape) -> usize {
        output.elements() / 2 * CHUNKS
    }
}

/// Adds up rows of `x` with `add`, in a fixed number of partial sums that are joined in order.
pub(super) fn sum_channels<T: Real>(x: &[T], out: &mut [T], partial: &mut [T], add: impl Fn(&mut [T], &[T]) + Sync) {
    let channels = out.len();
    let rows = per_chunk(x.len() / channels);
    partial.fill(T::ZERO);
    partial.par_chunks_mut(channels).zip(x.par_chunks(rows * channels)).for_each(|(sum, piece)| {
        piece.chunks_exact(channels).for_each(|row| add(sum, row));
    });
    out.fill(T::ZERO);
    for sum in partial.chunks_exact(channels) {
        out.iter_mut().zip(sum).for_each(|(o, &s)| *o += s);
    }
}
