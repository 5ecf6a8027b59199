//! Quantizations for every value of a program, and the int8 operators that follow.

use ackermann_core::blob::write::{Network as Int8Network, OperatorKind, OperatorSpec, TensorSpec, WeightedSpec};
use ackermann_core::blob::{Activation, Element, GeneralSpec, Rounding, Scaling, Window};
use ackermann_core::quantized::quantize_multiplier;

use super::Quantization;
use super::observe::Seen;
use super::program::{FloatGraph, Kind, Made, Other, Program, Scale, Site, Step, Weighted};
use super::sources::sources;
use crate::{Error, ErrorKind, Result};

/// Tensors and operators in int8. Every value has a quantization that is given, fixed by its operator, or made from what was
/// `seen` (one entry per value); `correct` takes the mean error of rounded weights out of the biases.
///
/// # Errors
/// A value that has none of the three; an operator that cannot be made from its quantizations.
pub fn lower(float: &FloatGraph, program: &Program, seen: Option<&[Seen]>, correct: bool) -> Result<Int8Network> {
    lower_values(float, program, seen, correct).map(|(network, _)| network)
}

/// [`lower`], and the tensor of each value.
pub fn lower_values(
    float: &FloatGraph,
    program: &Program,
    seen: Option<&[Seen]>,
    correct: bool,
) -> Result<(Int8Network, Vec<u16>)> {
    let scales: Vec<Quantization> = sources(float, program, seen)?.0.into_iter().map(|source| source.at(&[])).collect();
    let mut writer = Writer { network: Int8Network::default(), tensors: Vec::new() };
    for (value, input) in program.inputs.iter().enumerate() {
        let node = float.graph.node(*input);
        let shape = float.sample_shape(&node.shape);
        let tensor = writer.tensor(&shape, scales[value], &node.name)?;
        writer.mark(tensor, program.integers.contains(&value));
        writer.tensors.push(tensor);
        writer.network.inputs.push(tensor);
    }
    for (index, step) in program.steps.iter().enumerate() {
        let means = seen.filter(|_| correct).map(|seen| &seen[step.inputs[0]].mean[..]);
        writer.step(program, &scales, index, means)?;
    }
    writer.network.outputs = program.outputs.iter().map(|value| writer.tensors[*value]).collect();
    Ok((writer.network, writer.tensors))
}

/// How much coarser than its output an operator's own steps may be.
const MOST_COARSE: f32 = 256.0;

struct Writer {
    network: Int8Network,
    /// The tensor of each value so far.
    tensors: Vec<u16>,
}

impl Writer {
    fn tensor(&mut self, shape: &[usize], quantization: Quantization, name: &str) -> Result<u16> {
        let number = u16::try_from(self.network.tensors.len());
        let number =
            number.map_err(|_| Error::new(ErrorKind::BadFile, name, "is one tensor more than a blob holds"))?;
        self.network.tensors.push(TensorSpec {
            shape: shape.iter().map(|d| u32::try_from(*d).unwrap_or(u32::MAX)).collect(),
            scale: quantization.scale,
            zero_point: i32::from(quantization.zero_point),
            name: name.into(),
            ..TensorSpec::default()
        });
        Ok(number)
    }

    /// Says that a tensor holds whole numbers.
    fn mark(&mut self, tensor: u16, integer: bool) {
        if integer {
            self.network.tensors[usize::from(tensor)].element = Element::Int32;
        }
    }

    /// Tensors that one operator reads.
    fn beside(&mut self, tensors: Vec<TensorSpec>) -> Result<Vec<u16>> {
        let add = |spec: TensorSpec| {
            let place = self.tensor(&[], Quantization { scale: 1.0, zero_point: 0 }, &spec.name)?;
            self.network.tensors[usize::from(place)] = spec;
            Ok(place)
        };
        tensors.into_iter().map(add).collect()
    }

