//! Post-training quantization: a trained network and some frames in, a blob out.

use ackermann_core::blob::format::CRC;
use ackermann_core::blob::write::{Network as Int8Network, OperatorKind, OperatorSpec, TensorSpec, WeightedSpec};
use ackermann_core::blob::{Activation, AlignedBytes, Layout, Rounding, keys};
use ackermann_core::quantized::quantize_multiplier;
use serde::{Deserialize, Serialize};

use super::observe::{Ranges, Seen, observe, spread};
use super::program::{Kind, Program, Step, Weighted};
use super::{Quantization, arena_lower_bound, assemble, load};
use crate::data::{FrameSet, Window};
use crate::graph::Params;
use crate::nn::{Mode, Network};
use crate::{Error, ErrorKind, Result};

/// How a network is quantized.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuantizeOptions {
    /// Most calibration frames, evenly spread over those given.
    pub samples: usize,
    /// How ranges are made of the values seen.
    pub ranges: Ranges,
    /// Factor on the output's range, which covers labels and predictions: a range too tight saturates, and that is where the
    /// largest errors of int8 networks come from.
    pub output_margin: f32,
    /// Whether the mean error of the rounded weights is taken out of the biases (Nagel et al. 2019).
    pub bias_correction: bool,
    /// Wheel angle in degrees of an output of 1.0.
    pub full_scale_deg: f32,
    /// Part of the camera frame that the network was trained on; boards cut it out of what they see.
    pub window: Option<Window>,
}

