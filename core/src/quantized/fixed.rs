//! Exponential, reciprocal, logistic and tanh in gemmlowp's fixed point, bit for bit.
//!
//! A number with `n` integer bits is its raw i32 times 2^(n - 31). Where the source branches, both ways are computed and one is taken,
//! so that every input costs the same. Source: gemmlowp `fixedpoint/fixedpoint.h`.

use core::hint::select_unpredictable as select;

// No product here is that of two MIN.
use super::{rounding_divide_by_pot, rounding_doubling_high_mul as mul};

/// One with 0 integer bits, as near as it gets.
const ONE: i32 = i32::MAX;

/// `x * 2^exponent`, saturated.
pub(super) fn shift_left(x: i32, exponent: u32) -> i32 {
    let shifted = x.wrapping_shl(exponent);
    select(shifted.wrapping_shr(exponent) == x, shifted, (x >> 31) ^ i32::MAX)
}

/// e^x for x <= 0 with `BITS` (2 to 5) integer bits; the result has none. gemmlowp `exp_on_negative_values`.
pub fn exp_on_negative_values<const BITS: u32>(x: i32) -> i32 {
    /// e to minus 2^-2, 2^-1, .. 2^4: one for each bit of x from that power of two on.
    const FACTORS: [i32; 7] = [1_672_461_947, 1_302_514_674, 790_015_084, 290_630_308, 39_332_535, 720_401, 242];
    const { assert!(BITS >= 2 && BITS <= 5) };
    let quarter: i32 = 1 << (29 - BITS);
    let within = (x & (quarter - 1)) - quarter;
    let remainder = within.wrapping_sub(x);
    let product = |result, (bit, factor)| select(remainder & (1 << bit) != 0, mul(result, factor), result);
    let powers = (29 - BITS..31).zip(FACTORS);
    let result = powers.fold(exp_within_a_quarter(within << BITS), product);
    select(x == 0, ONE, result)
}

/// e^x for x in [-1/4, 0), no integer bits: a Taylor series around -1/8.
fn exp_within_a_quarter(x: i32) -> i32 {
    /// e^(-1/8) and 1/3.
    const CENTRE: i32 = 1_895_147_668;
    const THIRD: i32 = 715_827_883;
    let x = x.wrapping_add(1 << 28);
    let square = mul(x, x);
    let (cube, fourth) = (mul(square, x), mul(square, square));
    let quarter = rounding_divide_by_pot(fourth, 2);
    let tail = rounding_divide_by_pot(mul(quarter.wrapping_add(cube), THIRD).wrapping_add(square), 1);
    CENTRE.wrapping_add(mul(CENTRE, x.wrapping_add(tail)))
}

/// 1 / `sum`, where `sum` > 0 has 12 integer bits, as a number without integer bits and the power of two, 0 to 11 for sums from
/// 1, by which it must still be divided. gemmlowp `GetReciprocal`.
pub fn reciprocal(sum: i32) -> (i32, i32) {
    let headroom = sum.leading_zeros();
    // The sum is 2^bits * (1 + fraction).
    let fraction = (sum as u32).wrapping_shl(headroom).wrapping_sub(1 << 31) as i32;
    (one_over_one_plus(fraction), 12 - headroom as i32)
}

/// 1 / (1 + x) for x in [0, 1).
fn one_over_one_plus(x: i32) -> i32 {
    shift_left(two_over_one_plus(x), 1)
}

/// 2 / (1 + x) for x in [0, 1), with 2 integer bits: three steps of Newton's method.
fn two_over_one_plus(x: i32) -> i32 {
    const FORTY_EIGHT_SEVENTEENTHS: i32 = 1_515_870_810;
    const MINUS_THIRTY_TWO_SEVENTEENTHS: i32 = -1_010_580_540;
    // Both are not negative: their sum, rounded, halved.
    let half = ((x as u32).wrapping_add(1 << 31) >> 1) as i32;
    let first = FORTY_EIGHT_SEVENTEENTHS.wrapping_add(mul(half, MINUS_THIRTY_TWO_SEVENTEENTHS));
    let step = |y: i32| {
        let error = (1i32 << 29).wrapping_sub(mul(half, y));
        y.wrapping_add(shift_left(mul(y, error), 2))
    };
    step(step(step(first)))
}

/// 1 / (1 + e^-x) for x with 4 integer bits; the result has none. gemmlowp `logistic`.
#[cfg(any(test, feature = "writer"))]
pub fn logistic(x: i32) -> i32 {
    let positive = one_over_one_plus(exp_on_negative_values::<4>(x.wrapping_abs().wrapping_neg()));
    match x {
        0 => 1 << 30,
        1.. => positive,
        _ => ONE - positive,
    }
}

/// tanh(x) for x with 4 integer bits; the result has none. gemmlowp `tanh`.
#[cfg(any(test, feature = "writer"))]
pub fn tanh(x: i32) -> i32 {
    // (1 - e) / (1 + e) with e = exp(-2 |x|); doubling is one integer bit more.
    let e = exp_on_negative_values::<5>(x.wrapping_abs().wrapping_neg());
    let magnitude = shift_left(two_over_one_plus(e).wrapping_sub(1 << 29), 2);
    match x {
        0 => 0,
        1.. => magnitude,
        _ => -magnitude,
    }
}
