//! Post-training quantization: a trained network and some frames in, a blob out.

use std::sync::atomic::AtomicBool;

use ackermann_core::blob::format::CRC;
use ackermann_core::blob::write::Network as Int8Network;
use ackermann_core::blob::{AlignedBytes, Layout, keys};
use serde::{Deserialize, Serialize};

use super::choose::{Chosen, Subject, Trial, Wanted, choose};
use super::lower::lower;
use super::observe::{Inputs, Observer, Recorded, Seen, observe_by, spread};
use super::program::{FloatGraph, Program};
use super::qat::{self, FineTuneOptions, Tuned, fine_tune};
use super::sequences::in_steps;
use super::{Int8Predictor, arena_lower_bound, assemble, for_this_machine, load};
use crate::data::{Samples, Target, Window};
use crate::graph::Params;
use crate::nn::{Mode, Network};
use crate::train::{EpochRow, measure};
use crate::{Error, ErrorKind, Result};
use rayon::prelude::*;

/// How a network is quantized.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuantizeOptions {
    /// Most calibration samples, evenly spread over those given.
    pub samples: usize,
    /// How ranges are made of the values seen; `None`: what comes nearest to float.
    pub observer: Option<Observer>,
    /// Factor on the output's range, which covers labels and predictions: a range too tight saturates, and that is where the
    /// largest errors of int8 networks come from.
    pub output_margin: f32,
    /// Whether the mean error of the rounded weights is taken out of the biases (Nagel et al. 2019); `None`: where that comes nearer to float.
    pub bias_correction: Option<bool>,
    /// Whether layers are equalized (Nagel et al. 2019); `None`: where that comes nearer to float.
    pub equalize: Option<bool>,
    /// Wheel angle in degrees of an output of 1.0.
    pub full_scale_deg: f32,
    /// Part of the camera frame that the network was trained on; boards cut it out of what they see.
    pub window: Option<Window>,
}

impl Default for QuantizeOptions {
    fn default() -> Self {
        Self {
            samples: 1000,
            observer: None,
            output_margin: 1.1,
            bias_correction: None,
            equalize: None,
            full_scale_deg: crate::sim::FULL_SCALE_DEG,
            window: None,
        }
    }
}

/// A quantized network.
#[derive(Debug, Clone)]
pub struct Quantized {
    /// The blob, weights in natural order; it has passed the loader.
    pub blob: AlignedBytes,
    /// Arena of a session, in bytes.
    pub arena_bytes: usize,
    /// No arena plan could need fewer bytes.
    pub arena_lower_bound: usize,
    /// Multiply-accumulates of one frame.
    pub macs: u64,
    /// Samples that the ranges were calibrated on.
    pub calibrated: usize,
    /// What was tried, the one that was taken first.
    pub trials: Vec<Trial>,
    /// The float parameters that it was made of: equalized, or fine-tuned.
    pub params: Params,
    /// For each value of the float network's program the operator that writes it; none for inputs.
    pub(super) operators: Vec<Option<usize>>,
}

/// Samples run at once while calibrating.
const BATCH: usize = 16;
/// Samples that ways of quantizing are compared on.
const COMPARED: usize = 128;
/// Sequences that they are compared on.
const SEQUENCES: usize = 16;

/// Quantizes `network` with its trained `params`; `samples` (inputs of the network's shape, with targets) calibrate the ranges.
///
/// # Errors
/// Samples of another shape or none or that cannot be read, a layer the core cannot do, values that are not finite.
pub fn quantize(
    network: &Network,
    params: &Params,
    samples: &dyn Samples,
    options: &QuantizeOptions,
) -> Result<Quantized> {
    check(network, params, samples, options)?;
    let (subject, each) = match network.steps() {
        Some(steps) => (in_steps(network, params, steps)?, steps.max(1)),
        None => (Subject { float: FloatGraph::of(network, params, BATCH)?, whole: None }, 1),
    };
    let indices = spread(samples.len(), options.samples.div_ceil(each));
    let compared = spread(samples.len(), if each > 1 { SEQUENCES } else { COMPARED });
    let labels = labels(samples);
    let widen = |output: &mut Seen| options.widen(output, labels);
    let wanted =
        Wanted { observer: options.observer, bias_correction: options.bias_correction, equalize: options.equalize };
    let inputs = [&indices, &compared].map(|indices| Recorded(samples, indices));
    let (chosen, trials) = choose(&subject, &inputs[0], &inputs[1], wanted, &widen)?;
    finished(chosen, trials, network, (samples, &indices), options)
}

