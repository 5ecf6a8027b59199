//! The one place of each rounding.
//!
//! An accumulator (i32) becomes an output (int8) by a multiplication with a real number below or near one, written as
//! `multiplier * 2^-31 * 2^shift`. How that product is rounded decides the last bit, so it is spelled here once, in the
//! form of the specification (gemmlowp and TFLite's reference kernels), and once more in a short form that is equal
//! wherever an operator is flagged bounded. `docs/quantization.md` derives both.

pub(crate) mod fixed;
pub(crate) mod fixed16;
pub mod table16;
pub(crate) mod wide;

use crate::arch::dsp::smmlar;
use crate::blob::{Channel, Rounding};

/// Largest right shift for which the short form is exact.
pub const MAX_BOUNDED_SHIFT: i32 = 22;
/// Sums of a bounded operator are below this in magnitude.
pub const BOUND: i64 = 1 << 29;

/// `round(a * b / 2^31)`, ties away from minus infinity for positive products and as gemmlowp has it for negative ones;
/// the one product that does not fit, MIN * MIN, gives MAX.
#[inline]
pub fn saturating_rounding_doubling_high_mul(a: i32, b: i32) -> i32 {
    let rounded = high_mul(a, b);
    // Only MIN times MIN gets here, as 2^31; no branch, so that the count of instructions stays the same.
    rounded.wrapping_sub(i32::from(rounded == i32::MIN))
}

/// The same of factors that are not both MIN. On boards once: softmax would have it a dozen times.
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline(always))]
pub(crate) fn rounding_doubling_high_mul(a: i32, b: i32) -> i32 {
    high_mul(a, b)
}

#[inline(always)]
fn high_mul(a: i32, b: i32) -> i32 {
    // Half up is what gemmlowp's nudge and truncation give, for either sign.
    ((i64::from(a) * i64::from(b) + (1 << 30)) >> 31) as i32
}

/// `x / 2^exponent`, rounded to nearest, ties away from zero. `exponent` is 0 to 31.
#[inline]
pub fn rounding_divide_by_pot(x: i32, exponent: u32) -> i32 {
    let mask = (1i64.wrapping_shl(exponent) - 1) as i32;
    let remainder = x & mask;
    let threshold = (mask >> 1) + i32::from(x < 0);
    x.wrapping_shr(exponent.min(31)).wrapping_add(i32::from(remainder > threshold))
}

/// `x * multiplier * 2^(shift - 31)` with gemmlowp's two roundings. `shift` is -31 to 30, > 0 to the left.
#[inline]
pub fn multiply_by_quantized_multiplier(x: i32, multiplier: i32, shift: i32) -> i32 {
    let left = shift.max(0) as u32;
    let right = (-shift.min(0)) as u32;
    rounding_divide_by_pot(saturating_rounding_doubling_high_mul(x.wrapping_shl(left), multiplier), right)
}

/// The same product rounded once, ties upwards, saturated. `shift` is -31 to 30.
#[inline]
pub fn multiply_by_quantized_multiplier_single(x: i32, multiplier: i32, shift: i32) -> i32 {
    let total = (31 - shift) as u32;
    let rounded = (i64::from(x) * i64::from(multiplier)).wrapping_add(1i64.wrapping_shl(total.wrapping_sub(1)));
    rounded.wrapping_shr(total).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

/// A real number, `multiplier * 2^(shift - 31)`: see [`quantize_multiplier`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Multiplier {
    /// 31 fractional bits, >= 0.
    pub multiplier: i32,
    /// Power of two, > 0 to the left.
    pub shift: i32,
}

impl Multiplier {
    /// `x` times this number, rounded twice.
    #[inline]
    pub fn apply(self, x: i32) -> i32 {
        multiply_by_quantized_multiplier(x, self.multiplier, self.shift)
    }

    /// [`Self::apply`] in few instructions. Exact for |`x`| < 2^29 and a shift of -31 to 0.
    #[inline(always)]
    pub fn apply_short(self) -> impl Fn(i32) -> i32 {
        let right = self.shift.wrapping_neg() as u32;
        // Without a second rounding there are neither ties nor a half to add.
        let (ties, half) = if right == 0 { (0, 0) } else { (-1, 1i32.wrapping_shl(right.wrapping_sub(1))) };
        move |x| {
            let rounding = half.wrapping_add((x >> 31) & ties);
            smmlar(x.wrapping_shl(1), self.multiplier, rounding).wrapping_shr(right)
        }
    }
}

/// A sum to the output's scale and zero point, not yet clamped. The specification, for every channel.
#[inline]
pub fn requantize(sum: i32, channel: &Channel, zero_point: i32, rounding: Rounding) -> i32 {
    let scaled = match rounding {
        Rounding::Double => multiply_by_quantized_multiplier(sum, channel.multiplier, channel.shift),
        Rounding::Single => multiply_by_quantized_multiplier_single(sum, channel.multiplier, channel.shift),
    };
    scaled.saturating_add(zero_point)
}

