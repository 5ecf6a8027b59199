use super::*;
use proptest::prelude::*;

/// The definition by exact rational arithmetic in i128, written independently.
fn double_rounding(x: i32, multiplier: i32, shift: i32) -> i64 {
    let doubled = (i128::from(x) << shift.max(0)) * i128::from(multiplier);
    let magnitude = doubled.unsigned_abs();
    // gemmlowp's first rounding is to nearest with ties upwards (towards plus infinity).
    let first = if doubled >= 0 { (magnitude + (1 << 30)) >> 31 } else { (magnitude + (1 << 30) - 1) >> 31 } as i128;
    let first = if doubled >= 0 { first } else { -first };
    let right = -shift.min(0);
    if right == 0 {
        return first as i64;
    }
    let half = 1i128 << (right - 1);
    let second = (first.abs() + half) >> right;
    (if first < 0 { -second } else { second }) as i64
}

/// Multipliers and sums near the places where rounding changes its mind.
fn edges(limit: i32) -> impl Strategy<Value = i32> {
    prop_oneof![
        -limit..=limit,
        (0u32..31, -3i32..=3, any::<bool>()).prop_map(move |(bit, delta, negative)| {
            let value = (1i32 << bit).saturating_add(delta).min(limit);
            if negative { -value } else { value }
        }),
        Just(0),
        Just(limit),
        Just(-limit),
    ]
}

fn multipliers() -> impl Strategy<Value = i32> {
    prop_oneof![(1i32 << 30)..=i32::MAX, Just(1 << 30), Just((1 << 30) + 1), Just(i32::MAX), Just(0), 0..=i32::MAX]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 10 } else { 20_000 }))]

    #[test]
    fn the_specification_is_the_definition(x in edges(1 << 29), m in multipliers(), shift in -31i32..=1) {
        prop_assert_eq!(i64::from(multiply_by_quantized_multiplier(x, m, shift)), double_rounding(x, m, shift));
    }

    #[test]
    fn the_short_form_is_equal(x in edges((1 << 29) - 1), m in multipliers(), r in 1i32..=22, zero in -128i32..=127) {
        let channel = Channel { bias: 0, multiplier: m, rounding: rounding_constant(-r, zero), shift: -r };
        prop_assert_eq!(requantize_bounded(x, &channel), requantize(x, &channel, zero, Rounding::Double));
    }

    #[test]
    fn doubled_sums_are_equal(x in edges((1 << 29) - 1), m in multipliers(), r in 1i32..=22, zero in -128i32..=127) {
        let rounding = rounding_constant(-r, zero);
        let plain = requantize(x, &Channel { bias: 0, multiplier: m, rounding, shift: -r }, zero, Rounding::Double);
        let stored = Channel { bias: 0, multiplier: m, rounding, shift: r };
        prop_assert_eq!(requantize_doubled(2 * x, &stored, zero), plain);
        prop_assert_eq!(requantize_doubled_bounded(2 * x, &stored), plain);
    }

    /// Sums that only a damaged blob can reach, odd ones too.
    #[test]
    fn any_doubled_sum_is_equal(x: i32, m in multipliers(), r in 1i32..=22, zero in -128i32..=127) {
        let stored = Channel { bias: 0, multiplier: m, rounding: rounding_constant(-r, zero), shift: r };
        prop_assert_eq!(requantize_doubled_bounded(x, &stored), requantize_doubled(x, &stored, zero));
    }

    /// Sums constructed so that the first product lands on or beside a tie of the second rounding.
    #[test]
    fn the_short_form_is_equal_at_ties(q in -300i64..300, m in (1i64 << 30)..(1i64 << 31), r in 1i32..=20, delta in -2i64..=2) {
        let wanted = (2 * q + 1) << (r - 1);
        let x = ((wanted << 31) / m + delta).clamp(1 - (1 << 29), (1 << 29) - 1) as i32;
        let channel = Channel { bias: 0, multiplier: m as i32, rounding: rounding_constant(-r, 3), shift: -r };
        prop_assert_eq!(requantize_bounded(x, &channel), requantize(x, &channel, 3, Rounding::Double));
    }

    #[test]
    fn single_rounding_is_nearest(x in edges(1 << 29), m in multipliers(), shift in -31i32..=1) {
        let exact = i128::from(x) * i128::from(m) * 2;
        let result = i128::from(multiply_by_quantized_multiplier_single(x, m, shift));
        let unit = 1i128 << (32 - shift);
        // Nearest, ties upwards: result * unit - unit/2 <= exact < result * unit + unit/2.
        prop_assert!(result * unit - unit / 2 <= exact && exact < result * unit + unit / 2);
    }

    #[test]
    fn a_real_multiplier_is_kept_to_31_bits(real in 1e-8f64..1e4) {
        let (multiplier, shift) = quantize_multiplier(real);
        prop_assert!(multiplier >= 1 << 30);
        let back = f64::from(multiplier) * 2f64.powi(shift - 31);
        prop_assert!((back - real).abs() <= real * 2f64.powi(-31));
    }
}

#[test]
fn known_multipliers() {
    assert_eq!(quantize_multiplier(0.0), (0, 0));
    assert_eq!(quantize_multiplier(0.5), (1 << 30, 0));
    assert_eq!(quantize_multiplier(1.0), (1 << 30, 1));
    assert_eq!(quantize_multiplier(0.25), (1 << 30, -1));
    assert_eq!(quantize_multiplier(1.0 - f64::EPSILON), (1 << 30, 1));
    assert_eq!(quantize_multiplier(1e-12), (0, 0));
    assert_eq!(quantize_multiplier(f64::MIN_POSITIVE / 4.0), (0, 0));
}

#[test]
fn gemmlowp_edges() {
    assert_eq!(saturating_rounding_doubling_high_mul(i32::MIN, i32::MIN), i32::MAX);
    assert_eq!(saturating_rounding_doubling_high_mul(i32::MIN, i32::MAX), -i32::MAX);
    assert_eq!(rounding_divide_by_pot(-3, 1), -2);
    assert_eq!(rounding_divide_by_pot(3, 1), 2);
    assert_eq!(rounding_divide_by_pot(i32::MIN, 31), -1);
    assert_eq!(rounding_divide_by_pot(i32::MAX, 0), i32::MAX);
}

#[test]
fn bounds_do_not_overflow() {
    assert_eq!(sum_bound(i32::MIN, 0), 1 << 31);
    assert!(sum_bound(0, usize::MAX) > BOUND);
}
