//! Tables of the functions of one int8 that have no folder of their own, computed on hosts with the integer arithmetic of
//! TFLite's reference kernels, so that the bytes are theirs.

use crate::quantized::saturating_rounding_doubling_high_mul;
use crate::quantized::{
    Multiplier, fixed, multiply_by_quantized_multiplier, quantize_multiplier, rounding_divide_by_pot,
};

/// Scale and zero point of a tensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Real number of one step, > 0.
    pub scale: f32,
    /// int8 value of 0.0.
    pub zero_point: i32,
}

/// Outputs for the inputs -128 to 127, in this order.
pub type Table = [i8; 256];

fn tabulate(function: impl Fn(i32) -> i32) -> Table {
    let mut table = [0; 256];
    for (entry, q) in table.iter_mut().zip(-128..) {
        *entry = function(q).clamp(-128, 127) as i8;
    }
    table
}

fn multiplier(real: f64) -> impl Fn(i32) -> i32 {
    let (multiplier, shift) = quantize_multiplier(real);
    move |x| multiply_by_quantized_multiplier(x, multiplier, shift)
}

/// The same number in another scale. TFLite `reference_ops::Requantize`.
pub fn requantize(input: Scale, output: Scale) -> Table {
    let scaled = multiplier(f64::from(input.scale) / f64::from(output.scale));
    tabulate(|q| scaled(q - input.zero_point).saturating_add(output.zero_point))
}

/// Values clamped to `low..=high` (real numbers; ReLU is 0 to infinity, ReLU6 0 to 6). TFLite `QuantizedReluX`, which divides
/// the scales in f32.
pub fn relu(input: Scale, output: Scale, low: f32, high: f32) -> Table {
    let scaled = multiplier(f64::from(input.scale / output.scale));
    let quantize = |real: f32| {
        // Infinities become the ends of int8.
        let q = (f64::from(real) / f64::from(output.scale)).round() + f64::from(output.zero_point);
        q.clamp(-128.0, 127.0) as i32
    };
    let (low, high) = (quantize(low), quantize(high));
    tabulate(|q| scaled(q - input.zero_point).saturating_add(output.zero_point).clamp(low, high.max(low)))
}

/// x for x >= 0, `slope` times x below. TFLite `QuantizeLeakyRelu`, which combines the scales in f32.
pub fn leaky_relu(input: Scale, output: Scale, slope: f32) -> Table {
    let kept = multiplier(f64::from(input.scale / output.scale));
    let sloped = multiplier(f64::from(input.scale * slope.abs() / output.scale));
    let sign = if slope < 0.0 { -1 } else { 1 };
    tabulate(|q| {
        let x = q - input.zero_point;
        output.zero_point.saturating_add(if x >= 0 { kept(x) } else { sloped(x).saturating_mul(sign) })
    })
}

/// x * relu6(x + 3) / 6. Howard et al. 2019; TFLite `reference_ops::HardSwish`, in 16 bits.
pub fn hard_swish(input: Scale, output: Scale) -> Table {
    // 7 more bits than the input has; the reluish value counts in 3 / 2^15. All in f32, as TFLite has it.
    let fine = input.scale / 128.0;
    let (to_output, output_shift) = narrow(quantize_multiplier(f64::from(fine / output.scale)));
    let (to_reluish, reluish_shift) = narrow(quantize_multiplier(f64::from(fine / (3.0 / 32768.0))));
    tabulate(|q| {
        let x = saturate((q - input.zero_point) << 7);
        let scaled = high_mul(x, to_output);
        let mut reluish = x;
        if reluish_shift > 0 {
            reluish = shift_left(reluish, reluish_shift - 1);
        }
        reluish = high_mul(reluish, to_reluish);
        if reluish_shift > 0 {
            reluish = shift_left(reluish, 1);
        }
        if reluish_shift < 0 {
            reluish = rounding_divide_by_pot(reluish, reluish_shift.unsigned_abs().min(31));
        }
        let reluish = (reluish + (1 << 15)) >> 1;
        // The doubling high product without rounding.
        let product = saturate((2 * reluish * scaled) / (1 << 16));
        let right = output_shift.min(0).unsigned_abs().min(31);
        rounding_divide_by_pot(product << output_shift.clamp(0, 15), right) + output.zero_point
    })
}