impl QuantizeOptions {
    /// Widens the range of the output to that of the labels, and by the margin.
    pub(super) fn widen(&self, output: &mut Seen, labels: Option<(f32, f32)>) {
        let (low, high) = labels.unwrap_or((f32::INFINITY, f32::NEG_INFINITY));
        output.low = output.low.min(low) * self.output_margin;
        output.high = output.high.max(high) * self.output_margin;
    }
}

/// [`quantize`], and [`fine_tune`] from the same parameters, its ranges by the observer that was taken; what is better on `val` is the result.
///
/// # Errors
/// As those two.
pub fn quantize_aware(
    network: &Network,
    params: &Params,
    (train, val): (&dyn Samples, &dyn Samples),
    options: &QuantizeOptions,
    tune: &FineTuneOptions,
    observer: &mut dyn crate::train::Observer,
    stop: &AtomicBool,
) -> Result<(Quantized, Tuned)> {
    qat::check(network, (train, val), tune)?;
    let after = quantize(network, params, train, options)?;
    let observer_of_ranges = after.trials.first().map_or(Observer::MinMax, |trial| trial.observer);
    let tune = FineTuneOptions {
        calibrated: options.samples,
        observer: observer_of_ranges,
        output_margin: options.output_margin,
        ..tune.clone()
    };
    let tuned = fine_tune(network, params, (train, val), &tune, observer, stop)?;
    let blob = for_this_machine(&after.blob)?;
    let mut predictor = Int8Predictor::new(&blob)?;
    let before = measure(&mut |inputs| predictor.predict_inputs(inputs), val, tune.loss)?;
    let before = before.map(|metrics| EpochRow::new(0, f64::NAN, Some(metrics), tune.lr, 0.0).score(val.len()));
    let best = tuned.history.get(tuned.best).map(|row| row.score(val.len()));
    if before.zip(best).is_some_and(|(before, best)| before < best) {
        return Ok((after, tuned));
    }
    let indices = spread(train.len(), options.samples);
    let chosen = Chosen { int8: tuned.int8.clone(), tensors: tuned.tensors.clone(), params: tuned.params.clone() };
    let quantized = finished(chosen, Vec::new(), network, (train, &indices), options)?;
    Ok((quantized, tuned))
}

fn finished(
    Chosen { mut int8, tensors, params }: Chosen,
    trials: Vec<Trial>,
    network: &Network,
    (samples, indices): (&dyn Samples, &[usize]),
    options: &QuantizeOptions,
) -> Result<Quantized> {
    int8.metadata = metadata(network, &params, (samples, indices), options);
    if let Some(error) = samples.failure() {
        return Err(error);
    }
    let blob = assemble(&mut int8)?;
    let (arena_bytes, macs) = load(&blob).map(|model| (model.arena_bytes(), model.macs()))?;
    let arena_lower_bound = arena_lower_bound(&int8, Layout::Natural);
    let operators = tensors.iter().map(|tensor| int8.operators.iter().position(|operator| operator.output == *tensor));
    let (operators, calibrated) = (operators.collect(), indices.len());
    Ok(Quantized { blob, arena_bytes, arena_lower_bound, macs, calibrated, trials, params, operators })
}

/// The smallest and the largest target of all samples, where targets are numbers.
fn labels(samples: &dyn Samples) -> Option<(f32, f32)> {
    if matches!(samples.target(), Target::Class(_)) {
        return None;
    }
    let buffers = || (vec![0.0; samples.input_shape().iter().product()], vec![0.0; samples.target().values()]);
    let none = || (f32::INFINITY, f32::NEG_INFINITY);
    let ends = |(input, target): &mut (Vec<f32>, Vec<f32>), index: usize| {
        samples.write(index, None, input, target);
        target.iter().fold(none(), |(low, high), &label| (low.min(label), high.max(label)))
    };
    let all = (0..samples.len()).into_par_iter().map_init(buffers, ends);
    Some(all.reduce(none, |a, b| (a.0.min(b.0), a.1.max(b.1))))
}

/// Calls `visit` with input and target of these samples.
fn for_each(samples: &dyn Samples, indices: &[usize], mut visit: impl FnMut(&[f32], &[f32])) {
    let mut input = vec![0.0; samples.input_shape().iter().product()];
    let mut target = vec![0.0; samples.target().values()];
    for &index in indices {
        samples.write(index, None, &mut input, &mut target);
        visit(&input, &target);
    }
}

