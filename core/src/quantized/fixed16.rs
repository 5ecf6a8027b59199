//! Logistic and tanh in gemmlowp's int16 fixed point, bit for bit, as LiteRT's LSTM has them.
//!
//! A number with `n` integer bits is its raw i16 times 2^(n - 15), kept in an i32 here. Both choices of a branch are computed, so
//! that every input costs the same. Source: gemmlowp `fixedpoint/fixedpoint.h`.

use core::hint::select_unpredictable as select;

use super::rounding_divide_by_pot;

/// One with 0 integer bits, as near as it gets.
const ONE: i32 = i16::MAX as i32;

/// A real number with 31 fractional bits (as gemmlowp's constants are given) with 15.
const fn narrowed(raw: i32) -> i32 {
    (raw + (1 << 15)) >> 16
}

fn saturated(x: i32) -> i32 {
    x.min(i32::from(i16::MAX)).max(i32::from(i16::MIN))
}

/// `x * 2^exponent`, saturated.
fn shift_left(x: i32, exponent: u32) -> i32 {
    saturated(x.wrapping_shl(exponent))
}

/// `SaturatingRoundingDoublingHighMul` for int16: ties upwards.
fn mul(a: i32, b: i32) -> i32 {
    saturated(a.wrapping_mul(b).wrapping_add(1 << 14) >> 15)
}

/// e^x for x <= 0 with `bits` integer bits (at most 7); the result has none. gemmlowp `exp_on_negative_values`.
fn exp_on_negative_values(x: i32, bits: u32) -> i32 {
    /// e to minus 2^-2, 2^-1, .. 2^4.
    const FACTORS: [i32; 7] = [1_672_461_947, 1_302_514_674, 790_015_084, 290_630_308, 39_332_535, 720_401, 242];
    let fraction = 15u32.wrapping_sub(bits);
    let quarter = 1i32.wrapping_shl(fraction.wrapping_sub(2));
    let within = (x & quarter.wrapping_sub(1)).wrapping_sub(quarter);
    let remainder = within.wrapping_sub(x);
    let mut result = exp_within_a_quarter(shift_left(within, bits));
    for (power, factor) in (0u32..).zip(FACTORS) {
        // Bits of the remainder from 2^-2 on, as far as there are integer bits.
        let bit = fraction.wrapping_sub(2).wrapping_add(power);
        let product = mul(result, narrowed(factor));
        result = select(remainder & 0x7fff & 1i32.wrapping_shl(bit) != 0, product, result);
    }
    // With 6 bits and more there is no factor for what is below -32.
    let lowest = if bits > 5 { 32i32.wrapping_shl(fraction).wrapping_neg() } else { i32::MIN };
    let result = select(x < lowest, 0, result);
    select(x == 0, ONE, result)
}

/// e^x for x in [-1/4, 0), no integer bits: a Taylor series around -1/8.
fn exp_within_a_quarter(x: i32) -> i32 {
    /// e^(-1/8) and 1/3.
    const CENTRE: i32 = narrowed(1_895_147_668);
    const THIRD: i32 = narrowed(715_827_883);
    let x = x.wrapping_add(1 << 12);
    let square = mul(x, x);
    let (cube, fourth) = (mul(square, x), mul(square, square));
    let quarter = rounding_divide_by_pot(fourth, 2);
    let tail = rounding_divide_by_pot(mul(quarter.wrapping_add(cube), THIRD).wrapping_add(square), 1);
    saturated(CENTRE.wrapping_add(mul(CENTRE, x.wrapping_add(tail))))
}

/// 2 / (1 + x) for x in [0, 1), with 2 integer bits: three steps of Newton's method.
fn two_over_one_plus(x: i32) -> i32 {
    const FORTY_EIGHT_SEVENTEENTHS: i32 = narrowed(1_515_870_810);
    const MINUS_THIRTY_TWO_SEVENTEENTHS: i32 = narrowed(-1_010_580_540);
    let half = x.wrapping_add(ONE + 1) >> 1;
    let first = FORTY_EIGHT_SEVENTEENTHS.wrapping_add(mul(half, MINUS_THIRTY_TWO_SEVENTEENTHS));
    let step = |y: i32| y.wrapping_add(shift_left(mul(y, (1i32 << 13).wrapping_sub(mul(half, y))), 2));
    step(step(step(first)))
}

/// 1 / (1 + e^-x) with 15 fractional bits for x with 12 fractional bits. gemmlowp `logistic`.
pub fn logistic(x: i16) -> i16 {
    let x = i32::from(x);
    let positive = shift_left(two_over_one_plus(exp_on_negative_values(-x.abs(), 3)), 1);
    select(x == 0, 1 << 14, select(x > 0, positive, ONE - positive)) as i16
}

/// tanh(x) with 15 fractional bits for x with `integer_bits` (0 to 6) before the point. gemmlowp `tanh`.
pub fn tanh(x: i16, integer_bits: u32) -> i16 {
    let x = i32::from(x);
    // (1 - e) / (1 + e) with e = exp(-2 |x|); doubling is one integer bit more.
    let e = exp_on_negative_values(-x.abs(), integer_bits.wrapping_add(1));
    let magnitude = shift_left(two_over_one_plus(e).wrapping_sub(1 << 13), 2);
    select(x == 0, 0, select(x > 0, magnitude, -magnitude)) as i16
}
