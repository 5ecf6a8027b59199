//! Which values a float network takes on real frames: the ranges and means that int8 is fitted to.

use serde::{Deserialize, Serialize};

use super::program::{FloatGraph, Program};
use crate::Result;
use crate::data::FrameSet;
use crate::graph::Executor;

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

/// What a float network is run on.
pub trait Samples {
    /// How many samples there are.
    fn count(&self) -> usize;

    /// Writes input number `input` of sample `sample`.
    fn fill(&self, sample: usize, input: usize, values: &mut [f32]);
}

/// Some frames of a set, by their indices.
#[derive(Debug, Clone, Copy)]
pub struct Frames<'a>(pub &'a FrameSet, pub &'a [usize]);

impl Samples for Frames<'_> {
    fn count(&self) -> usize {
        self.1.len()
    }

    fn fill(&self, sample: usize, _input: usize, values: &mut [f32]) {
        values.iter_mut().zip(self.0.frame(self.1[sample])).for_each(|(x, pixel)| *x = real(*pixel));
    }
}

/// Runs `float` (any batch size) on the samples and calls `visit` for each sample and each value of `program`:
/// its number, its values for that sample.
pub fn run(
    float: &FloatGraph,
    program: &Program,
    samples: &dyn Samples,
    mut visit: impl FnMut(usize, usize, &[f32]),
) -> Result<()> {
    let nodes = program.nodes();
    let mut executor = Executor::<f32>::new(&float.graph, &nodes);
    let (batch, count) = (float.batch(), samples.count());
    for first in (0..count).step_by(batch) {
        let present = batch.min(count - first);
        for (number, input) in float.inputs.iter().enumerate() {
            let values = executor.input_mut(*input);
            let length = values.len() / batch;
            for (slot, values) in values.chunks_mut(length.max(1)).take(present).enumerate() {
                samples.fill(first + slot, number, values);
            }
        }
        executor.run(&float.params)?;
        for (number, node) in nodes.iter().enumerate() {
            let values = executor.value(*node);
            for (slot, values) in values.chunks((values.len() / batch).max(1)).take(present).enumerate() {
                visit(first + slot, number, values);
            }
        }
    }
    Ok(())
}

/// Observes every value of `program` on these samples.
pub fn observe(float: &FloatGraph, program: &Program, samples: &dyn Samples, ranges: Ranges) -> Result<Vec<Seen>> {
    let mut seen: Vec<Seen> = Vec::new();
    run(float, program, samples, |_, number, values| {
        if seen.len() <= number {
            seen.push(Seen { low: f32::INFINITY, high: f32::NEG_INFINITY, mean: vec![0.0; values.len()] });
        }
        let value = &mut seen[number];
        value.low = values.iter().copied().fold(value.low, f32::min);
        value.high = values.iter().copied().fold(value.high, f32::max);
        value.mean.iter_mut().zip(values).for_each(|(mean, x)| *mean += x);
    })?;
    let count = samples.count().max(1) as f32;
    seen.iter_mut().flat_map(|value| &mut value.mean).for_each(|mean| *mean /= count);
    if let Ranges::Percentile(inside) = ranges {
        cut_tails(float, program, samples, inside, &mut seen)?;
    }
    Ok(seen)
}

/// Moves the ends of every range but the output's inwards until the given percentage of the values is inside.
fn cut_tails(
    float: &FloatGraph,
    program: &Program,
    samples: &dyn Samples,
    inside: f32,
    seen: &mut [Seen],
) -> Result<()> {
    let mut histograms = vec![[0u64; BINS]; seen.len()];
    run(float, program, samples, |_, number, values| {
        let Seen { low, high, .. } = seen[number];
        let bins = BINS as f32 / (high - low).max(f32::MIN_POSITIVE);
        for value in values {
            histograms[number][(((value - low) * bins) as usize).min(BINS - 1)] += 1;
        }
    })?;
    let inner = seen.iter_mut().zip(&histograms).enumerate().filter(|(value, _)| !program.outputs.contains(value));
    for (_, (value, histogram)) in inner {
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
