//! Columns of int8 times the weights of output channels: the inner loops of convolution and fully connected.
//!
//! Operands. A column is the input under one output pixel, in blocks of 16. Weights stand in groups of four channels: per
//! block of 16 taps those of channel 0, then of 1, 2, 3, so that one register walks through all weights of a group, and
//! groups follow each other. What a column holds beyond its taps meets weights of zero.
//!
//! Cost of two columns x four channels: 14 instructions for 128 products (6 loads, 8 VMLADAVA), since sums live in the eight
//! even core registers; 4.6 more per output to start, to requantize and to store. One column x four channels: 9 for 64.

#[cfg(target_arch = "aarch64")]
use crate::arch::neon::product as neon;
use crate::blob::{Activation, Channel};

/// Taps of a block.
pub const BLOCK: usize = 16;
/// 16 taps of four channels.
pub type Weights4 = [[i8; BLOCK]; 4];

/// Where columns lie: column i starts at byte `i * step`.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a> {
    /// The bytes that hold them all.
    pub bytes: &'a [i8],
    /// From one to the next; they may overlap.
    pub step: usize,
    /// How many there are.
    pub count: usize,
}

/// Requantized outputs of all columns and groups: column i becomes `output[i * stride..][..4 * channels.len()]`.
///
/// Right for channels of a bounded operator only; `narrow` says that no weight is -128. Does nothing when the slices do not fit together.
#[inline]
pub fn requantized(
    columns: Columns<'_>,
    weights: &[Weights4],
    channels: &[[Channel; 4]],
    narrow: bool,
    activation: Activation,
    output: &mut [i8],
    stride: usize,
) {
    // The other machines' products are summed in 32 bits.
    #[cfg(not(target_arch = "aarch64"))]
    let _ = narrow;
    let depth = weights.len().checked_div(channels.len()).unwrap_or(0);
    let Some(last) = columns.count.checked_sub(1).filter(|_| depth > 0) else { return };
    let reach = |step: usize, length: usize| last.checked_mul(step).and_then(|at| at.checked_add(length));
    let read = reach(columns.step, depth * BLOCK).is_some_and(|end| end <= columns.bytes.len());
    let written = reach(stride, 4 * channels.len()).is_some_and(|end| end <= output.len());
    if read && written {
        #[cfg(simd_mve)]
        super::product_asm::requantized(columns, depth, weights, channels, activation, output, stride);
        #[cfg(target_arch = "aarch64")]
        neon::requantized(columns, [depth, stride], weights, channels, narrow, activation, output);
        #[cfg(not(any(simd_mve, target_arch = "aarch64")))]
        emulated::requantized(columns, depth, weights, channels, activation, output, stride);
    }
}

/// Whether no weight is -128.
pub fn is_narrow(weights: &[i8]) -> bool {
    #[cfg(target_arch = "aarch64")]
    return neon::is_narrow(weights);
    #[cfg(not(target_arch = "aarch64"))]
    return !weights.contains(&i8::MIN);
}

/// Sums, without bias, of one column and the four channels of `weights`; zeros when the column is too short.
#[inline]
pub fn sums(column: &[i8], weights: &[Weights4]) -> [i32; 4] {
    if weights.is_empty() || column.len() / BLOCK < weights.len() {
        return [0; 4];
    }
    #[cfg(simd_mve)]
    return super::product_asm::sums(column, weights);
    #[cfg(target_arch = "aarch64")]
    return neon::sums(column, weights);
    #[cfg(not(any(simd_mve, target_arch = "aarch64")))]
    return emulated::sums(column, weights);
}

#[cfg(not(any(simd_mve, target_arch = "aarch64")))]
mod emulated {
    use super::{Activation, BLOCK, Channel, Columns, Weights4};
    use crate::quantized::requantize_bounded;

    pub fn requantized(
        columns: Columns<'_>,
        depth: usize,
        weights: &[Weights4],
        channels: &[[Channel; 4]],
        activation: Activation,
        output: &mut [i8],
        stride: usize,
    ) {
        for i in 0..columns.count {
            let column = columns.bytes.get(i * columns.step..).unwrap_or(&[]);
            let pixel = output.get_mut(i * stride..).unwrap_or(&mut []);
            let groups = weights.chunks_exact(depth).zip(channels);
            for ((weights, channels), values) in groups.zip(pixel.as_chunks_mut::<4>().0) {
                for ((value, sum), channel) in values.iter_mut().zip(sums(column, weights)).zip(channels) {
                    *value = activation.clamp(requantize_bounded(sum.wrapping_add(channel.bias), channel));
                }
            }
        }
    }

    pub fn sums(column: &[i8], weights: &[Weights4]) -> [i32; 4] {
        let mut sums = [0i32; 4];
        for (taps, weights) in column.as_chunks::<BLOCK>().0.iter().zip(weights) {
            for (sum, weights) in sums.iter_mut().zip(weights) {
                let products = taps.iter().zip(weights).map(|(q, w)| i32::from(*q) * i32::from(*w));
                *sum = products.fold(*sum, i32::wrapping_add);
            }
        }
        sums
    }
}
