//! Layer normalization over the last dimension, in integers.
//!
//! ```text
//! d(i)      = n * input(i) - sum of input                         n times the distance from the mean
//! v         = n * sum of input^2 - (sum of input)^2 + epsilon     n^2 times the variance, exact
//! r(i)      = round(2^12 * d(i) / sqrt(v))                        12 fractional bits, ties upwards
//! output(i) = saturate((r(i) * gamma(i) + beta(i)) * multiplier + zero point)
//! ```
//!
//! n elements, at most 65,535; the input's zero point and scale cancel out but for epsilon, `n^2 * epsilon / scale^2`. gamma is int16,
//! beta int32 in units of gamma's scale / 2^12; the multiplier is `gamma's scale / (2^12 * output scale)`, and the sum of 48 bits
//! is scaled as in `crate::quantized::wide`. `1 / sqrt(v)` is that of TFLite's LSTM with layer normalization
//! (`GetInvSqrtQuantizedMultiplierExp`) for v / 4^s with the smallest s that makes it an int32.
//! TFLite has no layer normalization for int8 (it makes a dozen operators of it); this one is within one step of the float
//! formula. Source: Ba et al. 2016.

use super::record::Record;
use super::{Kernels, Node, Sides, parts, parts_mut};
use crate::LoadError;
use crate::blob::Activation;
use crate::quantized::Multiplier;
use crate::quantized::wide::{MAX_WIDE_SHIFT, WIDE_BOUND, inverse_sqrt, multiply_by_reduced_multiplier};
use crate::session::{Memory, Open};

/// Fractional bits of normalized values.
pub const BITS: u32 = 12;
/// Largest epsilon: v stays below 2^49.
pub const MAX_EPSILON: i64 = 1 << 48;

/// A layer normalization, ready to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerNorm<'m> {
    /// Added to v, 1 to 2^48.
    pub epsilon: i64,
    /// From gamma's scale to the output's.
    pub scale: Multiplier,
    /// One per element.
    pub gamma: &'m [i16],
    /// One per element.
    pub beta: &'m [i32],
}

impl LayerNorm<'_> {
    fn row(&self, x: &[i8], zero_point: i32, y: &mut [i8]) {
        let n = x.len() as i64;
        let sum: i32 = x.iter().fold(0, |sum, q| sum.wrapping_add(i32::from(*q)));
        let squares: i64 = x.iter().fold(0i64, |sum, q| sum.wrapping_add(i64::from(i32::from(*q) * i32::from(*q))));
        let v = (n * squares).wrapping_sub(i64::from(sum) * i64::from(sum)).wrapping_add(self.epsilon);
        let (multiplier, right) = inverse_of_root(v);
        let half = 1i64.wrapping_shl(right.wrapping_sub(1));
        for ((q, y), (gamma, beta)) in x.iter().zip(y).zip(self.gamma.iter().zip(self.beta)) {
            let distance = (n as i32).wrapping_mul(i32::from(*q)).wrapping_sub(sum);
            let r = (i64::from(distance) * i64::from(multiplier)).wrapping_add(half).wrapping_shr(right);
            let sum = r.wrapping_mul(i64::from(*gamma)).wrapping_add(i64::from(*beta));
            let scaled = multiply_by_reduced_multiplier(sum, self.scale.multiplier, self.scale.shift);
            *y = Activation::NONE.clamp(scaled.saturating_add(zero_point));
        }
    }
}

/// 2^12 / sqrt(v) as `multiplier / 2^right`, v below 2^49: `right` is 19 to 45.
fn inverse_of_root(v: i64) -> (i32, u32) {
    // Pairs of bits beyond 31.
    let fours = 33u32.saturating_sub(v.leading_zeros()).div_ceil(2);
    let (multiplier, right) = inverse_sqrt(v.wrapping_shr(2 * fours) as i32);
    (multiplier, right.wrapping_add(fours).wrapping_add(31 - BITS))
}

impl<'m> Node<'m> for LayerNorm<'m> {
    fn decode(record: &Record<'_, 'm>) -> Result<Self, LoadError> {
        record.expect_no_options()?;
        record.expect_unused(2, 4)?;
        let &[_, _, low, high, ..] = &record.raw.parameters;
        let epsilon = i64::from(high) << 32 | i64::from(low as u32);
        if !(1..=MAX_EPSILON).contains(&epsilon) {
            return Err(LoadError::BadParameter { operator: record.index });
        }
        let scale = record.multiplier(0, -31..=MAX_WIDE_SHIFT)?;
        Ok(Self { epsilon, scale, gamma: record.constant(0)?, beta: record.constant(1)? })
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        let depth = sides.input.shape().last().map_or(0, |d| *d as usize);
        if sides.input.shape() != sides.output.shape() {
            return Err(LoadError::ShapeMismatch { operator });
        }
        // |r| <= 2^12 * sqrt(n) and a little more, below 2^21.
        const { assert!((1i64 << 21) * (1 << 15) + (1 << 31) < WIDE_BOUND) };
        let fits = self.gamma.len() == depth && self.beta.len() == depth;
        if fits { Ok(()) } else { Err(LoadError::BadConstant { operator }) }
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        let Some(Open { inputs: [input], output, .. }) = memory.open([sides.input], sides.output) else { return };
        let depth = sides.input.shape().last().map_or(1, |d| *d as usize);
        for (x, y) in parts(input, depth).zip(parts_mut(output, depth)) {
            self.row(x, sides.output.zero_point(), y);
        }
    }

    fn parameters(&self) -> u64 {
        self.gamma.len() as u64 + self.beta.len() as u64
    }
}
