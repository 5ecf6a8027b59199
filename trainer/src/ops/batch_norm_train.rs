//! Batch normalization in training (Ioffe and Szegedy 2015): statistics of the batch itself.

use super::{Io, Operator, Row, batch_norm_second, channels, exactly, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};

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

/// `1 / sqrt(variance + epsilon)` of a channel.
fn reciprocal<T: Real>(stats: &[T], channel: usize, epsilon: f64) -> T {
    T::ONE / (stats[stats.len() / 2 + channel] + T::of(epsilon)).sqrt()
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
        let (scale, offset) = io.scratch[..2 * channels::row(channels)].split_at_mut(channels::row(channels));
        let (mean, _) = stats.split_at(channels);
        let factor = |c: usize| gamma[c] * reciprocal(stats, c, self.epsilon);
        channels::fill(scale, channels, factor);
        channels::fill(offset, channels, |c| beta[c] - mean[c] * factor(c));
        channels::map(io.output, [x, x], [&*scale, &*offset], |x, _, [scale, offset]| x * scale + offset);
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
        2 * channels::row(inputs[1][1])
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
        let (mean, partial) = io.scratch.split_at_mut(channels::row(channels));
        channels::fill(mean, channels, |c| stats[c]);
        let (dbeta, dgamma) = io.output.split_at_mut(channels);
        channels::sums([x, dy], [dbeta, &mut *dgamma], mean, partial, |x, dy, mean| [dy, dy * (x - mean)]);
        dgamma.iter_mut().enumerate().for_each(|(c, g)| *g = *g * reciprocal(stats, c, self.epsilon));
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        batch_norm_second::of_sums(graph, node, upstream, self.epsilon)
    }

    fn scratch(&self, inputs: &[&Shape], _output: &Shape) -> usize {
        channels::row(inputs[1][1]) + channels::sums_scratch(inputs[1][1])
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
        let (channels, row) = (gamma.len(), channels::row(gamma.len()));
        let share = T::of(channels as f64 / x.len() as f64);
        let (mean, (dbeta, dgamma)) = (&stats[..channels], sums.split_at(channels));
        // dx = gamma rstd (dy - dbeta share - (x - mean) slope), by powers of x and dy.
        let slope = |c: usize| dgamma[c] * reciprocal(stats, c, self.epsilon) * share;
        let factor = |c: usize| gamma[c] * reciprocal(stats, c, self.epsilon);
        let (of_dy, rest) = io.scratch[..3 * row].split_at_mut(row);
        let (of_x, offset) = rest.split_at_mut(row);
        channels::fill(of_dy, channels, factor);
        channels::fill(of_x, channels, |c| -(factor(c) * slope(c)));
        channels::fill(offset, channels, |c| factor(c) * (mean[c] * slope(c) - dbeta[c] * share));
        let constants = [&*of_dy, &*of_x, &*offset];
        channels::map(io.output, [x, dy], constants, |x, dy, [of_dy, of_x, offset]| dy * of_dy + (x * of_x + offset));
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        batch_norm_second::of_input(graph, node, upstream, self.epsilon)
    }

    fn scratch(&self, inputs: &[&Shape], _output: &Shape) -> usize {
        3 * channels::row(inputs[1][1])
    }
}