    fn step(&mut self, program: &Program, scales: &[Quantization], index: usize, means: Option<&[f32]>) -> Result<()> {
        let (step, value) = (&program.steps[index], program.inputs.len() + index);
        let mut inputs: Vec<u16> = step.inputs.iter().map(|input| self.tensors[*input]).collect();
        let mut from: Vec<Quantization> = step.inputs.iter().map(|input| scales[*input]).collect();
        let to = scales[value];
        // An operator that has one scale only writes that; where another is given, a table changes it on the way out.
        let own = match &step.kind {
            Kind::Other(Other { scale: Scale::Fixed(own), .. }) => *own,
            Kind::Other(Other { scale: Scale::OfInputs, .. }) => {
                let real = |at: &usize| !program.integers.contains(&step.inputs[*at]);
                let real: Vec<usize> = (0..inputs.len()).filter(real).collect();
                self.passed(&real, &mut inputs, &mut from, to, &step.name)?
            }
            _ => to,
        };
        let (Made { kind, before, after }, own) =
            coarse(step, &from, own, means).map_err(|error| Error { place: step.name.clone(), ..error })?;
        let inputs = [self.beside(before)?, inputs, self.beside(after)?].concat();
        let mut output = self.operator(inputs, &step.shape, own, kind, &step.name)?;
        self.mark(output, program.integers.contains(&value));
        if own != to {
            let kind = OperatorKind::Lut { table: own.requantized(to) };
            output = self.operator(vec![output], &step.shape, to, kind, &step.name)?;
        }
        self.tensors.push(output);
        Ok(())
    }

    /// The one scale of an operator that passes values on: its inputs', where they have one, else `to`, to which tables bring them.
    fn passed(
        &mut self,
        real: &[usize],
        inputs: &mut [u16],
        from: &mut [Quantization],
        to: Quantization,
        name: &str,
    ) -> Result<Quantization> {
        let first = real.first().map_or(to, |at| from[*at]);
        if real.iter().all(|at| from[*at] == first) {
            return Ok(first);
        }
        for at in real.iter().copied().filter(|at| from[*at] != to).collect::<Vec<_>>() {
            let shape = &self.network.tensors[usize::from(inputs[at])].shape;
            let shape: Vec<usize> = shape.iter().map(|d| *d as usize).collect();
            let kind = OperatorKind::Lut { table: from[at].requantized(to) };
            inputs[at] = self.operator(vec![inputs[at]], &shape, to, kind, name)?;
            from[at] = to;
        }
        Ok(to)
    }

    /// Appends an operator and the tensor that it writes.
    fn operator(
        &mut self,
        inputs: Vec<u16>,
        shape: &[usize],
        to: Quantization,
        kind: OperatorKind,
        name: &str,
    ) -> Result<u16> {
        let output = self.tensor(shape, to, name)?;
        self.network.operators.push(OperatorSpec { inputs, output, kind, name: name.into() });
        Ok(output)
    }
}

/// An operator that cannot make steps as fine as `to` makes coarser ones, which a table changes on the way out.
fn coarse(step: &Step, from: &[Quantization], to: Quantization, means: Option<&[f32]>) -> Result<(Made, Quantization)> {
    let free = matches!(&step.kind, Kind::Other(Other { scale: Scale::Observed, .. }));
    let mut own = to;
    loop {
        let activation = step.clamp.map_or(Activation::NONE, |(low, high)| own.clamp(low, high));
        match made(step, &Site { inputs: from, output: own, activation }, means) {
            Err(_) if free && own.scale < to.scale * MOST_COARSE => own.scale *= 2.0,
            made => return made.map(|made| (made, own)),
        }
    }
}

