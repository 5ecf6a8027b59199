//! What the writer does with an operator's weights: folds them, and orders them for the machine that will run them.

use std::vec::Vec;

use super::write::{Network, OperatorKind, WeightedSpec, WriteError};
use super::{Channel, Layout, Rounding, Target, x86};
use crate::quantized::{BOUND, is_bounded_shift, rounding_constant, sum_bound};

impl OperatorKind {
    /// Weights and the number of kernel rows, of an operator that has weights.
    pub(super) fn weighted(&self) -> Option<(&WeightedSpec, usize)> {
        match self {
            Self::Conv2d { window, weighted } | Self::DepthwiseConv2d { window, weighted, .. } => {
                Some((weighted, window.kernel[0]))
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
            Ok(Channel { bias, multiplier, rounding: rounding_constant(shift, zero_point), shift })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let bounded = |c: &Channel| sum_bound(c.bias, taps) < BOUND && is_bounded_shift(c.shift);
    Ok(Folded { bounded: spec.rounding == Rounding::Double && channels.iter().all(bounded), channels })
}

/// The bytes of a constant with the weights in the order of `layout`.
pub(super) fn ordered(kind: &OperatorKind, layout: Layout) -> Vec<i8> {
    let Some((spec, rows)) = kind.weighted() else { return Vec::new() };
    let outputs = spec.bias.len();
    let taps = spec.weights.len() / outputs;
    if let OperatorKind::DepthwiseConv2d { .. } = kind {
        return (0..taps).flat_map(|tap| spec.weights[tap..].iter().step_by(taps)).copied().collect();
    }
    let row = taps / rows;
    let mut result = vec![0; layout.weight_bytes(outputs, rows, row).unwrap_or(0)];
    for (at, weight) in spec.weights.iter().enumerate() {
        result[layout.index(rows, row, [at / taps, at / row % rows, at % row])] = *weight;
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
    let suits = |layout: &&Layout| match kind {
        OperatorKind::Conv2d { .. } | OperatorKind::FullyConnected { .. } => true,
        OperatorKind::Lstm { .. } | OperatorKind::Gru { .. } | OperatorKind::Rnn { .. } => {
            matches!(layout, Layout::Natural | Layout::Dsp)
        }
        OperatorKind::DepthwiseConv2d { .. } => matches!(layout, Layout::Natural | Layout::X86),
        _ => **layout == Layout::Natural,
    };
    let mut suitable = target.layouts.iter().filter(suits);
    let chosen = if scarce { suitable.next_back() } else { suitable.next() };
    chosen.copied().unwrap_or_default()
}
