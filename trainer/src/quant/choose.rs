//! Which way of quantizing a network comes nearest to float: all are tried on calibration samples.

use ackermann_core::blob::keys;
use ackermann_core::blob::write::Network as Int8Network;
use serde::Serialize;

use super::lower::lower_values;
use super::observe::{Inputs, Observer, Seen, narrow, observe, run};
use super::program::{FloatGraph, Program};
use super::sequences::{one_step, over_time};
use super::{Int8Predictor, assemble, equalize::equalize, for_this_machine};
use crate::Result;
use crate::graph::Params;

/// Observers that are tried.
const OBSERVERS: [Observer; 5] =
    [Observer::MinMax, Observer::Percentile(99.99), Observer::Percentile(99.9), Observer::Mse, Observer::Entropy];

/// What is wanted; `None` is tried both ways (all observers).
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// How ranges are made.
    pub observer: Option<Observer>,
    /// Whether the mean error of rounded weights is taken out of the biases.
    pub bias_correction: Option<bool>,
    /// Whether layers are equalized.
    pub equalize: Option<bool>,
}

/// One way of quantizing, and how near it came.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Trial {
    /// How ranges were made.
    #[serde(serialize_with = "name")]
    pub observer: Observer,
    /// Whether the mean error of rounded weights was taken out of the biases.
    pub bias_correction: bool,
    /// Whether layers were equalized.
    pub equalized: bool,
    /// Mean |int8 - float| of the outputs on the samples compared; `None` where there was nothing to choose.
    pub error: Option<f64>,
}

impl std::fmt::Display for Trial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let with = |yes: bool, what: &'static str| if yes { what } else { "" };
        let (corrected, equalized) =
            (with(self.bias_correction, ", biases corrected"), with(self.equalized, ", layers equalized"));
        write!(f, "{}{corrected}{equalized}", self.observer)
    }
}

fn name<S: serde::Serializer>(observer: &Observer, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_str(observer)
}

/// What was chosen.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// The network.
    pub int8: Int8Network,
    /// The tensor of each value of the program.
    pub tensors: Vec<u16>,
    /// Its parameters in float, equalized perhaps.
    pub params: Params,
}

/// What is quantized.
pub struct Subject {
    /// What is lowered. Of a network of sequences that is one step.
    pub float: FloatGraph,
    /// A network of sequences over whole ones, which its samples are, and their steps.
    pub whole: Option<(FloatGraph, usize)>,
}

/// A float network before and after equalization, observed.
struct Variant {
    float: FloatGraph,
    program: Program,
    /// The network over whole sequences, where samples are such.
    whole: Option<(FloatGraph, Program)>,
    seen: Vec<Seen>,
    equalized: bool,
}

impl Variant {
    /// Of `subject`, with other parameters if need be.
    fn new(subject: &Subject, params: Option<&Params>, calibration: &dyn Inputs, histograms: bool) -> Result<Self> {
        let of = |float: &FloatGraph| match params {
            Some(params) => FloatGraph { params: params.clone(), ..float.clone() },
            None => float.clone(),
        };
        let float = of(&subject.float);
        let program = Program::new(&float)?;
        let whole = subject.whole.as_ref().map(|(whole, _)| Ok((of(whole), over_time(&float, whole)?)));
        let variant = Self { float, program, whole: whole.transpose()?, seen: Vec::new(), equalized: params.is_some() };
        let (float, program) = variant.sampled();
        let mut seen = observe(float, program, calibration, histograms)?;
        super::quantize::finite(program, &seen)?;
        if variant.whole.is_some() {
            let nodes = variant.program.nodes().into_iter();
            let elements = nodes.map(|node| variant.float.graph.shape(node).elements());
            seen.iter_mut().zip(elements).for_each(|(value, elements)| one_step(value, elements));
        }
        Ok(Self { seen, ..variant })
    }

    /// What samples run through.
    fn sampled(&self) -> (&FloatGraph, &Program) {
        self.whole.as_ref().map_or((&self.float, &self.program), |(float, program)| (float, program))
    }

    /// Values of one sample.
    fn sample_len(&self) -> usize {
        let float = self.sampled().0;
        float.inputs.first().map_or(0, |input| float.graph.shape(*input).elements() / float.batch())
    }

