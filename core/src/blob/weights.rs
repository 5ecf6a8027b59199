//! What the writer does with an operator's weights: folds them, and orders them for the machine that will run them.

use std::vec::Vec;

use super::write::{Network, OperatorKind, WeightedSpec, WriteError};
use super::{Channel, Layout, Rounding, Target, x86};
use crate::ops::depthwise_conv2d;
use crate::quantized::{BOUND, is_bounded_shift, requantize, rounding_constant, sum_bound};

impl OperatorKind {
    /// Weights and the number of their rows in `layout`, of an operator that has weights.
    pub(super) fn weighted(&self, layout: Layout) -> Option<(&WeightedSpec, usize)> {
        match self {
            Self::Conv2d { window, weighted } | Self::DepthwiseConv2d { window, weighted, .. } => {
                Some((weighted, window.runs(layout)[0]))
            }
            Self::FullyConnected { weighted } => Some((weighted, 1)),
            _ => None,
        }
    }
}

/// Channel records, and whether all of them qualify for the short requantization.
pub(super) struct Folded {
    pub channels: Vec<Channel>,
    pub bounded: bool,
}

/// Folds zero points and rounding into the channels of operator number `operator`, whose weights are `spec`.
pub(super) fn fold(network: &Network, operator: usize, spec: &WeightedSpec, rows: usize) -> Result<Folded, WriteError> {
    let outputs = spec.bias.len();
    let whole =
        outputs > 0 && rows > 0 && spec.weights.len().is_multiple_of(outputs * rows) && !spec.weights.is_empty();
    let operator_spec = &network.operators[operator];
    let input = operator_spec.inputs.first().and_then(|input| network.tensors.get(usize::from(*input)));
    let output = network.tensors.get(usize::from(operator_spec.output));
    let (Some(input), Some(output), true) = (input, output, whole && spec.multipliers.len() == outputs) else {
        return Err(WriteError::Inconsistent { operator });
    };
    let taps = spec.weights.len() / outputs;
    let channels = spec.weights.chunks_exact(taps).zip(&spec.bias).zip(&spec.multipliers);
    let channels = channels
        .map(|((weights, bias), (multiplier, shift))| {
            let sum: i64 = weights.iter().map(|w| i64::from(*w)).sum();
            let folded = i64::from(*bias) - i64::from(input.zero_point) * sum;
            let bias = i32::try_from(folded).map_err(|_| WriteError::BiasOverflow { operator })?;
            let (multiplier, shift) = (*multiplier, *shift);
            // A zero point beyond int8 is the loader's to refuse; here it must only not overflow.
            let zero_point = output.zero_point.clamp(-128, 127);
            let channel = Channel { bias, multiplier, rounding: rounding_constant(shift, zero_point), shift };
            let dead = weights.iter().all(|weight| *weight == 0);
            Ok(if dead { constant(channel, spec, zero_point) } else { channel })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let bounded = |c: &Channel| sum_bound(c.bias, taps) < BOUND && is_bounded_shift(c.shift);
    Ok(Folded { bounded: spec.rounding == Rounding::Double && channels.iter().all(bounded), channels })
}

/// The channel without weights, whose output is always the same, in a form that is bounded whatever its factor was.
fn constant(mut channel: Channel, spec: &WeightedSpec, zero_point: i32) -> Channel {
    let bound = i64::from(channel.bias).checked_mul(1 << channel.shift.clamp(0, 31));
    if channel.multiplier < 0 || !(-31..=30).contains(&channel.shift) || bound.is_none_or(|b| i32::try_from(b).is_err())
    {
        return channel;
    }
    let value = requantize(channel.bias, &channel, 0, spec.rounding).clamp(-256, 255);
    (channel.bias, channel.multiplier, channel.shift) = (4 * value, 1 << 30, -1);
    channel.rounding = rounding_constant(-1, zero_point);
    channel
}

/// The bytes of a constant with the weights in the order of `layout`.
pub(super) fn ordered(kind: &OperatorKind, layout: Layout) -> Vec<i8> {
    let Some((spec, rows)) = kind.weighted(layout) else { return Vec::new() };
    let outputs = spec.bias.len();
    let taps = spec.weights.len() / outputs;
    if let OperatorKind::DepthwiseConv2d { .. } = kind {
        return (0..taps).flat_map(|tap| spec.weights[tap..].iter().step_by(taps)).copied().collect();
    }
    let row = taps / rows;
    let kernel = if let OperatorKind::Conv2d { window, .. } = kind { window.kernel } else { [1, 1] };
    let mut result = vec![0; layout.weight_bytes(outputs, rows, row).unwrap_or(0)];
    for (at, weight) in spec.weights.iter().enumerate() {
        let tap = layout.tap(kernel, taps / (kernel[0] * kernel[1]), at % taps);
        let index = layout.index(rows, row, [at / taps, tap / row, tap % row]);
        if layout == Layout::DspWide {
            let doubled = (i16::from(*weight) * 2).to_le_bytes();
            result[2 * index..][..2].copy_from_slice(&doubled.map(|byte| byte as i8));
        } else {
            result[index] = *weight;
        }
    }
    if layout == Layout::X86 {
        x86::store(&mut result, x86::group_bytes(rows, row).unwrap_or(0));
    }
    result
}

/// The order of the weights of operator number `operator` for `target`: the best that suits it or, where room is
/// `scarce`, the last.
pub(super) fn choose(network: &Network, operator: usize, target: &Target, scarce: bool) -> Layout {
    let kind = &network.operators[operator].kind;
    let bounded = kind
        .weighted(Layout::Natural)
        .is_some_and(|(spec, rows)| fold(network, operator, spec, rows).is_ok_and(|folded| folded.bounded));
    let suits = |layout: &&Layout| match kind {
        OperatorKind::Conv2d { .. } | OperatorKind::FullyConnected { .. } => bounded || **layout != Layout::DspWide,
        OperatorKind::Lstm { .. } | OperatorKind::Gru { .. } | OperatorKind::Rnn { .. } => {
            matches!(layout, Layout::Natural | Layout::Dsp)
        }
        OperatorKind::DepthwiseConv2d { window, .. } => {
            let shapes = network.sides(operator).and_then(|(_, input, output)| input.nhwc().zip(output.nhwc()));
            let planes = || shapes.is_some_and(|(from, to)| depthwise_conv2d::dsp::window_suits(window, from, to));
            !matches!(layout, Layout::Dsp | Layout::DspWide) || bounded && planes()
        }
        _ => **layout == Layout::Natural,
    };
    let mut suitable = target.layouts.iter().filter(suits);
    let chosen = if scarce { suitable.next_back() } else { suitable.next() };
    chosen.copied().unwrap_or_default()
}
