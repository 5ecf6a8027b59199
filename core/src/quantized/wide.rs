//! Sums of 64 bits back to 16: what networks with int16 activations round with.

use core::hint::select_unpredictable as select;

/// Sums that [`multiply_by_reduced_multiplier`] takes are below this in magnitude.
pub const WIDE_BOUND: i64 = 1 << 47;
/// Its largest shift to the left.
pub const MAX_WIDE_SHIFT: i32 = 7;

/// `x * multiplier * 2^(shift - 31)` with the multiplier rounded to 15 bits and one rounding, ties upwards, saturated. |`x`| < 2^47,
/// `shift` -31 to 7. TFLite `MultiplyByQuantizedMultiplier` of an int64 (which leaves results beyond 32 bits undefined).
#[inline]
pub fn multiply_by_reduced_multiplier(x: i64, multiplier: i32, shift: i32) -> i32 {
    let reduced = if multiplier < 0x7fff_0000 { multiplier.wrapping_add(1 << 15) >> 16 } else { 0x7fff };
    let total = 15i32.wrapping_sub(shift) as u32;
    let half = 1i64.wrapping_shl(total.wrapping_sub(1));
    let scaled = x.wrapping_mul(i64::from(reduced)).wrapping_add(half).wrapping_shr(total);
    scaled.max(i64::from(i32::MIN)).min(i64::from(i32::MAX)) as i32
}

/// 1 / sqrt(`x`) as `multiplier * 2^(-31 - right)`: (multiplier, right). 0 counts as 1. Five steps of Newton's method in
/// fixed point. TFLite `GetInvSqrtQuantizedMultiplierExp`.
pub fn inverse_sqrt(x: i32) -> (i32, u32) {
    const THREE_HALVES: i32 = (1 << 28) + (1 << 27);
    const HALF_SQRT_2: i32 = 1_518_500_250;
    // x * 4^pairs is in 2^27..2^29: a number of 3 integer bits, doubled, between 1/4 and 1.
    let (given, fours) = (x, u32::from(x >= 1 << 29));
    let x = x.wrapping_shr(2 * fours);
    let pairs = (x.leading_zeros().saturating_sub(1) / 2).saturating_sub(1);
    let right = (11u32 + fours).wrapping_sub(pairs);
    let x = x.wrapping_shl(2 * pairs) >> 1;
    let half = super::rounding_divide_by_pot(x, 1);
    let mul = super::saturating_rounding_doubling_high_mul;
    // A product of two numbers of 3 integer bits has 6, of three 9.
    let three = |y: i32, bits: u32| super::fixed::shift_left(y, bits);
    let mut y = 1 << 28;
    for _ in 0..5 {
        let cube = three(mul(mul(y, y), y), 6);
        y = three(mul(THREE_HALVES, y).wrapping_sub(mul(half, cube)), 3);
    }
    let y = mul(y, HALF_SQRT_2);
    // A negative right shift moves into the multiplier.
    let moved = select(right > 31, right.wrapping_neg(), 0);
    let (y, right) = (y.wrapping_shl(moved), right.wrapping_add(moved));
    (select(given <= 1, i32::MAX, y), select(given <= 1, 0, right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inverse_square_root_is_near() {
        let samples =
            (0..31).flat_map(|bit| [1i32 << bit, (1 << bit) + 1, (1 << bit) / 3 * 2, ((1i64 << (bit + 1)) - 1) as i32]);
        for x in samples.filter(|x| *x > 1) {
            let (multiplier, right) = inverse_sqrt(x);
            let found = f64::from(multiplier) / 2f64.powi(31 + right as i32);
            let exact = 1.0 / f64::from(x).sqrt();
            assert!((found / exact - 1.0).abs() < 4e-6, "{x}: {found} for {exact}");
        }
    }

    #[test]
    fn reduced_products_are_near_and_ties_go_up() {
        let double = |x| multiply_by_reduced_multiplier(x, 1 << 30, 1);
        assert_eq!([double(5), double(-5)], [5, -5]);
        let half = |x| multiply_by_reduced_multiplier(x, 1 << 30, 0);
        assert_eq!([half(5), half(-5), half(-1)], [3, -2, 0]);
        assert_eq!(multiply_by_reduced_multiplier((1 << 47) - 1, i32::MAX, 7), i32::MAX);
        assert_eq!(multiply_by_reduced_multiplier(-(1 << 47) + 1, i32::MAX, 7), i32::MIN);
        assert_eq!(multiply_by_reduced_multiplier(1 << 40, i32::MAX, -31), 512);
    }
}