    fn lowered(&self, observer: Observer, correct: bool, outputs: &dyn Fn(&mut Seen)) -> Result<Chosen> {
        let mut seen = self.seen.clone();
        narrow(&mut seen, &self.program, observer);
        for output in &self.program.outputs {
            outputs(&mut seen[*output]);
        }
        let (int8, tensors) = lower_values(&self.float, &self.program, Some(&seen), correct)?;
        Ok(Chosen { int8, tensors, params: self.float.params.clone() })
    }
}

/// Quantizes `subject` as `wanted`; where that leaves a choice, the one with the least error on `compared`. `outputs` may widen an output's range.
pub fn choose(
    subject: &Subject,
    calibration: &dyn Inputs,
    compared: &dyn Inputs,
    wanted: Wanted,
    outputs: &dyn Fn(&mut Seen),
) -> Result<(Chosen, Vec<Trial>)> {
    let histograms = wanted.observer != Some(Observer::MinMax);
    let plain = Variant::new(subject, None, calibration, histograms)?;
    let params =
        if wanted.equalize == Some(false) { None } else { equalize(&plain.float, &plain.program, &plain.seen) };
    let compared = Held::of(compared, plain.sample_len());
    let reference = reference(&plain, &compared)?;
    let variants = match params {
        None => vec![plain],
        Some(params) => {
            let equalized = Variant::new(subject, Some(&params), calibration, histograms)?;
            if wanted.equalize == Some(true) { vec![equalized] } else { vec![plain, equalized] }
        }
    };
    let observers = wanted.observer.map_or(OBSERVERS.to_vec(), |observer| vec![observer]);
    let corrections = wanted.bias_correction.map_or(vec![true, false], |correct| vec![correct]);
    let only = variants.len() * observers.len() * corrections.len() == 1;
    let steps: Vec<_> = subject.whole.iter().map(|(_, steps)| (keys::STEPS.into(), steps.to_string())).collect();
    let mut trials = Vec::new();
    let mut best: Option<(f64, Chosen)> = None;
    for variant in &variants {
        for &observer in &observers {
            for &bias_correction in &corrections {
                let mut made = variant.lowered(observer, bias_correction, outputs)?;
                made.int8.metadata.clone_from(&steps);
                let error = if only { None } else { Some(error(&mut made.int8, compared.values(), &reference)?) };
                trials.push(Trial { observer, bias_correction, equalized: variant.equalized, error });
                let found = error.unwrap_or(0.0);
                if best.as_ref().is_none_or(|(least, _)| found < *least) {
                    best = Some((found, made));
                }
            }
        }
    }
    // The best first; a tie goes to what was tried first.
    trials.sort_by(|a, b| a.error.unwrap_or(0.0).total_cmp(&b.error.unwrap_or(0.0)));
    let (_, chosen) = best.ok_or_else(|| crate::Error::usage("quantize", "nothing was asked for"))?;
    Ok((chosen, trials))
}

/// Samples of one input that were read once and are held in memory.
struct Held {
    length: usize,
    values: Vec<f32>,
}

impl Held {
    /// All of `samples`, of so many values each.
    fn of(samples: &dyn Inputs, length: usize) -> Self {
        let mut values = vec![0.0; length * samples.count()];
        values.chunks_mut(length.max(1)).enumerate().for_each(|(sample, values)| samples.fill(sample, 0, values));
        Self { length, values }
    }

    /// One sample after another.
    fn values(&self) -> &[f32] {
        &self.values
    }
}

impl Inputs for Held {
    fn count(&self) -> usize {
        self.values.len() / self.length.max(1)
    }

    fn fill(&self, sample: usize, _input: usize, values: &mut [f32]) {
        values.copy_from_slice(&self.values[sample * self.length..][..self.length]);
    }
}

/// The first output of each compared sample, in float.
fn reference(variant: &Variant, compared: &dyn Inputs) -> Result<Vec<f32>> {
    let (float, program) = variant.sampled();
    let Some(&output) = program.outputs.first() else { return Ok(Vec::new()) };
    let mut outputs = Vec::new();
    run(float, program, compared, |_, value, values| {
        if value == output {
            outputs.extend_from_slice(values);
        }
    })?;
    Ok(outputs)
}

fn error(int8: &mut Int8Network, inputs: &[f32], reference: &[f32]) -> Result<f64> {
    let blob = for_this_machine(&assemble(int8)?)?;
    let found = Int8Predictor::new(&blob)?.predict_inputs(inputs)?;
    let difference = |(a, b): (&f32, &f32)| f64::from(a - b).abs();
    Ok(found.iter().zip(reference).map(difference).sum::<f64>() / reference.len().max(1) as f64)
}
