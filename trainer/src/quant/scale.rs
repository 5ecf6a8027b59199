//! Scale and zero point of an int8 tensor, and what follows from them: rounding a number, tables of functions, clamps.

use ackermann_core::blob::Activation;
use ackermann_core::blob::write::TensorSpec;
use ackermann_core::quantized::{multiply_by_quantized_multiplier, quantize_multiplier};

/// An int8 value q stands for `scale * (q - zero_point)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantization {
    /// The real number of one step, > 0.
    pub scale: f32,
    /// The int8 value of 0.0.
    pub zero_point: i8,
}

/// A step this small keeps products of scales away from the denormal numbers.
const LEAST_SCALE: f32 = 1e-9;

impl Quantization {
    /// Camera frames: the int8 value is the pixel minus 128, the real number is in [-1, 1).
    pub const FRAME: Self = Self { scale: 1.0 / 128.0, zero_point: 0 };

    /// Asymmetric int8 for `low..=high`, as TFLite chooses it: the range is widened to include 0, the zero point is rounded
    /// to a whole step, so 0.0 is exact. Where there is nothing but 0, steps of 1 do.
    pub fn of_range(low: f32, high: f32) -> Self {
        let (low, high) = (low.min(0.0), high.max(0.0));
        let scale = if low == high { 1.0 } else { ((high - low) / 255.0).max(LEAST_SCALE) };
        let from_low = f64::from(i8::MIN) - f64::from(low) / f64::from(scale);
        Self { scale, zero_point: from_low.round() as i8 }
    }

    /// Of a tensor of a blob.
    pub fn of_spec(spec: &TensorSpec) -> Self {
        Self { scale: spec.scale, zero_point: spec.zero_point as i8 }
    }

    /// `value` in steps, rounded half away from zero, saturated.
    pub fn quantize(self, value: f32) -> i8 {
        ((value / self.scale).round() + f32::from(self.zero_point)) as i8
    }

    /// The real number that `q` stands for.
    pub fn dequantize(self, q: i8) -> f32 {
        self.scale * f32::from(i16::from(q) - i16::from(self.zero_point))
    }

    /// Outputs of `function` for the inputs -128 to 127, as TFLite's `LUTPopulate` computes them (in f32).
    pub fn table(self, output: Self, function: impl Fn(f32) -> f32) -> [i8; 256] {
        let inverse = 1.0 / output.scale;
        let mut table = [0; 256];
        for (entry, q) in table.iter_mut().zip(i8::MIN..=i8::MAX) {
            let steps = (function(self.dequantize(q)) * inverse).round();
            *entry = (steps + f32::from(output.zero_point)) as i8;
        }
        table
    }

    /// Outputs for the inputs -128 to 127 of a change of scale, in the integer arithmetic of TFLite's QUANTIZE.
    pub fn requantized(self, to: Self) -> [i8; 256] {
        let (multiplier, shift) = quantize_multiplier(f64::from(self.scale) / f64::from(to.scale));
        let mut table = [0; 256];
        for (entry, q) in table.iter_mut().zip(i8::MIN..=i8::MAX) {
            let steps = i32::from(q) - i32::from(self.zero_point);
            let scaled = multiply_by_quantized_multiplier(steps, multiplier, shift);
            let shifted = scaled.saturating_add(i32::from(to.zero_point));
            *entry = shifted.clamp(i32::from(i8::MIN), i32::from(i8::MAX)) as i8;
        }
        table
    }

    /// The int8 values of the real range `low..=high`.
    pub fn clamp(self, low: f32, high: f32) -> Activation {
        let min = self.quantize(low);
        Activation { min, max: self.quantize(high).max(min) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_exact_and_ends_are_within_half_a_step() {
        for (low, high) in [(-1.0, 1.0), (0.0, 6.0), (-0.3, 2.7), (0.5, 2.0), (-3.0, -1.0), (0.0, 0.0)] {
            let q = Quantization::of_range(low, high);
            assert_eq!(q.dequantize(q.quantize(0.0)), 0.0);
            for end in [low, high] {
                assert!((q.dequantize(q.quantize(end)) - end).abs() <= 0.5001 * q.scale, "{low}..{high}");
            }
        }
        assert_eq!(Quantization::of_range(0.0, 2.55).zero_point, -128);
    }

    #[test]
    fn frames_are_exact() {
        for pixel in 0..=255u8 {
            let real = (f32::from(pixel) - 128.0) / 128.0;
            assert_eq!(Quantization::FRAME.quantize(real), (pixel ^ 0x80) as i8);
        }
    }

    #[test]
    fn tables_follow_the_function_within_half_a_step() {
        let (input, output) = (Quantization::of_range(-4.0, 3.0), Quantization::of_range(-1.0, 1.0));
        let table = input.table(output, f32::tanh);
        for (entry, q) in table.iter().zip(i8::MIN..=i8::MAX) {
            assert!((output.dequantize(*entry) - input.dequantize(q).tanh()).abs() <= 0.5001 * output.scale);
        }
        assert!(table.is_sorted());
    }
}
