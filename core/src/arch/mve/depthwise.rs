//! Depthwise convolution with kernels of up to 3 x 3 taps: channels become contiguous by a change of order, and then the
//! products of a 4 x 4 patch of one channel are one VMLADAV.
//!
//! Operands. A *strip* is four rows of the input side by side: the bytes of column x, channel c in rows 0 to 3 are one word,
//! and words stand in the order of the input, x then c (interleaved by VST4). Kernels are strips of four columns too, with
//! zeros where there is no tap. A gather of four words, one column apart, is a patch of 4 x 4; it serves two by two outputs of
//! stride 1, for which the kernel is shifted by a row (8 bits), a column (32 bits), or both.
//!
//! Cost of stride 1: 17 instructions for four outputs, requantization included, of stride 2: 20; and 13 for each 16 words
//! of a strip.

use crate::blob::Channel;

/// One column, one channel, four rows.
pub type Word = [i8; 4];

/// A row of the strip: input, or the same byte everywhere.
#[derive(Debug, Clone, Copy)]
pub enum Row<'a> {
    /// As many bytes as the strip has words.
    Bytes(&'a [i8]),
    /// Beyond the border.
    Padding(i8),
}

/// Where outputs of a strip go, and how many.
#[derive(Debug, Clone, Copy)]
pub struct Outputs {
    /// Per row.
    pub width: usize,
    /// Bytes to the second row of outputs of stride 1; none if there is no second row.
    pub second_row: Option<usize>,
    /// Of the input, 1 or 2.
    pub stride: usize,
}

impl Outputs {
    /// Columns that a strip needs.
    pub const fn columns(width: usize, stride: usize) -> usize {
        if stride == 1 { width + 2 } else { 2 * width + 2 }
    }
}

/// Fills `strip` with four rows. Does nothing if one of them is shorter.
#[inline]
pub fn interleave(rows: [Row<'_>; 4], strip: &mut [Word]) {
    if rows.iter().any(|row| matches!(row, Row::Bytes(bytes) if bytes.len() < strip.len())) {
        return;
    }
    #[cfg(simd_mve)]
    let done = super::depthwise_asm::interleave(rows, strip);
    #[cfg(not(simd_mve))]
    let done = 0;
    for (row, at) in rows.into_iter().zip(0..) {
        let bytes = if let Row::Bytes(bytes) = row { bytes } else { &[] };
        for (i, word) in strip.iter_mut().enumerate().skip(done) {
            let byte = match row {
                Row::Bytes(_) => bytes.get(i).copied().unwrap_or(0),
                Row::Padding(byte) => byte,
            };
            if let Some(place) = word.get_mut::<usize>(at) {
                *place = byte;
            }
        }
    }
}

/// Requantized outputs of all channels: pixel x of a row of outputs begins at `output[x * channels]`. Not clamped further than
/// to int8. Right for channels of a bounded operator only. Does nothing when the slices do not fit together.
#[inline]
pub fn requantized(strip: &[Word], kernels: &[Word], channels: &[Channel], outputs: Outputs, output: &mut [i8]) {
    let (count, Outputs { width, second_row, stride }) = (channels.len(), outputs);
    let columns = count.checked_mul(Outputs::columns(width, stride));
    let written = count.checked_mul(width).and_then(|row| row.checked_add(second_row.unwrap_or(0)));
    let sized = columns.is_some_and(|needed| needed <= strip.len()) && written.is_some_and(|end| end <= output.len());
    let valid = match stride {
        1 => width >= 2,
        2 => width >= 1 && second_row.is_none(),
        _ => false,
    };
    if !sized || !valid || count == 0 || kernels.len() != 4 * count {
        return;
    }
    #[cfg(simd_mve)]
    super::depthwise_asm::requantized(strip, kernels, channels, outputs, output);
    #[cfg(not(simd_mve))]
    emulated::requantized(strip, kernels, channels, outputs, output);
}

#[cfg(not(simd_mve))]
mod emulated {
    use super::{Channel, Outputs, Word};
    use crate::quantized::requantize_bounded;

    pub fn requantized(strip: &[Word], kernels: &[Word], channels: &[Channel], outputs: Outputs, output: &mut [i8]) {
        let count = channels.len();
        for (y, row) in [Some(0), outputs.second_row].into_iter().enumerate() {
            let Some(row) = row else { continue };
            for x in 0..outputs.width {
                for (c, channel) in channels.iter().enumerate() {
                    let patch = strip.iter().skip(x * outputs.stride * count + c).step_by(count);
                    let kernel = kernels.iter().skip(c).step_by(count);
                    let sum = patch.zip(kernel).fold(channel.bias, |sum, (q, w)| sum.wrapping_add(products(q, w, y)));
                    if let Some(value) = output.get_mut(row + x * count + c) {
                        *value = requantize_bounded(sum, channel).clamp(-128, 127) as i8;
                    }
                }
            }
        }
    }

    /// One column, the kernel `y` rows further down.
    fn products(q: &Word, w: &Word, y: usize) -> i32 {
        q.iter().skip(y).zip(w).map(|(q, w)| i32::from(*q) * i32::from(*w)).sum()
    }
}