fn made(step: &Step, site: &Site<'_>, means: Option<&[f32]>) -> Result<Made> {
    let none = &[0.0][..];
    let kind = match &step.kind {
        Kind::Conv2d(window, weighted) => {
            let taps = weighted.weights.len() / weighted.bias.len().max(1);
            let channels = taps / (window.kernel[0] * window.kernel[1]).max(1);
            let means = means.map(|means| channel_means(means, channels));
            let weighted = integers(weighted, site, |_| means.as_deref().unwrap_or(none));
            OperatorKind::Conv2d { window: *window, weighted }
        }
        Kind::DepthwiseConv2d(window, multiplier, weighted) => {
            let means = means.map(|means| channel_means(means, weighted.bias.len() / (*multiplier).max(1)));
            let of_output =
                |output: usize| means.as_ref()?.get(output / (*multiplier).max(1)).map(std::slice::from_ref);
            let weighted = integers(weighted, site, |output| of_output(output).unwrap_or(none));
            OperatorKind::DepthwiseConv2d { window: *window, multiplier: *multiplier, weighted }
        }
        Kind::GroupedConv2d(window, groups, weighted) => {
            let (outputs, groups) = (weighted.bias.len(), (*groups).max(1));
            let channels = weighted.weights.len() / (outputs * window.kernel[0] * window.kernel[1]).max(1);
            let means = means.map(|means| channel_means(means, channels * groups));
            let of_output =
                |output: usize| means.as_ref()?.get(output * groups / outputs * channels..)?.get(..channels);
            let weighted = integers(weighted, site, |output| of_output(output).unwrap_or(none));
            general(*window, groups, false, weighted)
        }
        Kind::TransposedConv2d(window, weighted) => {
            // An output meets one tap of as many as the strides have.
            let area = (window.kernel[0] * window.kernel[1]).max(1);
            let channels = weighted.weights.len() / (weighted.bias.len() * area).max(1);
            let share = 1.0 / (window.stride[0] * window.stride[1]).max(1) as f32;
            let means = means.map(|means| channel_means(means, channels));
            let means: Option<Vec<f32>> = means.map(|means| means.iter().map(|mean| mean * share).collect());
            general(*window, 1, true, integers(weighted, site, |_| means.as_deref().unwrap_or(none)))
        }
        Kind::Dense(weighted) => {
            // Over time the steps are positions.
            let inputs = weighted.weights.len() / weighted.bias.len().max(1);
            let means = means.map(|means| channel_means(means, inputs));
            OperatorKind::FullyConnected { weighted: integers(weighted, site, |_| means.as_deref().unwrap_or(none)) }
        }
        Kind::Other(other) => return (other.make)(site),
    };
    Ok(kind.into())
}

fn general(window: Window, groups: usize, transposed: bool, weighted: WeightedSpec) -> OperatorKind {
    let WeightedSpec { weights, bias, multipliers, activation: Activation { min, max }, .. } = weighted;
    OperatorKind::GeneralConv2d(GeneralSpec {
        window,
        transposed,
        groups,
        int4: false,
        weights,
        bias: bias.into_iter().map(i64::from).collect(),
        multipliers,
        scaling: Scaling::Double,
        range: [min, max].map(i16::from),
    })
}

/// Mean of each channel over all positions of an image, or of each feature over all steps of a sequence.
fn channel_means(image: &[f32], channels: usize) -> Vec<f32> {
    let mut means = vec![0.0; channels];
    for pixel in image.chunks_exact(channels.max(1)) {
        means.iter_mut().zip(pixel).for_each(|(mean, x)| *mean += x);
    }
    let positions = (image.len() / channels.max(1)).max(1) as f32;
    means.iter_mut().for_each(|mean| *mean /= positions);
    means
}

/// Symmetric int8 weights per channel, in [-127, 127]. `means` gives
/// the expected inputs of an output channel's taps (repeating).
fn integers<'m>(weighted: &Weighted, site: &Site<'_>, means: impl Fn(usize) -> &'m [f32]) -> WeightedSpec {
    let (from, to) = (site.inputs[0], site.output);
    let taps = weighted.weights.len() / weighted.bias.len().max(1);
    let mut spec = WeightedSpec { rounding: Rounding::Double, activation: site.activation, ..WeightedSpec::default() };
    for (channel, (row, &bias)) in weighted.weights.chunks(taps.max(1)).zip(&weighted.bias).enumerate() {
        let given = weighted.scales.as_ref().and_then(|scales| scales.get(channel).copied());
        let scale = given.unwrap_or_else(|| weight_scale(row, bias, from, to));
        let least = if given.is_some() { -128.0 } else { -127.0 };
        let steps = row.iter().map(|w| (w / scale).round().clamp(least, 127.0));
        let taps = row.iter().zip(steps.clone()).zip(means(channel).iter().cycle());
        let error: f64 = taps.map(|((w, q), x)| f64::from(q * scale - w) * f64::from(*x)).sum();
        let product = f64::from(from.scale) * f64::from(scale);
        spec.weights.extend(steps.map(|q| q as i8));
        let exact = weighted.steps.as_ref().and_then(|steps| steps.get(channel).copied());
        // A step is stored in f32: it is the one of the sums if it is that near.
        let exact = exact.filter(|(_, step)| (f64::from(*step) / product - 1.0).abs() < 1e-5);
        let rounded = ((f64::from(bias) - error) / product).round() as i32;
        spec.bias.push(exact.map_or(rounded, |(steps, _)| steps));
        spec.multipliers.push(quantize_multiplier(product / f64::from(to.scale)));
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