/// A multiplier of 31 bits to one of 15. TFLite `DownScaleInt32ToInt16Multiplier`.
fn narrow((multiplier, shift): (i32, i32)) -> (i32, i32) {
    let narrow = if multiplier >= i32::MAX - (1 << 15) { i32::from(i16::MAX) } else { (multiplier + (1 << 15)) >> 16 };
    (narrow, shift)
}

fn saturate(x: i32) -> i32 {
    x.clamp(i32::from(i16::MIN), i32::from(i16::MAX))
}

fn shift_left(x: i32, shift: i32) -> i32 {
    saturate((i64::from(x) << shift.min(31)).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32)
}

/// gemmlowp's `SaturatingRoundingDoublingHighMul` of 16-bit numbers.
fn high_mul(a: i32, b: i32) -> i32 {
    let product = a * b;
    let nudge = if product >= 0 { 1 << 14 } else { 1 - (1 << 14) };
    saturate((product + nudge) / (1 << 15))
}

/// 1 / (1 + e^-x), output scale 1/256 and zero point -128. TFLite `reference_integer_ops::Logistic`.
pub fn logistic(input: Scale) -> Table {
    squashed(input, |x| rounding_divide_by_pot(fixed::logistic(x), 23) - 128)
}

/// tanh(x), output scale 1/128 and zero point 0. TFLite `reference_integer_ops::Tanh`.
pub fn tanh(input: Scale) -> Table {
    squashed(input, |x| rounding_divide_by_pot(fixed::tanh(x), 24))
}

/// `function` of the input with 4 integer bits; the ends of int8 where the input is beyond 15.
fn squashed(input: Scale, function: impl Fn(i32) -> i32) -> Table {
    let (multiplier, shift) = quantize_multiplier(f64::from(input.scale) * f64::from(1u32 << 27));
    let number = Multiplier { multiplier, shift };
    let radius = ((15i64 << 27) >> shift.clamp(0, 31)) as i32;
    tabulate(|q| {
        let x = q - input.zero_point;
        if x <= -radius {
            -128
        } else if x >= radius {
            127
        } else {
            function(wide(x, number))
        }
    })
}

/// As [`Multiplier::apply`], for shifts of which the product still fits.
fn wide(x: i32, number: Multiplier) -> i32 {
    let shifted = i64::from(x) << number.shift.clamp(0, 31);
    let saturated = shifted.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32;
    let high = saturating_rounding_doubling_high_mul(saturated, number.multiplier);
    rounding_divide_by_pot(high, number.shift.min(0).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const INPUT: Scale = Scale { scale: 0.05, zero_point: -10 };

    /// Every entry within `most` steps of the real function.
    fn near(table: &Table, output: Scale, most: f64, real: impl Fn(f64) -> f64) {
        for (entry, q) in table.iter().zip(-128i32..) {
            let x = f64::from(INPUT.scale) * f64::from(q - INPUT.zero_point);
            let exact = real(x) / f64::from(output.scale) + f64::from(output.zero_point);
            let error = f64::from(*entry) - exact.clamp(-128.0, 127.0);
            assert!(error.abs() <= most, "f({x}): {entry} for {exact}");
        }
    }

    #[test]
    fn tables_follow_their_functions() {
        let output = Scale { scale: 0.03, zero_point: -100 };
        near(&requantize(INPUT, output), output, 0.51, |x| x);
        near(&relu(INPUT, output, 0.0, f32::INFINITY), output, 0.51, |x| x.max(0.0));
        near(&relu(INPUT, output, 0.0, 6.0), output, 0.51, |x| x.clamp(0.0, 6.0));
        near(&leaky_relu(INPUT, output, 0.2), output, 0.76, |x| if x < 0.0 { 0.2 * x } else { x });
        near(&hard_swish(INPUT, output), output, 1.1, |x| x * (x + 3.0).clamp(0.0, 6.0) / 6.0);
        let probability = Scale { scale: 1.0 / 256.0, zero_point: -128 };
        near(&logistic(INPUT), probability, 0.51, |x| 1.0 / (1.0 + (-x).exp()));
        near(&tanh(INPUT), Scale { scale: 1.0 / 128.0, zero_point: 0 }, 0.51, f64::tanh);
    }
}