/// Quantizes a float graph; `samples` calibrate the ranges that are not given with it.
///
/// # Errors
/// An operator the core cannot do, values that are not finite, a range that is neither given nor calibrated.
pub fn quantize_graph(float: &FloatGraph, samples: Option<&dyn Inputs>, observer: Observer) -> Result<Int8Network> {
    let program = Program::new(float)?;
    let seen = samples.map(|samples| observe_by(float, &program, samples, observer)).transpose()?;
    if let Some(seen) = &seen {
        finite(&program, seen)?;
    }
    lower(float, &program, seen.as_deref(), seen.is_some())
}

/// The blob that `network` would make with weights of no meaning: its sizes are those of the trained one.
pub fn outline(network: &Network) -> Result<AlignedBytes> {
    let params = network.init(0)?;
    let mode = if network.steps().is_some() { Mode::Step } else { Mode::Eval };
    let float = FloatGraph::of_mode(network, &params, 1, mode)?;
    let program = Program::new(&float)?;
    let seen: Vec<Seen> = (0..=program.steps.len()).map(|_| Seen::range(-1.0, 1.0)).collect();
    let mut int8 = lower(&float, &program, Some(&seen), false)?;
    int8.metadata.push((keys::NETWORK.into(), network.name.clone()));
    assemble(&mut int8)
}

/// Errors when a value was not finite on some sample.
pub fn finite(program: &Program, seen: &[Seen]) -> Result<()> {
    let is_finite = |seen: &Seen| [seen.low, seen.high].iter().chain(&seen.mean).all(|value| value.is_finite());
    let Some(unusable) = seen.iter().position(|seen| !is_finite(seen)) else { return Ok(()) };
    let place = unusable.checked_sub(program.inputs.len()).map_or("input", |step| &program.steps[step].name);
    Err(Error::new(ErrorKind::NotFinite, place, "gives values that are not finite; train with a lower rate"))
}

fn check(network: &Network, params: &Params, samples: &dyn Samples, options: &QuantizeOptions) -> Result<()> {
    network.check(params)?;
    if samples.input_shape() != network.input {
        let message = format!("have shape {:?}, the network takes {:?}", samples.input_shape(), network.input);
        return Err(Error::new(ErrorKind::Shape, "calibration samples", message));
    }
    if samples.is_empty() || options.samples == 0 {
        return Err(Error::usage("calibration samples", "none were given; the ranges need at least one"));
    }
    let bad = params.entries().iter().find(|p| p.data.iter().any(|v| !v.is_finite()));
    match bad {
        Some(param) => Err(Error::new(ErrorKind::NotFinite, &param.name, "holds values that are not finite")),
        None => Ok(()),
    }
}

fn metadata(
    network: &Network,
    params: &Params,
    (samples, indices): (&dyn Samples, &[usize]),
    options: &QuantizeOptions,
) -> Vec<(String, String)> {
    let mut data = CRC.digest();
    for_each(samples, indices, |input, target| {
        data.update(bytemuck::cast_slice(input));
        data.update(bytemuck::cast_slice(target));
    });
    let mut config = CRC.digest();
    config.update(format!("{network:?} {options:?}").as_bytes());
    for param in params.entries() {
        config.update(bytemuck::cast_slice(&param.data));
    }
    let crc = |digest: u32| format!("crc32:{digest:08x}");
    let crop = options.window.map(|window| (keys::INPUT_CROP, String::from(window)));
    let output = match samples.target() {
        Target::Class(_) => vec![(keys::OUTPUT, "class".into()), (keys::OUTPUT_UNIT, "score".into())],
        Target::Numbers(_) if network.frame_size().is_err() => vec![(keys::OUTPUT, "numbers".into())],
        Target::Numbers(_) => vec![
            (keys::OUTPUT, "steering".into()),
            (keys::OUTPUT_UNIT, "normalized".into()),
            (keys::FULL_SCALE_DEG, options.full_scale_deg.to_string()),
        ],
    };
    let provenance = [
        (keys::DATA_DIGEST, crc(data.finalize())),
        (keys::CONFIG_DIGEST, crc(config.finalize())),
        ("provenance.tool", concat!("ackermann ", env!("CARGO_PKG_VERSION")).into()),
    ];
    let steps = network.steps().map(|steps| (keys::STEPS, steps.to_string()));
    let entries = [(keys::NETWORK, network.name.clone())].into_iter().chain(steps).chain(output).chain(provenance);
    entries.chain(crop).map(|(key, value)| (String::from(key), value)).collect()
}
