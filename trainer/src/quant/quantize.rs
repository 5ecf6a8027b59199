//! Post-training quantization: a trained network and some frames in, a blob out.

use ackermann_core::blob::format::CRC;
use ackermann_core::blob::write::Network as Int8Network;
use ackermann_core::blob::{AlignedBytes, Layout, keys};
use serde::{Deserialize, Serialize};

use super::lower::lower;
use super::observe::{Frames, Ranges, Samples, Seen, observe, spread};
use super::program::{FloatGraph, Program};
use super::{arena_lower_bound, assemble, load};
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
    let float = FloatGraph::of_built(&network.build(BATCH, Mode::Eval)?, params);
    let program = Program::new(&float)?;
    let indices = spread(frames.len(), options.samples);
    let mut seen = observe(&float, &program, &Frames(frames, &indices), options.ranges)?;
    finite(&program, &seen)?;
    if let Some(output) = seen.last_mut() {
        let labels = frames.labels.iter().copied();
        output.low = labels.clone().fold(output.low, f32::min) * options.output_margin;
        output.high = labels.fold(output.high, f32::max) * options.output_margin;
    }
    let mut int8 = lower(&float, &program, Some(&seen), options.bias_correction)?;
    int8.metadata = metadata(network, params, (frames, &indices), options);
    let blob = assemble(&mut int8)?;
    let (arena_bytes, macs) = load(&blob).map(|model| (model.arena_bytes(), model.macs()))?;
    let arena_lower_bound = arena_lower_bound(&int8, Layout::Natural);
    Ok(Quantized { blob, arena_bytes, arena_lower_bound, macs, calibrated: indices.len() })
}

/// Quantizes a float graph; `samples` calibrate the ranges that are not given with it.
///
/// # Errors
/// An operator the core cannot do, values that are not finite, a range that is neither given nor calibrated.
pub fn quantize_graph(float: &FloatGraph, samples: Option<&dyn Samples>, ranges: Ranges) -> Result<Int8Network> {
    let program = Program::new(float)?;
    let seen = samples.map(|samples| observe(float, &program, samples, ranges)).transpose()?;
    if let Some(seen) = &seen {
        finite(&program, seen)?;
    }
    lower(float, &program, seen.as_deref(), seen.is_some())
}

/// The blob that `network` would make with weights of no meaning: its sizes are those of the trained one.
pub fn outline(network: &Network) -> Result<AlignedBytes> {
    let params = network.init(0)?;
    let float = FloatGraph::of_built(&network.build(1, Mode::Eval)?, &params);
    let program = Program::new(&float)?;
    let seen: Vec<Seen> = (0..=program.steps.len()).map(|_| Seen { low: -1.0, high: 1.0, mean: Vec::new() }).collect();
    let mut int8 = lower(&float, &program, Some(&seen), false)?;
    int8.metadata.push((keys::NETWORK.into(), network.name.clone()));
    assemble(&mut int8)
}

/// Errors when a value was not finite on some sample.
pub fn finite(program: &Program, seen: &[Seen]) -> Result<()> {
    let Some(unusable) = seen.iter().position(|s| !(s.low.is_finite() && s.high.is_finite())) else { return Ok(()) };
    let place = unusable.checked_sub(program.inputs.len()).map_or("input", |step| &program.steps[step].name);
    Err(Error::new(ErrorKind::NotFinite, place, "gives values that are not finite; train with a lower rate"))
}

fn check(network: &Network, params: &Params, frames: &FrameSet, options: &QuantizeOptions) -> Result<()> {
    network.check(params)?;
    let [height, width, _] = network.frame_size()?;
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