impl Default for QuantizeOptions {
    fn default() -> Self {
        Self {
            samples: 300,
            ranges: Ranges::MinMax,
            output_margin: 1.1,
            bias_correction: true,
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
    /// Frames that the ranges were calibrated on.
    pub calibrated: usize,
}

/// Frames run at once while calibrating.
const BATCH: usize = 16;

/// Quantizes `network` with its trained `params`; `frames` (of the network's size, with labels) calibrate the ranges.
///
/// # Errors
/// Frames of another size or none, a layer the core cannot do, values that are not finite.
pub fn quantize(network: &Network, params: &Params, frames: &FrameSet, options: &QuantizeOptions) -> Result<Quantized> {
    check(network, params, frames, options)?;
    let built = network.build(BATCH, Mode::Eval)?;
    let program = Program::new(&built, params)?;
    let indices = spread(frames.len(), options.samples);
    let mut seen = observe(&built, &program, params, (frames, &indices), options.ranges)?;
    if let Some(unusable) = seen.iter().position(|s| !(s.low.is_finite() && s.high.is_finite())) {
        let place = unusable.checked_sub(1).map_or("input", |step| &program.steps[step].name);
        return Err(Error::new(
            ErrorKind::NotFinite,
            place,
            "gives values that are not finite; train with a lower rate",
        ));
    }
    if let Some(output) = seen.last_mut() {
        let labels = frames.labels.iter().copied();
        output.low = labels.clone().fold(output.low, f32::min) * options.output_margin;
        output.high = labels.fold(output.high, f32::max) * options.output_margin;
    }
    let mut int8 = lower(network, &program, &seen, options.bias_correction);
    int8.metadata = metadata(network, params, (frames, &indices), options);
    let blob = assemble(&mut int8)?;
    let (arena_bytes, macs) = load(&blob).map(|model| (model.arena_bytes(), model.macs()))?;
    let arena_lower_bound = arena_lower_bound(&int8, Layout::Natural);
    Ok(Quantized { blob, arena_bytes, arena_lower_bound, macs, calibrated: indices.len() })
}

/// The blob that `network` would make with weights of no meaning: its sizes are those of the trained one.
pub fn outline(network: &Network) -> Result<AlignedBytes> {
    let params = network.init(0)?;
    let built = network.build(1, Mode::Eval)?;
    let program = Program::new(&built, &params)?;
    let seen: Vec<Seen> = (0..=program.steps.len()).map(|_| Seen { low: -1.0, high: 1.0, mean: Vec::new() }).collect();
    let mut int8 = lower(network, &program, &seen, false);
    int8.metadata.push((keys::NETWORK.into(), network.name.clone()));
    assemble(&mut int8)
}

fn check(network: &Network, params: &Params, frames: &FrameSet, options: &QuantizeOptions) -> Result<()> {
    network.check(params)?;
    let [height, width, _] = network.input;
    if (frames.height, frames.width) != (height, width) {
        let message = format!("are {}x{}, the network takes {height}x{width}", frames.height, frames.width);
        return Err(Error::new(ErrorKind::Shape, "calibration frames", message));
    }
    if frames.is_empty() || options.samples == 0 {
        return Err(Error::usage("calibration frames", "none were given; the ranges need at least one"));
    }
    let bad = params.entries().iter().find(|p| p.data.iter().any(|v| !v.is_finite()));
    match bad {
        Some(param) => Err(Error::new(ErrorKind::NotFinite, &param.name, "holds values that are not finite")),
        None => Ok(()),
    }
}

/// Tensors and operators in int8; `seen` has one entry per value.
fn lower(network: &Network, program: &Program, seen: &[Seen], correct: bool) -> Int8Network {
    let [h, w, c] = network.input;
    let mut tensors = vec![spec(&[1, h, w, c], Quantization::FRAME, "input")];
    let mut operators = Vec::new();
    for (index, step) in program.steps.iter().enumerate() {
        let from = Quantization::of_spec(&tensors[step.input]);
        let to = match step.kind {
            // These pass int8 values on, so the scale stays.
            Kind::MaxPool(_) | Kind::AveragePool(_) | Kind::Reshape => from,
            _ => Quantization::of_range(seen[index + 1].low, seen[index + 1].high),
        };
        tensors.push(spec(&step.shape, to, &step.name));
        operators.push(OperatorSpec {
            inputs: vec![step.input as u16],
            output: (index + 1) as u16,
            kind: operator(step, from, to, correct.then(|| &seen[step.input].mean[..])),
            name: step.name.clone(),
        });
    }
    let outputs = vec![program.steps.len() as u16];
    Int8Network { tensors, operators, inputs: vec![0], outputs, metadata: Vec::new() }
}

fn spec(shape: &[usize], quantization: Quantization, name: &str) -> TensorSpec {
    TensorSpec {
        shape: shape.iter().map(|d| u32::try_from(*d).unwrap_or(u32::MAX)).collect(),
        scale: quantization.scale,
        zero_point: i32::from(quantization.zero_point),
        arena_offset: 0,
        name: name.into(),
    }
}

fn operator(step: &Step, from: Quantization, to: Quantization, mean: Option<&[f32]>) -> OperatorKind {
    let activation = Activation::NONE;
    match &step.kind {
        Kind::Conv2d(window, weighted) => {
            let taps = weighted.weights.len() / weighted.bias.len().max(1);
            let channels = taps / (window.kernel[0] * window.kernel[1]).max(1);
            let mean = mean.map(|mean| channel_means(mean, channels));
            OperatorKind::Conv2d { window: *window, weighted: integers(weighted, from, to, mean.as_deref()) }
        }
        Kind::Dense(weighted) => OperatorKind::FullyConnected { weighted: integers(weighted, from, to, mean) },
        Kind::MaxPool(window) => OperatorKind::MaxPool { window: *window, activation },
        Kind::AveragePool(window) => OperatorKind::AveragePool { window: *window, activation },
        Kind::Reshape => OperatorKind::Reshape,
        Kind::Function(function) => OperatorKind::Lut { table: from.table(to, function) },
    }
}

/// Mean of each channel over all positions of an image.
fn channel_means(image: &[f32], channels: usize) -> Vec<f32> {
    let mut means = vec![0.0; channels];
    for pixel in image.chunks_exact(channels.max(1)) {
        means.iter_mut().zip(pixel).for_each(|(mean, x)| *mean += x);
    }
    let positions = (image.len() / channels.max(1)).max(1) as f32;
    means.iter_mut().for_each(|mean| *mean /= positions);
    means
}

/// Symmetric int8 weights per channel, in [-127, 127]. `mean` holds the expected input of each tap (repeating).
fn integers(weighted: &Weighted, from: Quantization, to: Quantization, mean: Option<&[f32]>) -> WeightedSpec {
    let taps = weighted.weights.len() / weighted.bias.len().max(1);
    let mut spec = WeightedSpec { rounding: Rounding::Double, activation: Activation::NONE, ..WeightedSpec::default() };
    for (row, &bias) in weighted.weights.chunks(taps.max(1)).zip(&weighted.bias) {
        let scale = weight_scale(row, bias, from, to);
        let steps = row.iter().map(|w| (w / scale).round().clamp(-127.0, 127.0));
        let taps = row.iter().zip(steps.clone()).zip(mean.unwrap_or(&[0.0]).iter().cycle());
        let error: f64 = taps.map(|((w, q), x)| f64::from(q * scale - w) * f64::from(*x)).sum();
        let product = f64::from(from.scale) * f64::from(scale);
        spec.weights.extend(steps.map(|q| q as i8));
        spec.bias.push(((f64::from(bias) - error) / product).round() as i32);
        spec.multipliers.push(quantize_multiplier(product / f64::from(to.scale)));
    }
    if let Some((low, high)) = weighted.clamp {
        spec.activation = to.clamp(low, high);
    }
    spec
}

/// The scale of one channel's weights: the largest weight is 127 steps.
///
/// It is not made so small that the bias would leave 2^27 or the requantization would shift by more than 22: a channel
/// that is almost dead loses nothing by coarser weights, and the core's short requantization stays exact.
fn weight_scale(row: &[f32], bias: f32, from: Quantization, to: Quantization) -> f32 {
    const LARGEST_BIAS: f32 = (1 << 27) as f32;
    const LEAST_MULTIPLIER: f32 = 1.0 / (1 << 22) as f32;
    let largest = row.iter().fold(0f32, |largest, w| largest.max(w.abs()));
    let for_bias = bias.abs() / (from.scale * LARGEST_BIAS);
    let for_shift = LEAST_MULTIPLIER * to.scale / from.scale;
    (largest / 127.0).max(for_bias).max(for_shift)
}

fn metadata(
    network: &Network,
    params: &Params,
    (frames, indices): (&FrameSet, &[usize]),
    options: &QuantizeOptions,
) -> Vec<(String, String)> {
    let mut data = CRC.digest();
    for &index in indices {
        data.update(frames.frame(index));
        data.update(&frames.labels[index].to_le_bytes());
    }
    let mut config = CRC.digest();
    config.update(format!("{network:?} {options:?}").as_bytes());
    for param in params.entries() {
        config.update(bytemuck::cast_slice(&param.data));
    }
    let crc = |digest: u32| format!("crc32:{digest:08x}");
    let crop = options.window.map(|window| (keys::INPUT_CROP, String::from(window)));
    let entries = [
        (keys::NETWORK, network.name.clone()),
        (keys::OUTPUT, "steering".into()),
        (keys::OUTPUT_UNIT, "normalized".into()),
        (keys::FULL_SCALE_DEG, options.full_scale_deg.to_string()),
        (keys::DATA_DIGEST, crc(data.finalize())),
        (keys::CONFIG_DIGEST, crc(config.finalize())),
        ("provenance.tool", concat!("ackermann ", env!("CARGO_PKG_VERSION")).into()),
    ];
    entries.into_iter().chain(crop).map(|(key, value)| (String::from(key), value)).collect()
}
