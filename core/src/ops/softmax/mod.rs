//! Softmax over the last dimension, in integers.
//!
//! ```text
//! e(c)      = exp(beta * input scale * (input(c) - max))        fixed point, 0 where the difference is below -31 / (beta * scale)
//! output(c) = clamp(round(256 * e(c) / sum of e) - 128)
//! ```
//!
//! The output's scale is 1/256, its zero point -128. `beta * input scale * 2^26` is the multiplier. Exponential and
//! reciprocal are gemmlowp's, so that the bytes are those of TFLite Micro and CMSIS-NN.
//! Source: TFLite `reference_ops::Softmax` for int8. (LiteRT's own kernel uses a table of floats and may differ by one.)

use core::hint::select_unpredictable;

use super::record::Record;
use super::{Kernels, Node, Sides, parts, parts_mut};
use crate::LoadError;
use crate::quantized::{Multiplier, fixed, rounding_divide_by_pot, rounding_doubling_high_mul};
use crate::session::{Memory, Open};

/// Most elements of the last dimension: the sum of as many ones still fits.
pub const MAX_DEPTH: usize = 4095;
/// Integer bits of the scaled differences.
const DIFFERENCE_BITS: u32 = 5;
/// Magnitude from which on scaled differences count as minus infinity: 31.
const LARGEST: i32 = ((1 << DIFFERENCE_BITS) - 1) << (31 - DIFFERENCE_BITS);

/// A softmax, ready to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Softmax {
    /// `beta * input scale * 2^26`; at least one, so its shift is 0 to 30.
    pub scale: Multiplier,
}

impl Softmax {
    /// The multiplier for these numbers; `None` where it is below one, which TFLite refuses too. For hosts.
    #[cfg(any(test, feature = "writer"))]
    pub fn for_scale(beta: f32, input: f32) -> Option<Self> {
        let real = f64::from(beta) * f64::from(input) * f64::from(1 << (31 - DIFFERENCE_BITS));
        let (multiplier, shift) = crate::quantized::quantize_multiplier(real.min(f64::from(i32::MAX)));
        (shift >= 0).then_some(Self { scale: Multiplier { multiplier, shift } })
    }

    /// Input and output of one shape, row by row.
    fn rows(&self, sides: Sides<'_>, input: &[i8], output: &mut [i8]) {
        let depth = sides.input.shape().last().map_or(1, |d| *d as usize);
        for (x, y) in parts(input, depth).zip(parts_mut(output, depth)) {
            self.row(x, y);
        }
    }

    fn row(&self, x: &[i8], y: &mut [i8]) {
        let largest = x.iter().fold(i8::MIN, |largest, q| largest.max(*q));
        let exponential = |q: &i8| self.exponential(i32::from(*q) - i32::from(largest));
        let sum = x.iter().fold(0i32, |sum, q| sum.wrapping_add(rounding_divide_by_pot(exponential(q), 12)));
        let (reciprocal, bits) = fixed::reciprocal(sum);
        for (q, y) in x.iter().zip(y) {
            *y = share(exponential(q), reciprocal, bits);
        }
    }

    /// e to the scaled `difference` <= 0, without integer bits; 0 where it counts as zero.
    fn exponential(&self, difference: i32) -> i32 {
        let Multiplier { multiplier, shift } = self.scale;
        let lowest = -(LARGEST.wrapping_shr(shift as u32));
        let shifted = difference.max(lowest).wrapping_shl(shift as u32);
        let e = fixed::exp_on_negative_values::<DIFFERENCE_BITS>(rounding_doubling_high_mul(shifted, multiplier));
        select_unpredictable(difference >= lowest, e, 0)
    }
}

/// 256 times the share `e` has of the sum, less 128.
fn share(e: i32, reciprocal: i32, bits: i32) -> i8 {
    let product = rounding_doubling_high_mul(e, reciprocal);
    // A division by 2^(bits + 23), which leaves nothing from 2^32 on: all but one bit, one for ties, the last bit.
    let share = (product.wrapping_shr((bits + 31 - 8 - 1).min(31) as u32) + 1) >> 1;
    (share - 128).min(127) as i8
}

impl Node<'_> for Softmax {
    fn decode(record: &Record<'_, '_>) -> Result<Self, LoadError> {
        record.expect_no_options()?;
        record.expect_unused(0, 2)?;
        Ok(Self { scale: record.multiplier(0, 0..=30)? })
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        let depth = sides.input.shape().last().map_or(0, |d| *d as usize);
        if sides.input.shape() != sides.output.shape() || depth > MAX_DEPTH {
            return Err(LoadError::ShapeMismatch { operator });
        }
        let fixed = sides.output.scale() == 1.0 / 256.0 && sides.output.zero_point() == -128;
        if fixed { Ok(()) } else { Err(LoadError::QuantizationMismatch { operator }) }
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        if let Some(Open { inputs: [input], output, .. }) = memory.open([sides.input], sides.output) {
            self.rows(sides, input, output);
        }
    }
}
