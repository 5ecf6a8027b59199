//! Batch normalization in training (Ioffe and Szegedy 2015): statistics of the batch itself.

use rayon::prelude::*;

use super::batch_stats::sum_channels;
use super::chunks::{CHUNKS, per_chunk};
use super::{Io, Operator, Row, batch_norm_second, exactly, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};

/// Rows of one parallel piece.
const ROWS: usize = 512;

/// Inputs `x [.., c], stats [2, c], gamma [c], beta [c]`, where `stats` must be [`super::BatchStats`] of `x`:
/// `y = gamma (x - mean) / sqrt(variance + epsilon) + beta` per channel.
///
/// The gradient with respect to `x` includes the way through `stats`, which gets none of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchNormTrain {
    /// Keeps the division away from zero.
    pub epsilon: f64,
}

/// Inputs `x [.., c], stats [2, c], dy`: `[2, c]`, the gradients of `beta` and of `gamma`.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchNormSums {
    /// As in [`BatchNormTrain`].
    pub epsilon: f64,
}

/// Inputs `x, stats, gamma, dy` and the [`BatchNormSums`] of them: the gradient of `x`.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchNormGrad {
    /// As in [`BatchNormTrain`].
    pub epsilon: f64,
}

fn check(x: &Shape, stats: &Shape) -> Result<()> {
    match x.last() {
        Some(&channels) if stats.dims() == [2, channels] && x.elements() > 0 => Ok(()),
        _ => Err(misfit(format!("statistics {stats} do not belong to {x}"))),
    }
}

/// `1 / sqrt(variance + epsilon)` of each channel into `out`; returns the means.
fn standardize<'a, T: Real>(stats: &'a [T], epsilon: f64, out: &mut [T]) -> &'a [T] {
    let (mean, variance) = stats.split_at(stats.len() / 2);
    out.iter_mut().zip(variance).for_each(|(o, &v)| *o = T::ONE / (v + T::of(epsilon)).sqrt());
    mean
}

impl Operator for BatchNormTrain {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x, stats, gamma, beta] = exactly(inputs)?;
        check(x, stats)?;
        if gamma.dims() == [stats[1]] && beta == gamma {
            Ok(x.clone())
        } else {
            Err(misfit(format!("gamma {gamma} and beta {beta} for the channels of {x}")))
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [x, stats, gamma, beta] = [0, 1, 2, 3].map(|i| io.inputs[i].data);
        let channels = gamma.len();
        let (scale, offset) = io.scratch[..2 * channels].split_at_mut(channels);
        let mean = standardize(stats, self.epsilon, scale);
        for c in 0..channels {
            scale[c] = scale[c] * gamma[c];
            offset[c] = beta[c] - mean[c] * scale[c];
        }
        let (scale, offset) = (&*scale, &*offset);
        let piece = ROWS * channels;
        io.output.par_chunks_mut(piece).zip(x.par_chunks(piece)).for_each(|(y, x)| {
            for (y, x) in y.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
                let affine = scale.iter().zip(offset);
                y.iter_mut().zip(x).zip(affine).for_each(|((y, &x), (&s, &o))| *y = x * s + o);
            }
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let inputs = graph.node(node).inputs.clone();
        let (x, stats, gamma) = (inputs[0], inputs[1], inputs[2]);
        let epsilon = self.epsilon;
        let sums = graph.push(BatchNormSums { epsilon }, &[x, stats, upstream])?;
        let dx = graph.push(BatchNormGrad { epsilon }, &[x, stats, gamma, upstream, sums])?;
        let dbeta = graph.push(Row { row: 0 }, &[sums])?;
        let dgamma = graph.push(Row { row: 1 }, &[sums])?;
        Ok(vec![Some(dx), None, Some(dgamma), Some(dbeta)])
    }

    fn scratch(&self, inputs: &[&Shape], _output: &Shape) -> usize {
        inputs[1].elements()
    }
}

