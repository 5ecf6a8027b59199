//! Mean and variance of each channel over a batch: the measuring half of batch normalization.

use super::{Io, Operator, Row, channels, exactly, misfit};
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
        let share = channels as f64 / x.len() as f64;
        let (shift, partial) = io.scratch.split_at_mut(channels::row(channels));
        // Sums of the differences to the first pixel: one pass, and no digits are lost where the mean is far from zero.
        channels::fill(shift, channels, |c| x[c]);
        let shift = &*shift;
        let (mean, variance) = io.output.split_at_mut(channels);
        channels::sums([x, x], [&mut *mean, &mut *variance], shift, partial, |x, _, shift| {
            [x - shift, (x - shift) * (x - shift)]
        });
        for ((mean, variance), shift) in mean.iter_mut().zip(variance).zip(shift) {
            let (first, second) = (mean.to_f64() * share, variance.to_f64() * share);
            *mean = T::of(shift.to_f64() + first);
            // Not `max`, which would make 0 of NaN: a loss that is not finite must show.
            let spread = second - first * first;
            *variance = T::of(if spread < 0.0 { 0.0 } else { spread });
        }
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
        channels::row(output[1]) + channels::sums_scratch(output[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Executor, Params};

    #[test]
    fn what_is_no_number_stays_none() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for place in [0, 7, 998] {
                let mut graph = Graph::new();
                let x = graph.input("x", [500, 2]);
                let stats = graph.push(BatchStats, &[x]).unwrap();
                let mut executor = Executor::<f32>::new(&graph, &[stats]);
                executor.input_mut(x).iter_mut().enumerate().for_each(|(at, value)| *value = (at % 5) as f32);
                executor.input_mut(x)[place] = bad;
                executor.run(&Params::new()).unwrap();
                let (own, other) = (place % 2, 1 - place % 2);
                let found = executor.value(stats);
                assert!(!found[own].is_finite() && !found[2 + own].is_finite(), "{bad} at {place}: {found:?}");
                assert!(found[other].is_finite() && found[2 + other] > 0.0, "{bad} at {place}: {found:?}");
            }
        }
    }
}
