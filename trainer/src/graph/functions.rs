//! Functions of `f32` without branches or calls, so that loops over them become vector instructions, and without fused
//! multiplications, so that every machine gives the same bytes. NaN stays NaN.

/// tanh, within 6 units of the last place: an odd polynomial of degree 13 over an even one of degree 6, as in Eigen (`generic_fast_tanh_float`).
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    /// From here on the quotient rounds to 1.
    const LARGEST: f32 = 7.998_811_7;
    const ABOVE: [f32; 7] = [
        -2.760_768_5e-16,
        2.000_188e-13,
        -8.604_672e-11,
        5.122_297_1e-8,
        1.485_722_4e-5,
        6.372_619_3e-4,
        4.893_524_6e-3,
    ];
    const BELOW: [f32; 4] = [1.198_258_4e-6, 1.185_347_1e-4, 2.268_434_6e-3, 4.893_525e-3];
    let x = limited(x, -LARGEST, LARGEST);
    x * polynomial(&ABOVE, x * x) / polynomial(&BELOW, x * x)
}

/// `1 / (1 + e^-x)`, within 3 units of the last place down to -80.
#[inline(always)]
pub fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// As [`logistic`].
pub fn logistic_f64(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// `e^x` for x from -87 to 88, which bound it: `2^n e^r` with the remainder r within ln 2 / 2, whose polynomial is that of Cephes.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// 1.5 x 2^23: a sum with it has the nearest whole number in its last bits.
    const WHOLE: f32 = 12_582_912.0;
    /// ln 2 in two parts, so that their products with n are exact to the last bit of r.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    const TAIL: [f32; 6] = [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 5e-1];
    let x = limited(x, -87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + WHOLE;
    let n = shifted - WHOLE;
    let r = x - n * LN_2[0] - n * LN_2[1];
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0f32.to_bits()));
    (polynomial(&TAIL, r) * (r * r) + r + 1.0) * power
}

/// Of coefficients from the highest power down.
#[inline(always)]
fn polynomial<const N: usize>(coefficients: &[f32; N], x: f32) -> f32 {
    let mut sum = coefficients[0];
    for coefficient in &coefficients[1..] {
        sum = sum * x + coefficient;
    }
    sum
}

#[inline(always)]
fn limited(x: f32, low: f32, high: f32) -> f32 {
    let x = if x > high { high } else { x };
    if x < low { low } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares `f` with `exact` over arguments of magnitude 1e-6 to `most`; `allowed` are units of the last place.
    fn compare(f: fn(f32) -> f32, exact: fn(f64) -> f64, most: f32, allowed: f64) {
        let mut x = 1e-6f32;
        while x < most {
            for x in [x, -x] {
                let right = exact(f64::from(x));
                let nearest = (right as f32).abs();
                let unit = f64::from(f32::from_bits(nearest.to_bits() + 1) - nearest);
                let error = (f64::from(f(x)) - right).abs() / unit;
                assert!(error < allowed, "{x}: {}, not {right}", f(x));
            }
            x *= 1.0003;
        }
    }

    #[test]
    fn functions_are_accurate_to_a_few_units_of_the_last_place() {
        compare(tanh, f64::tanh, 20.0, 6.0);
        compare(logistic, logistic_f64, 80.0, 3.0);
        compare(exp, f64::exp, 80.0, 2.0);
    }

    #[test]
    fn ends_and_nan() {
        assert_eq!([tanh(0.0), logistic(0.0)], [0.0, 0.5]);
        assert!((tanh(f32::INFINITY) - 1.0).abs() < 2e-7 && (tanh(f32::NEG_INFINITY) + 1.0).abs() < 2e-7);
        assert!(logistic(f32::INFINITY) == 1.0 && logistic(f32::NEG_INFINITY) < 1e-37);
        assert!(tanh(f32::NAN).is_nan() && logistic(f32::NAN).is_nan());
    }
}