impl Operator for BatchNormSums {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x, stats, dy] = exactly(inputs)?;
        check(x, stats)?;
        if dy == x { Ok(stats.clone()) } else { Err(misfit(format!("gradient {dy} does not belong to {x}"))) }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [x, stats, dy] = [0, 1, 2].map(|i| io.inputs[i].data);
        let channels = io.shape[1];
        let (rstd, rest) = io.scratch.split_at_mut(channels);
        let mean = standardize(stats, self.epsilon, rstd);
        let (dbeta, dgamma) = io.output.split_at_mut(channels);
        let partial = &mut rest[..channels * CHUNKS];
        sum_channels(dy, dbeta, partial, |sum, row| sum.iter_mut().zip(row).for_each(|(s, &d)| *s += d));
        sum_products(x, dy, mean, dgamma, partial);
        dgamma.iter_mut().zip(&*rstd).for_each(|(g, &r)| *g = *g * r);
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        batch_norm_second::of_sums(graph, node, upstream, self.epsilon)
    }

    fn scratch(&self, inputs: &[&Shape], _output: &Shape) -> usize {
        inputs[1].elements() / 2 * (CHUNKS + 1)
    }
}

/// `out[c] = sum of dy (x - mean[c])` over rows, in a fixed number of partial sums.
fn sum_products<T: Real>(x: &[T], dy: &[T], mean: &[T], out: &mut [T], partial: &mut [T]) {
    let channels = mean.len();
    let piece = per_chunk(x.len() / channels) * channels;
    partial.fill(T::ZERO);
    let work = x.par_chunks(piece).zip(dy.par_chunks(piece));
    partial.par_chunks_mut(channels).zip(work).for_each(|(sum, (x, dy))| {
        for (x, dy) in x.chunks_exact(channels).zip(dy.chunks_exact(channels)) {
            let products = x.iter().zip(dy).zip(mean);
            sum.iter_mut().zip(products).for_each(|(s, ((&x, &d), &m))| *s += d * (x - m));
        }
    });
    out.fill(T::ZERO);
    for sum in partial.chunks_exact(channels) {
        out.iter_mut().zip(sum).for_each(|(o, &s)| *o += s);
    }
}

impl Operator for BatchNormGrad {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x, stats, gamma, dy, sums] = exactly(inputs)?;
        check(x, stats)?;
        if dy == x && sums == stats && gamma.dims() == [stats[1]] {
            Ok(x.clone())
        } else {
            Err(misfit(format!("gradient {dy} does not belong to {x}")))
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [x, stats, gamma, dy, sums] = [0, 1, 2, 3, 4].map(|i| io.inputs[i].data);
        let channels = gamma.len();
        let share = T::of(channels as f64 / x.len() as f64);
        let (rstd, slope) = io.scratch[..2 * channels].split_at_mut(channels);
        let mean = standardize(stats, self.epsilon, rstd);
        let (dbeta, dgamma) = sums.split_at(channels);
        for c in 0..channels {
            slope[c] = dgamma[c] * rstd[c] * share;
        }
        let (rstd, slope) = (&*rstd, &*slope);
        let piece = ROWS * channels;
        let work = x.par_chunks(piece).zip(dy.par_chunks(piece));
        io.output.par_chunks_mut(piece).zip(work).for_each(|(dx, (x, dy))| {
            for (dx, (x, dy)) in
                dx.chunks_exact_mut(channels).zip(x.chunks_exact(channels).zip(dy.chunks_exact(channels)))
            {
                for c in 0..channels {
                    dx[c] = gamma[c] * rstd[c] * (dy[c] - dbeta[c] * share - (x[c] - mean[c]) * slope[c]);
                }
            }
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        batch_norm_second::of_input(graph, node, upstream, self.epsilon)
    }

    fn scratch(&self, inputs: &[&Shape], _output: &Shape) -> usize {
        inputs[1].elements()
    }
}
