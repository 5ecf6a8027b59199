//! Which values a float network takes on real frames: the ranges and means that int8 is fitted to.

use serde::{Deserialize, Serialize};

use super::histogram::Histogram;
use super::program::{FloatGraph, Program};
use crate::Result;
use crate::data::Samples;
use crate::graph::Executor;

/// How a range is made of the values seen. The network's output is always taken whole.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observer {
    /// From the smallest to the largest.
    #[default]
    MinMax,
    /// Without the outermost values: this percentage of them, for example 99.99, is inside.
    Percentile(f32),
    /// Where the expected squared error of rounding and cutting off is least.
    Mse,
    /// Where the divergence of the 8-bit distribution is least (Migacz 2017).
    Entropy,
}

impl std::fmt::Display for Observer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::MinMax => f.write_str("minmax"),
            Self::Percentile(inside) => write!(f, "percentile {inside}"),
            Self::Mse => f.write_str("mse"),
            Self::Entropy => f.write_str("entropy"),
        }
    }
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
    /// Largest magnitude of each element.
    pub peak: Vec<f32>,
    /// How often it took which values, where that was asked for.
    pub histogram: Option<Histogram>,
}

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
pub trait Inputs {
    /// How many samples there are.
    fn count(&self) -> usize;

    /// Writes input number `input` of sample `sample`.
    fn fill(&self, sample: usize, input: usize, values: &mut [f32]);
}

/// Some samples of a source, by their indices, as recorded.
#[derive(Clone, Copy)]
pub struct Recorded<'a>(pub &'a dyn Samples, pub &'a [usize]);

impl Inputs for Recorded<'_> {
    fn count(&self) -> usize {
        self.1.len()
    }

    fn fill(&self, sample: usize, _input: usize, values: &mut [f32]) {
        let mut target = vec![0.0; self.0.target().values()];
        self.0.write(self.1[sample], None, values, &mut target);
    }
}

/// Runs `float` (any batch size) on the samples and calls `visit` for each sample and each value of `program`:
/// its number, its values for that sample.
pub fn run(
    float: &FloatGraph,
    program: &Program,
    samples: &dyn Inputs,
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

/// Observes every value of `program` on these samples; the ranges are whole. With `histograms` an [`Observer`] can narrow them.
pub fn observe(float: &FloatGraph, program: &Program, samples: &dyn Inputs, histograms: bool) -> Result<Vec<Seen>> {
    let mut seen: Vec<Seen> = Vec::new();
    run(float, program, samples, |_, number, values| {
        if seen.len() <= number {
            seen.push(Seen::nothing(values.len()));
        }
        seen[number].add(values);
    })?;
    let count = samples.count().max(1) as f32;
    seen.iter_mut().flat_map(|value| &mut value.mean).for_each(|mean| *mean /= count);
    if histograms {
        seen.iter_mut().for_each(|value| value.histogram = Some(Histogram::new(value.low, value.high)));
        run(float, program, samples, |_, number, values| {
            seen[number].histogram.iter_mut().for_each(|histogram| histogram.add(values));
        })?;
    }
    Ok(seen)
}

/// Observes with whole ranges, then narrows them as `observer` says.
pub fn observe_by(
    float: &FloatGraph,
    program: &Program,
    samples: &dyn Inputs,
    observer: Observer,
) -> Result<Vec<Seen>> {
    let mut seen = observe(float, program, samples, observer != Observer::MinMax)?;
    narrow(&mut seen, program, observer);
    Ok(seen)
}

/// Makes the ranges of all values but the outputs those of `observer`, where there are histograms.
pub fn narrow(seen: &mut [Seen], program: &Program, observer: Observer) {
    for (_, value) in seen.iter_mut().enumerate().filter(|(value, _)| !program.outputs.contains(value)) {
        // Nothing but zeros has no better range; one that is not finite is reported later, with the layer's name.
        let usable = (value.high - value.low).is_finite() && (value.low, value.high) != (0.0, 0.0);
        let Some(histogram) = value.histogram.as_ref().filter(|_| usable) else { continue };
        (value.low, value.high) = match observer {
            Observer::MinMax => continue,
            Observer::Percentile(inside) => histogram.percentile(inside),
            Observer::Mse => histogram.least_squares(),
            Observer::Entropy => histogram.least_divergence(),
        };
    }
}

impl Seen {
    /// Nothing yet, of a value with so many elements.
    fn nothing(elements: usize) -> Self {
        Self {
            low: f32::INFINITY,
            high: f32::NEG_INFINITY,
            mean: vec![0.0; elements],
            peak: vec![0.0; elements],
            histogram: None,
        }
    }

    /// A range alone.
    pub fn range(low: f32, high: f32) -> Self {
        Self { low, high, ..Self::nothing(0) }
    }

    fn add(&mut self, values: &[f32]) {
        self.low = values.iter().copied().fold(self.low, f32::min);
        self.high = values.iter().copied().fold(self.high, f32::max);
        self.mean.iter_mut().zip(values).for_each(|(mean, x)| *mean += x);
        self.peak.iter_mut().zip(values).for_each(|(peak, x)| *peak = peak.max(x.abs()));
    }
}