/// [`requantize`] with double rounding for channels of a bounded operator, |`sum`| < 2^29: the zero point and
/// the half of the last rounding are in the channel's rounding constant.
#[inline(always)]
pub fn requantize_bounded(sum: i32, channel: &Channel) -> i32 {
    scale_bounded(sum, channel.multiplier, channel.rounding, channel.shift.wrapping_neg() as u32)
}

/// [`requantize`] with double rounding of a sum that is stored doubled, as its channel is: the shift is to the right, 0 to 31.
#[inline]
pub fn requantize_doubled(doubled: i32, channel: &Channel, zero_point: i32) -> i32 {
    let high = ((i64::from(doubled) * i64::from(channel.multiplier) + (1 << 31)) >> 32) as i32;
    rounding_divide_by_pot(high, channel.shift as u32).saturating_add(zero_point)
}

/// [`requantize_doubled`] in few instructions, for every sum.
#[inline(always)]
pub fn requantize_doubled_bounded(doubled: i32, channel: &Channel) -> i32 {
    let rounding = channel.rounding.wrapping_add(doubled >> 31);
    smmlar(doubled, channel.multiplier, rounding).wrapping_shr(channel.shift as u32)
}

/// `sum * multiplier / 2^(31 + right)` rounded twice, for |`sum`| < 2^29 and `right` in 1 to 22, plus what `rounding` has in
/// units of 2^right beside the half, 2^(right - 1).
#[inline(always)]
pub fn scale_bounded(sum: i32, multiplier: i32, rounding: i32, right: u32) -> i32 {
    // Ties of negative numbers round away from zero: one less before the division.
    smmlar(sum.wrapping_shl(1), multiplier, rounding.wrapping_add(sum >> 31)).wrapping_shr(right)
}

/// `product / 2^15` to nearest, ties away from zero. `product` <= 2^31 - 2^14 - 1.
#[inline(always)]
pub fn scaled_15(product: i32) -> i32 {
    product.wrapping_add(product >> 31).wrapping_add(1 << 14) >> 15
}

/// `product / 2^bits` rounded twice, the first time by half: the product with a multiplier of 2^30. |`product`| <= 2^30,
/// `bits` 2 to 22.
#[inline(always)]
pub fn halved_twice(product: i32, bits: u32) -> i32 {
    // floor((floor(p / 2) + 2^(bits - 2) - (p < 0)) / 2^(bits - 1)) of p = product + 1, in one division.
    let product = product.wrapping_add(1);
    let half = 1i32.wrapping_shl(bits.wrapping_sub(2)).wrapping_add(product >> 31);
    product.wrapping_add(half << 1).wrapping_shr(bits)
}

/// The rounding constant of a channel: `(1 << (r - 1)) + (zero_point << r)` with `r = -shift` in 1 to 22, else 0.
pub const fn rounding_constant(shift: i32, zero_point: i32) -> i32 {
    if is_bounded_shift(shift) { (1 << (-shift - 1)) + zero_point * (1 << -shift) } else { 0 }
}

/// Whether the short form can serve this shift.
pub const fn is_bounded_shift(shift: i32) -> bool {
    shift <= -1 && shift >= -MAX_BOUNDED_SHIFT
}

/// An upper bound of |sum| over all int8 inputs and weights: `|bias| + 2^14 * taps`.
///
/// `bias` is the folded one. Independent of the weights on purpose: a loader can check it without reading them.
pub const fn sum_bound(bias: i32, taps: usize) -> i64 {
    let bias = bias as i64;
    // Taps beyond 2^40 bytes of weights do not exist; the cap keeps the product in range.
    let taps = if taps as u64 > 1 << 40 { 1 << 40 } else { taps as i64 };
    (if bias < 0 { -bias } else { bias }) + (taps << 14)
}

/// A positive real number as `multiplier * 2^(shift - 31)` with `multiplier` in [2^30, 2^31), exactly as TFLite's
/// `QuantizeMultiplier` chooses it; 0 and numbers below 2^-32 give (0, 0). For hosts: the boards never see a float.
#[cfg(any(test, feature = "writer"))]
pub fn quantize_multiplier(real: f64) -> (i32, i32) {
    if !(real > 0.0 && real.is_finite()) {
        return (0, 0);
    }
    // frexp: real = fraction * 2^exponent with fraction in [0.5, 1).
    let scaled = if real < f64::MIN_POSITIVE { real * 2f64.powi(64) } else { real };
    let offset = if real < f64::MIN_POSITIVE { 64 } else { 0 };
    let exponent = ((scaled.to_bits() >> 52) & 0x7ff) as i32 - 1022;
    let fraction = f64::from_bits((scaled.to_bits() & !(0x7ff << 52)) | (1022 << 52));
    let mut shift = exponent - offset;
    let mut multiplier = (fraction * (1i64 << 31) as f64).round() as i64;
    if multiplier == 1 << 31 {
        multiplier /= 2;
        shift += 1;
    }
    match shift {
        ..-31 => (0, 0),
        31.. => (i32::MAX, 30),
        _ => (multiplier as i32, shift),
    }
}

#[cfg(test)]
mod tests;
