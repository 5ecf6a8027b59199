//! General convolutions and layer normalizations as the writer has them, and their way to and from a record.

use std::vec::Vec;

use super::format::{FLAG_INT4, FLAG_TRANSPOSED, OperatorRecord};
use super::pack::{constant, window_parameters};
use super::write::WriteError;
use super::{Activation, Scaling, Tensor, WideChannel, Window};
use crate::ops::layer_norm::{BITS, MAX_EPSILON};
use crate::ops::{GeneralConv2d, LayerNorm};
use crate::quantized::{Multiplier, quantize_multiplier};

/// [`GeneralConv2d`] as TFLite would describe it: one weight to an element, bias not folded.
#[derive(Debug, Clone, PartialEq)]
pub struct GeneralSpec {
    /// Kernel, stride, dilation, padding.
    pub window: Window,
    /// Whether it is transposed.
    pub transposed: bool,
    /// Parts of the input's channels.
    pub groups: usize,
    /// Whether weights are -8 to 7 and share bytes.
    pub int4: bool,
    /// Row-major: output channels x kernel height x kernel width x input channels of a group.
    pub weights: Vec<i8>,
    /// One per output channel, in units of input scale x weight scale; the input's zero point is not folded in.
    pub bias: Vec<i64>,
    /// Multiplier and shift of each output channel.
    pub multipliers: Vec<(i32, i32)>,
    /// How sums are scaled.
    pub scaling: Scaling,
    /// Smallest and largest output.
    pub range: [i16; 2],
}

impl GeneralSpec {
    /// Weights of one output channel.
    fn taps(&self) -> usize {
        self.weights.len() / self.bias.len().max(1)
    }

    /// Channels of the input.
    pub(super) fn input_channels(&self) -> usize {
        let area = self.window.kernel[0].saturating_mul(self.window.kernel[1]).max(1);
        (self.taps() / area).saturating_mul(self.groups)
    }

    /// Fills in a record; the input has this zero point.
    pub(super) fn pack(
        &self,
        operator: usize,
        zero_point: i32,
        record: &mut OperatorRecord,
        constants: &mut Vec<u8>,
    ) -> Result<(), WriteError> {
        let outputs = self.bias.len();
        let whole = outputs > 0 && self.multipliers.len() == outputs && self.weights.len().is_multiple_of(outputs);
        if !whole || self.weights.is_empty() {
            return Err(WriteError::Inconsistent { operator });
        }
        window_parameters(record, &self.window, Activation::NONE);
        record.parameters[8..10].copy_from_slice(&self.range.map(i32::from));
        record.parameters[10] = i32::try_from(self.groups).unwrap_or(-1);
        record.parameters[11] = i32::try_from(self.input_channels()).unwrap_or(-1);
        record.rounding = self.scaling as u8;
        record.flags = if self.int4 { FLAG_INT4 } else { 0 } | if self.transposed { FLAG_TRANSPOSED } else { 0 };
        let mut channels = Vec::new();
        let rows = self.weights.chunks_exact(self.taps()).zip(&self.bias).zip(&self.multipliers);
        for ((weights, bias), (multiplier, shift)) in rows {
            let sum: i64 = weights.iter().map(|w| i64::from(*w)).sum();
            let bias = bias.checked_sub(i64::from(zero_point) * sum).ok_or(WriteError::BiasOverflow { operator })?;
            channels.push(WideChannel { bias, multiplier: *multiplier, shift: *shift });
        }
        let weights = if self.int4 { pairs(&self.weights) } else { self.weights.clone() };
        record.constants[0] = constant(constants, bytemuck::cast_slice(&weights))?;
        record.constants[1] = constant(constants, bytemuck::cast_slice(&channels))?;
        Ok(())
    }

    /// What `conv`, which reads `input`, was written from.
    pub(super) fn unpack(conv: &GeneralConv2d<'_>, input: &Tensor) -> Self {
        let (taps, outputs) = (conv.taps(), conv.channels.len());
        let half = |at: usize| conv.weights[at / 2] << (4 - 4 * (at % 2)) >> 4;
        let weights = match conv.int4 {
            true => (0..taps * outputs).map(half).collect(),
            false => conv.weights.to_vec(),
        };
        let unfold = |(weights, channel): (&[i8], &WideChannel)| {
            let sum: i64 = weights.iter().map(|w| i64::from(*w)).sum();
            channel.bias.wrapping_add(i64::from(input.zero_point()) * sum)
        };
        Self {
            window: conv.window,
            transposed: conv.transposed,
            groups: conv.groups,
            int4: conv.int4,
            bias: weights.chunks_exact(taps).zip(conv.channels).map(unfold).collect(),
            multipliers: conv.channels.iter().map(|channel| (channel.multiplier, channel.shift)).collect(),
            weights,
            scaling: conv.scaling,
            range: conv.range,
        }
    }
}

/// Two weights to a byte, the first in the lower half.
fn pairs(weights: &[i8]) -> Vec<i8> {
    weights.chunks(2).map(|pair| (pair[0] & 15) | pair.get(1).copied().unwrap_or(0) << 4).collect()
}

/// [`LayerNorm`] with its constants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerNormSpec {
    /// Added to n^2 times the variance.
    pub epsilon: i64,
    /// From gamma's scale to the output's.
    pub scale: Multiplier,
    /// One per element of the last dimension.
    pub gamma: Vec<i16>,
    /// One per element.
    pub beta: Vec<i32>,
}

impl LayerNormSpec {
    /// From real numbers and the scales of input and output; gamma's scale is the finest that gamma and beta fit.
    pub fn for_scales(gamma: &[f32], beta: &[f32], epsilon: f32, input: f32, output: f32) -> Self {
        let largest = |values: &[f32]| values.iter().fold(0f64, |largest, v| largest.max(f64::from(v.abs())));
        let one = f64::from(1u32 << BITS);
        let step = (largest(gamma) / f64::from(i16::MAX)).max(largest(beta) * one / f64::from(i32::MAX)).max(1e-12);
        let (multiplier, shift) = quantize_multiplier(step / (one * f64::from(output)));
        let squared = (gamma.len() as f64).powi(2) / f64::from(input).powi(2);
        Self {
            epsilon: ((f64::from(epsilon) * squared).round() as i64).clamp(1, MAX_EPSILON),
            scale: Multiplier { multiplier, shift },
            gamma: gamma.iter().map(|v| (f64::from(*v) / step).round() as i16).collect(),
            beta: beta.iter().map(|v| (f64::from(*v) * one / step).round() as i32).collect(),
        }
    }

    /// Fills in a record.
    pub(super) fn pack(&self, record: &mut OperatorRecord, constants: &mut Vec<u8>) -> Result<(), WriteError> {
        let Multiplier { multiplier, shift } = self.scale;
        let words = [multiplier, shift, self.epsilon as i32, (self.epsilon >> 32) as i32];
        record.parameters[..4].copy_from_slice(&words);
        record.constants[0] = constant(constants, bytemuck::cast_slice(&self.gamma))?;
        record.constants[1] = constant(constants, bytemuck::cast_slice(&self.beta))?;
        Ok(())
    }

    /// What `norm` was written from.
    pub(super) fn unpack(norm: &LayerNorm<'_>) -> Self {
        let LayerNorm { epsilon, scale, gamma, beta } = *norm;
        Self { epsilon, scale, gamma: gamma.to_vec(), beta: beta.to_vec() }
    }
}
