//! Which values a float network takes on real frames: the ranges and means that int8 is fitted to.

use serde::{Deserialize, Serialize};

use super::program::Program;
use crate::Result;
use crate::data::FrameSet;
use crate::graph::{Executor, Params};
use crate::nn::Built;

/// How a range is made of the values seen.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ranges {
    /// From the smallest to the largest.
    #[default]
    MinMax,
    /// Without the outermost values: this percentage of them, for example 99.99, is inside (the network's output is always
    /// taken whole).
    Percentile(f32),
}

/// What was seen of one value (the input, or the output of a step).
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Smallest.
    pub low: f32,
    /// Largest.
    pub high: f32,
    /// Mean of each element of a sample.
    pub mean: Vec<f32>,
}

const BINS: usize = 2048;

/// Indices of at most `count` frames, evenly spread.
pub fn spread(frames: usize, count: usize) -> Vec<usize> {
    let count = count.min(frames);
    (0..count).map(|i| i * frames / count.max(1)).collect()
}

/// A pixel as the networks see it.
pub fn real(pixel: u8) -> f32 {
    (f32::from(pixel) - 128.0) / 128.0
}

/// Runs `built` (any batch size) on the frames `indices` and calls `visit` for each sample and each value of `program`:
/// its number, its values for that sample.
pub fn run(
    built: &Built,
    program: &Program,
    params: &Params,
    (frames, indices): (&FrameSet, &[usize]),
    mut visit: impl FnMut(usize, usize, &[f32]),
) -> Result<()> {
    let nodes: Vec<_> = std::iter::once(built.input).chain(program.steps.iter().map(|step| step.node)).collect();
    let mut executor = Executor::<f32>::new(&built.graph, &nodes);
    let batch = built.graph.shape(built.input).first().copied().unwrap_or(1).max(1);
    for (group, chunk) in indices.chunks(batch).enumerate() {
        let input = executor.input_mut(built.input);
        for (slot, &frame) in input.chunks_mut(frames.height * frames.width * 3).zip(chunk) {
            slot.iter_mut().zip(frames.frame(frame)).for_each(|(x, pixel)| *x = real(*pixel));
        }
        executor.run(params)?;
        for (number, node) in nodes.iter().enumerate() {
            let values = executor.value(*node);
            for (sample, values) in values.chunks(values.len() / batch).take(chunk.len()).enumerate() {
                visit(group * batch + sample, number, values);
            }
        }
    }
    Ok(())
}

/// Observes every value of `program` on these frames.
pub fn observe(
    built: &Built,
    program: &Program,
    params: &Params,
    samples: (&FrameSet, &[usize]),
    ranges: Ranges,
) -> Result<Vec<Seen>> {
    let mut seen: Vec<Seen> = Vec::new();
    run(built, program, params, samples, |_, number, values| {
        if seen.len() <= number {
            seen.push(Seen { low: f32::INFINITY, high: f32::NEG_INFINITY, mean: vec![0.0; values.len()] });
        }
        let value = &mut seen[number];
        value.low = values.iter().copied().fold(value.low, f32::min);
        value.high = values.iter().copied().fold(value.high, f32::max);
        value.mean.iter_mut().zip(values).for_each(|(mean, x)| *mean += x);
    })?;
    let count = samples.1.len().max(1) as f32;
    seen.iter_mut().flat_map(|value| &mut value.mean).for_each(|mean| *mean /= count);
    if let Ranges::Percentile(inside) = ranges {
        cut_tails(built, program, params, samples, inside, &mut seen)?;
    }
    Ok(seen)
}

/// Moves the ends of every range but the output's inwards until the given percentage of the values is inside.
fn cut_tails(
    built: &Built,
    program: &Program,
    params: &Params,
    samples: (&FrameSet, &[usize]),
    inside: f32,
    seen: &mut [Seen],
) -> Result<()> {
    let mut histograms = vec![[0u64; BINS]; seen.len()];
    run(built, program, params, samples, |_, number, values| {
        let Seen { low, high, .. } = seen[number];
        let bins = BINS as f32 / (high - low).max(f32::MIN_POSITIVE);
        for value in values {
            histograms[number][(((value - low) * bins) as usize).min(BINS - 1)] += 1;
        }
    })?;
    let output = seen.len() - 1;
    for (value, histogram) in seen[..output].iter_mut().zip(&histograms) {
        let total: u64 = histogram.iter().sum();
        let outside = (total as f64 * f64::from(100.0 - inside.clamp(50.0, 100.0)) / 200.0) as u64;
        let width = (value.high - value.low) / BINS as f32;
        let (below, above) = (tail(histogram.iter(), outside), tail(histogram.iter().rev(), outside));
        (value.low, value.high) = (value.low + width * below as f32, value.high - width * above as f32);
    }
    Ok(())
}

/// How many bins from this end hold no more than `outside` values together.
fn tail<'h>(bins: impl Iterator<Item = &'h u64>, outside: u64) -> usize {
    let mut sum = 0;
    bins.take_while(|count| {
        sum += **count;
        sum <= outside
    })
    .count()
}
