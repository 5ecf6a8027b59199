//! The inner loops that must be one block of assembly: single instructions in `asm!` make the compiler spill.
//!
//! Operands. Activations are widened to int16 and stored in *quads*: four taps of each pixel as two words,
//! (tap 0, tap 2) and (tap 1, tap 3), the order in which SXTB16 yields them. Four pixels side by side make a quad of
//! eight words: the first words of pixels 0 to 3, then their second words. Weights stay int8: eight bytes hold four taps of
//! two channels, `a0 b0 a2 b2 a1 b1 a3 b3`, so that one load and two SXTB16 give both channels a pair of taps.
//!
//! Cost of four pixels x two channels: 13 instructions for 16 products (load, 2 SXTB16, 2 LDM, 8 SMLAD).

use crate::blob::Channel;

/// Four taps of four pixels.
pub type Quad4 = [u32; 8];
/// Four taps of one pixel.
pub type Quad1 = [u32; 2];
/// Four taps of two channels.
pub type Weights2 = [i8; 8];

/// Requantized outputs of four pixels and `2 * pairs` channels.
///
/// `weights` holds, pair after pair, as many entries as `columns`; pixel `p` is written to
/// `output[p * stride..][..2 * pairs]`. Right for channels of a bounded operator only, and not clamped further than to
/// int8. Does nothing when the slices do not fit together.
#[inline]
pub fn requantized_4x2(
    columns: &[Quad4],
    weights: &[Weights2],
    pairs: &[[Channel; 2]],
    output: &mut [i8],
    stride: usize,
) {
    let reach = stride.saturating_mul(3).saturating_add(pairs.len() * 2);
    let fits = columns.len().checked_mul(pairs.len()).is_some_and(|needed| needed <= weights.len());
    if !fits || reach > output.len() || pairs.is_empty() {
        return;
    }
    #[cfg(simd_dsp)]
    super::blocks_asm::requantized_4x2(columns, weights, pairs, output, stride);
    #[cfg(not(simd_dsp))]
    emulated::requantized_4x2(columns, weights, pairs, output, stride);
}

/// Sums, without bias, of four pixels and two channels: channel a's four, then channel b's.
#[inline]
pub fn sums_4x2(columns: &[Quad4], weights: &[Weights2]) -> [[i32; 4]; 2] {
    let quads = columns.len().min(weights.len());
    let (columns, weights) = (columns.get(..quads).unwrap_or(&[]), weights.get(..quads).unwrap_or(&[]));
    #[cfg(simd_dsp)]
    return super::blocks_asm::sums_4x2(columns, weights);
    #[cfg(not(simd_dsp))]
    return emulated::sums_4x2(columns, weights, [0, 0]);
}

/// Sums, without bias, of one pixel and two channels.
#[inline]
pub fn sums_1x2(column: &[Quad1], weights: &[Weights2]) -> [i32; 2] {
    let quads = column.len().min(weights.len());
    let (column, weights) = (column.get(..quads).unwrap_or(&[]), weights.get(..quads).unwrap_or(&[]));
    #[cfg(simd_dsp)]
    return super::blocks_asm::sums_1x2(column, weights);
    #[cfg(not(simd_dsp))]
    return emulated::sums_1x2(column, weights);
}

/// Widens kernel rows into lane `LANE` of four: row `r` is `source[r * line..][..4 * row_quads]` and becomes the next
/// `row_quads` of `quads`. False, and nothing done, when `source` does not hold all of them.
#[inline(always)]
pub fn widen<const LANE: usize>(source: &[i8], line: usize, row_quads: usize, quads: &mut [Quad4]) -> bool {
    const { assert!(LANE < 4) };
    let Some(rows) = quads.len().checked_div(row_quads).filter(|rows| *rows > 0) else { return false };
    let reach = (rows - 1).checked_mul(line).and_then(|last| last.checked_add(row_quads.checked_mul(4)?));
    if reach.is_none_or(|reach| reach > source.len()) {
        return false;
    }
    #[cfg(simd_dsp)]
    super::blocks_asm::widen::<LANE>(source, line, row_quads, rows, quads);
    #[cfg(not(simd_dsp))]
    emulated::widen::<LANE>(source, line, row_quads, quads);
    true
}

#[cfg(not(simd_dsp))]
mod emulated {
    use super::{Channel, Quad1, Quad4, Weights2};
    use crate::arch::dsp::{smlad, sxtb16, sxtb16_ror8};
    use crate::quantized::requantize_bounded;

    /// The words (a0 a2), (b0 b2), (a1 a3), (b1 b3).
    fn unpack(weights: &Weights2) -> [u32; 4] {
        let [p, q, r, s, t, u, v, w] = weights.map(|byte| byte as u8);
        let (even, odd) = (u32::from_le_bytes([p, q, r, s]), u32::from_le_bytes([t, u, v, w]));
        [sxtb16(even), sxtb16_ror8(even), sxtb16(odd), sxtb16_ror8(odd)]
    }

    pub fn widen<const LANE: usize>(source: &[i8], line: usize, row_quads: usize, quads: &mut [Quad4]) {
        for (r, row) in quads.chunks_exact_mut(row_quads.max(1)).enumerate() {
            let taps = source.get(r * line..).unwrap_or(&[]).as_chunks::<4>().0;
            for (taps, quad) in taps.iter().zip(row) {
                let word = u32::from_le_bytes(taps.map(|q| q as u8));
                (quad[LANE], quad[LANE + 4]) = (sxtb16(word), sxtb16_ror8(word));
            }
        }
    }

    pub fn requantized_4x2(
        columns: &[Quad4],
        weights: &[Weights2],
        pairs: &[[Channel; 2]],
        output: &mut [i8],
        stride: usize,
    ) {
        for (i, (pair, weights)) in pairs.iter().zip(weights.chunks_exact(columns.len().max(1))).enumerate() {
            let sums = sums_4x2(columns, weights, [pair[0].bias, pair[1].bias]);
            for (c, (sums, channel)) in sums.iter().zip(pair).enumerate() {
                for (p, sum) in sums.iter().enumerate() {
                    let value = requantize_bounded(*sum, channel).clamp(-128, 127) as i8;
                    if let Some(output) = output.get_mut(p * stride + 2 * i + c) {
                        *output = value;
                    }
                }
            }
        }
    }

    pub fn sums_4x2(columns: &[Quad4], weights: &[Weights2], bias: [i32; 2]) -> [[i32; 4]; 2] {
        let mut sums = bias.map(|bias| [bias; 4]);
        for (quad, weights) in columns.iter().zip(weights) {
            let [a02, b02, a13, b13] = unpack(weights);
            for p in 0..4 {
                sums[0][p] = smlad(quad[p + 4], a13, smlad(quad[p], a02, sums[0][p]));
                sums[1][p] = smlad(quad[p + 4], b13, smlad(quad[p], b02, sums[1][p]));
            }
        }
        sums
    }

    pub fn sums_1x2(column: &[Quad1], weights: &[Weights2]) -> [i32; 2] {
        column.iter().zip(weights).fold([0, 0], |[a, b], (quad, weights)| {
            let [a02, b02, a13, b13] = unpack(weights);
            [smlad(quad[1], a13, smlad(quad[0], a02, a)), smlad(quad[1], b13, smlad(quad[0], b02, b))]
        })
    }
}
