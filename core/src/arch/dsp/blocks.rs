//! The inner loops that must be one block of assembly: single instructions in `asm!` make the compiler spill.
//!
//! Operands. Activations are widened to int16 and stored in *quads*: four taps of each pixel as two words
//! ([`Quads`](crate::blob::Quads) says which taps). Four pixels side by side make a quad of eight words: the first words of pixels 0
//! to 3, then their second words. Weights are for two channels at a time: the words of channel a and b for each word
//! of a pixel, in int16, or in int8 so that one load and two SXTB16 give them.
//!
//! Cost of four pixels x two channels: 11 instructions for 16 products (3 LDM, 8 SMLAD); 13 with weights in int8.

use crate::blob::{Channel, Quads};

#[cfg(not(simd_dsp))]
use super::emulated::{self as gathering, self as multiplying};
#[cfg(simd_dsp)]
use super::{gather_asm as gathering, multiply_asm as multiplying};

pub use gathering::copy;

/// Four taps of four pixels.
pub type Quad4 = [u32; 8];
/// Four taps of one pixel.
pub type Quad1 = [u32; 2];
/// Four taps of two channels, int8: `a0 b0 a1 b1` for each word.
pub type Narrow2 = [i8; 8];
/// Four taps of two channels, int16: the words of a and b for the first word, and for the second.
pub type Wide2 = [u32; 4];

/// Weights of pairs of channels, one pair after the other.
#[derive(Debug, Clone, Copy)]
pub enum Pairs<'a> {
    /// In int8.
    Narrow(&'a [Narrow2]),
    /// In int16, doubled.
    Wide(&'a [Wide2]),
}

impl Pairs<'_> {
    /// Number of quads.
    #[inline(always)]
    pub fn len(&self) -> usize {
        match self {
            Self::Narrow(weights) => weights.len(),
            Self::Wide(weights) => weights.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The weights of one pair, of `quads` each; none where there is no such pair.
    pub fn pair(&self, pair: usize, quads: usize) -> Self {
        let range = pair.saturating_mul(quads)..pair.saturating_add(1).saturating_mul(quads);
        match self {
            Self::Narrow(weights) => Self::Narrow(weights.get(range).unwrap_or(&[])),
            Self::Wide(weights) => Self::Wide(weights.get(range).unwrap_or(&[])),
        }
    }
}

/// Whether `pairs` pairs of channels over `quads` quads find their weights, and there is something to do.
#[inline(always)]
fn fits(weights: Pairs<'_>, quads: usize, pairs: usize) -> bool {
    quads > 0 && pairs > 0 && quads.checked_mul(pairs).is_some_and(|needed| needed <= weights.len())
}

/// Requantized outputs of four pixels and `2 * pairs` channels.
///
/// `weights` holds, pair after pair, as many quads as `columns`; pixel `p` is written to
/// `output[p * stride..][..2 * pairs]`. Right for channels of a bounded operator only, and not clamped further than to
/// int8. Does nothing when the slices do not fit together.
#[inline]
pub fn requantized_4x2(
    columns: &[Quad4],
    weights: Pairs<'_>,
    pairs: &[[Channel; 2]],
    output: &mut [i8],
    stride: usize,
) {
    let reach = stride.saturating_mul(3).saturating_add(pairs.len() * 2);
    if fits(weights, columns.len(), pairs.len()) && reach <= output.len() {
        multiplying::requantized_4x2(columns, weights, pairs, output, stride);
    }
}

/// Requantized outputs of one pixel and `2 * pairs` channels, under the same conditions.
#[inline]
pub fn requantized_1x2(column: &[Quad1], weights: Pairs<'_>, pairs: &[[Channel; 2]], output: &mut [i8]) {
    if fits(weights, column.len(), pairs.len()) && pairs.len() * 2 <= output.len() {
        multiplying::requantized_1x2(column, weights, pairs, output);
    }
}

/// Sums, without bias, of four pixels and two channels: channel a's four, then channel b's. Weights in int8 only, since only
/// bounded operators have others; all sums are 0 where the slices do not fit together.
#[inline]
pub fn sums_4x2(columns: &[Quad4], weights: Pairs<'_>) -> [[i32; 4]; 2] {
    let Pairs::Narrow(weights) = weights else { return [[0; 4]; 2] };
    if columns.is_empty() || columns.len() != weights.len() {
        return [[0; 4]; 2];
    }
    multiplying::sums_4x2(columns, weights)
}

/// Sums, without bias, of one pixel and two channels, under the same conditions.
#[inline]
pub fn sums_1x2(column: &[Quad1], weights: Pairs<'_>) -> [i32; 2] {
    let Pairs::Narrow(weights) = weights else { return [0; 2] };
    if column.is_empty() || column.len() != weights.len() {
        return [0; 2];
    }
    multiplying::sums_1x2(column, weights)
}

/// How four windows are widened to columns: each has `rows` rows of `row` elements, `step` apart.
#[derive(Debug, Clone, Copy)]
pub struct Gather {
    /// Kernel rows.
    pub rows: usize,
    /// Elements from one row to the next, at least `row`.
    pub step: usize,
    /// Elements of each.
    pub row: usize,
    /// Rows that the columns hold already.
    pub done: usize,
    /// Rows that they hold in the end.
    pub of: usize,
}

impl Gather {
    /// Window `lane`, from `source[starts[lane]]` on, becomes lane `lane` of `columns`: of the quads inside of rows those that
    /// begin at row `done`, and likewise of those behind all rows. Does nothing when the slices do not fit together.
    #[inline(always)]
    pub fn run(self, source: &[i8], starts: [usize; 4], columns: &mut [Quad4]) {
        let quads = Quads { rows: self.of, row: self.row };
        let reach = (self.rows.saturating_sub(1)).saturating_mul(self.step).saturating_add(self.row);
        let room = source.len().checked_sub(reach).is_some_and(|room| starts.iter().all(|start| *start <= room));
        let whole = self.step >= self.row || self.rows <= 1;
        if room && whole && self.rows > 0 && self.done + self.rows <= self.of && quads.count() <= columns.len() {
            gathering::gather(self, source, starts, columns);
        }
    }
}

/// The first lane of each quad, moved together in place: one pixel's column.
pub fn first_lanes(columns: &mut [Quad4]) -> &[Quad1] {
    for at in 0..columns.len() {
        let Some(&[first, _, _, _, second, ..]) = columns.get(at) else { break };
        if let Some(quad) = columns.as_flattened_mut().as_chunks_mut().0.get_mut(at) {
            *quad = [first, second];
        }
    }
    let count = columns.len();
    columns.as_flattened().as_chunks().0.get(..count).unwrap_or(&[])
}
