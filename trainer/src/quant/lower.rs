//! Quantizations for every value of a program, and the int8 operators that follow.

use ackermann_core::blob::write::{Network as Int8Network, OperatorKind, OperatorSpec, TensorSpec, WeightedSpec};
use ackermann_core::blob::{Activation, Element, GeneralSpec, Rounding, Scaling, Window};
use ackermann_core::quantized::quantize_multiplier;

use super::Quantization;
use super::observe::Seen;
use super::program::{FloatGraph, Kind, Made, Other, Program, Scale, Site, Step, Weighted};
use crate::{Error, ErrorKind, Result};

/// Tensors and operators in int8. Every value has a quantization that is given, fixed by its operator, or made from what was
/// `seen` (one entry per value); `correct` takes the mean error of rounded weights out of the biases.
///
/// # Errors
/// A value that has none of the three; an operator that cannot be made from its quantizations.
pub fn lower(float: &FloatGraph, program: &Program, seen: Option<&[Seen]>, correct: bool) -> Result<Int8Network> {
    let scales = scales(float, program, seen)?;
    let mut writer = Writer { network: Int8Network::default(), tensors: Vec::new() };
    for (value, input) in program.inputs.iter().enumerate() {
        let node = float.graph.node(*input);
        let mut shape = node.shape.to_vec();
        if let Some(batch) = shape.first_mut().filter(|outermost| **outermost == float.batch()) {
            *batch = 1;
        }
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
    Ok(writer.network)
}

/// The quantization of each value.
///
/// Values that share their bytes' meaning (a pool's sides, all sides of a concatenation) form a group with one range: all that
/// was seen of the values that are computed into it.
fn scales(float: &FloatGraph, program: &Program, seen: Option<&[Seen]>) -> Result<Vec<Quantization>> {
    let nodes = program.nodes();
    let first = program.inputs.len();
    let mut group: Vec<usize> = (0..nodes.len()).collect();
    let mut fixed: Vec<Option<Quantization>> = nodes.iter().map(|id| float.given.values.get(id).copied()).collect();
    let mut computed = vec![true; nodes.len()];
    program.integers.iter().for_each(|value| fixed[*value] = Some(Quantization { scale: 1.0, zero_point: 0 }));
    for (index, step) in program.steps.iter().enumerate() {
        match &step.kind {
            Kind::Other(other) if other.scale == Scale::OfInputs => {
                computed[first + index] = false;
                for input in step.inputs.iter().filter(|input| !program.integers.contains(input)) {
                    let (from, to) = (group[*input], group[first + index]);
                    group.iter_mut().filter(|member| **member == to).for_each(|member| *member = from);
                }
            }
            Kind::Other(other) => {
                if let (Scale::Fixed(scale), None) = (other.scale, fixed[first + index]) {
                    fixed[first + index] = Some(scale);
                }
            }
            _ => {}
        }
    }
    let of_group = |value: usize| {
        let members = (0..nodes.len()).filter(|member| group[*member] == group[value]);
        let given = members.clone().find_map(|member| fixed[member]);
        let range = |(low, high): (f32, f32), s: &Seen| (low.min(s.low), high.max(s.high));
        let observed = seen.map(|seen| {
            let sources = members.filter(|member| computed[*member]).map(|member| &seen[member]);
            sources.fold((f32::INFINITY, f32::NEG_INFINITY), range)
        });
        given
            .or(observed.map(|(low, high)| Quantization::of_range(low, high)))
            .ok_or_else(|| uncalibrated(float, program, value))
    };
    (0..nodes.len()).map(|value| fixed[value].map_or_else(|| of_group(value), Ok)).collect()
}

fn uncalibrated(float: &FloatGraph, program: &Program, value: usize) -> Error {
    let name = match value.checked_sub(program.inputs.len()) {
        Some(step) => &program.steps[step].name,
        None => &float.graph.node(program.inputs[value]).name,
    };
    Error::usage(name, "is float and the file gives it no range: show its values with --calibrate INPUTS")
}

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
        let activation = step.clamp.map_or(Activation::NONE, |(low, high)| own.clamp(low, high));
        let site = Site { inputs: &from, output: own, activation };
        let Made { kind, before, after } =
            made(step, &site, means).map_err(|error| Error { place: step.name.clone(), ..error })?;
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
        Kind::TransposedConv2d(window, weighted) => general(*window, 1, true, integers(weighted, site, |_| none)),
        Kind::Dense(weighted) => {
            OperatorKind::FullyConnected { weighted: integers(weighted, site, |_| means.unwrap_or(none)) }
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
