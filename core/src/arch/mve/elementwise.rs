//! Loops over elements.

use crate::Pair;
use crate::blob::Activation;
use crate::quantized::Multiplier;

/// Clamps all `values`.
#[inline]
pub fn clamp(values: &mut [i8], activation: Activation) {
    #[cfg(simd_mve)]
    super::elementwise_asm::clamp(values, activation);
    #[cfg(not(simd_mve))]
    values.iter_mut().for_each(|value| *value = activation.clamp(i32::from(*value)));
}

/// The numbers of a sum; its formula is in [`crate::ops::add`].
#[derive(Debug, Clone, Copy)]
pub struct Sum {
    /// Of the inputs.
    pub zero_points: [i32; 2],
    /// Of the inputs, shifts -31 to 0.
    pub inputs: [Multiplier; 2],
    /// Of the output, shift -22 to -1.
    pub output: Multiplier,
    /// The output's [`crate::quantized::rounding_constant`].
    pub rounding: i32,
}

/// Sums of all elements, perhaps in place, not clamped further than to int8. 24 instructions for four.
#[inline]
pub fn add(sum: &Sum, data: &mut Pair<'_>) {
    #[cfg(simd_mve)]
    super::elementwise_asm::add(sum, data);
    #[cfg(not(simd_mve))]
    data.pieces(|inputs, output| emulated::add(sum, inputs, output));
}

#[cfg(not(simd_mve))]
mod emulated {
    use super::Sum;
    use crate::blob::Channel;
    use crate::ops::add::LEFT_SHIFT;
    use crate::quantized::requantize_bounded;

    pub fn add(sum: &Sum, [a, b]: [&[i8]; 2], output: &mut [i8]) {
        let [zero_a, zero_b] = sum.zero_points.map(|zero_point| zero_point << LEFT_SHIFT);
        let [scale_a, scale_b] = sum.inputs.map(|input| input.apply_short());
        let (multiplier, shift) = (sum.output.multiplier, sum.output.shift);
        let channel = Channel { bias: 0, multiplier, rounding: sum.rounding, shift };
        for ((a, b), y) in a.iter().zip(b).zip(output) {
            let a = scale_a((i32::from(*a) << LEFT_SHIFT).wrapping_sub(zero_a));
            let b = scale_b((i32::from(*b) << LEFT_SHIFT).wrapping_sub(zero_b));
            *y = requantize_bounded(a.wrapping_add(b), &channel).clamp(-128, 127) as i8;
        }
    }
}
