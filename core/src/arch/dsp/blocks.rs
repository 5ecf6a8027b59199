//! The inner loops that must be one block of assembly: single instructions in `asm!` make the compiler spill.
//!
//! Operands. Activations are widened to int16 and stored in *quads*: four taps of each pixel as two words
//! ([`Quads`] says which taps). Four pixels side by side make a quad of eight words: the first words of pixels 0
//! to 3, then their second words. Weights are for two channels at a time: the words of channel a and b for each word
//! of a pixel, in int16, or in int8 so that one load and two SXTB16 give them.
//!
//! Cost of four pixels x two channels: 11 instructions for 16 products (3 LDM, 8 SMLAD); 13 with weights in int8.

use crate::blob::{Channel, Quads};

#[cfg(not(simd_dsp))]
use super::emulated::{self as four_pixels, self as gathering, self as one_pixel};
#[cfg(simd_dsp)]
use super::{four_pixels_asm as four_pixels, gather_asm as gathering, one_pixel_asm as one_pixel};

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
    /// Whether there are kernels for weights in int16, and in int8.
    #[cfg(simd_dsp)]
    pub(super) const WIDE: bool = crate::blob::Layout::DspWide.built().is_some();
    #[cfg(simd_dsp)]
    pub(super) const NARROW: bool = crate::blob::Layout::Dsp.built().is_some();

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

/// Four pixels times pairs of channels, prepared: what is the same for all blocks of an operator.
#[derive(Debug, Clone, Copy)]
pub struct Product4<'a> {
    weights: Pairs<'a>,
    pairs: &'a [[Channel; 2]],
    quads: usize,
    stride: usize,
    /// Bytes of output from the first to the last that is written.
    reach: usize,
    plan: four_pixels::Plan,
}

impl<'a> Product4<'a> {
    /// Of columns of `quads` quads and `pairs`, for which `weights` holds, pair after pair, as many quads; pixels are `stride`
    /// apart in the output. Right for channels of a bounded operator only. `None` when there is nothing to do or the slices do
    /// not fit together.
    pub fn new(weights: Pairs<'a>, pairs: &'a [[Channel; 2]], quads: usize, stride: usize) -> Option<Self> {
        let reach = stride.checked_mul(3)?.checked_add(pairs.len().checked_mul(2)?)?;
        let plan = four_pixels::Plan::new(weights, pairs, quads, stride);
        fits(weights, quads, pairs.len()).then_some(Self { weights, pairs, quads, stride, reach, plan })
    }

    /// Writes the outputs of pixel `p`, clamped to int8, to `output[p * stride..][..2 * pairs]`; nothing when the slices do not
    /// fit.
    #[inline(always)]
    pub fn run(&self, columns: &[Quad4], output: &mut [i8]) {
        if columns.len() == self.quads && output.len() >= self.reach {
            four_pixels::requantized_4x2(self, columns, output);
        }
    }

    pub(super) fn parts(&self) -> (Pairs<'a>, &'a [[Channel; 2]], usize, &four_pixels::Plan) {
        (self.weights, self.pairs, self.stride, &self.plan)
    }
}

/// Requantized outputs of one pixel and `2 * pairs` channels, clamped to int8: `weights` holds, pair after pair, as many quads
/// as `column`. Right for channels of a bounded operator only. Does nothing when the slices do not fit together.
#[inline]
pub fn requantized_1x2(column: &[Quad1], weights: Pairs<'_>, pairs: &[[Channel; 2]], output: &mut [i8]) {
    if fits(weights, column.len(), pairs.len()) && pairs.len() * 2 <= output.len() {
        one_pixel::requantized_1x2(column, weights, pairs, output);
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
    four_pixels::sums_4x2(columns, weights)
}

/// Sums, without bias, of one pixel and two channels, under the same conditions.
#[inline]
pub fn sums_1x2(column: &[Quad1], weights: Pairs<'_>) -> [i32; 2] {
    let Pairs::Narrow(weights) = weights else { return [0; 2] };
    if column.is_empty() || column.len() != weights.len() {
        return [0; 2];
    }
    one_pixel::sums_1x2(column, weights)
}

/// How four windows are widened to columns, prepared.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Gather {
    /// Bytes in the whole quads of a row, and where in the loop over them the first is.
    bytes: usize,
    entry: usize,
    /// Bytes from there to the next row.
    skip: usize,
    rows: usize,
    /// Elements of a row after its whole quads.
    rest: usize,
    /// Bytes from the beginning of the columns to the first quad, and to the first element behind all rows.
    first: usize,
    behind: usize,
    /// From that element to the next, 2 or 14, in turn.
    ahead: usize,
    /// Bytes of a window, and quads of the columns.
    reach: usize,
    quads: usize,
}

impl Gather {
    /// Windows of `rows` rows of `all.row` elements, `step` elements apart, to columns of `all`, of which `done` rows are
    /// there already. `None` when that is not possible.
    pub fn new(all: Quads, rows: usize, step: usize, done: usize) -> Option<Self> {
        let Quads { row, .. } = all;
        let whole = row / 4 * 4;
        let behind = done.checked_mul(all.behind())?;
        let reach = rows.checked_sub(1)?.checked_mul(step)?.checked_add(row)?;
        let possible = done.checked_add(rows)? <= all.rows && (step >= row || rows == 1);
        possible.then_some(Self {
            bytes: whole,
            entry: gathering::entry(row / 4),
            skip: step.wrapping_sub(whole),
            rows,
            rest: row % 4,
            first: done.checked_mul(all.inside())?.checked_mul(size_of::<Quad4>())?,
            behind: (all.rows * all.inside() + behind / 4) * size_of::<Quad4>() + behind % 4 / 2 * 16 + behind % 2 * 2,
            ahead: if behind.is_multiple_of(2) { 2 } else { 14 },
            reach,
            quads: all.count(),
        })
    }

    /// Window `lane`, from `source[starts[lane]]` on, becomes lane `lane` of `columns`. Does nothing when the slices do not fit.
    #[inline(always)]
    pub fn run(&self, source: &[i8], starts: [usize; 4], columns: &mut [Quad4]) {
        let Some(room) = source.len().checked_sub(self.reach) else { return };
        let [a, b, c, d] = starts;
        if a <= room && b <= room && c <= room && d <= room && columns.len() >= self.quads {
            gathering::gather(self, source, starts, columns);
        }
    }

    /// Rows, elements of each, elements from one to the next, byte offsets of the first quad and of the first element behind.
    #[cfg(not(simd_dsp))]
    pub(super) fn parts(&self) -> [usize; 5] {
        let row = self.bytes + self.rest;
        [self.rows, row, self.skip.wrapping_add(self.bytes), self.first, self.behind]
    }
}

/// The first lane of each quad, moved together in place: one pixel's column.
#[inline(never)]
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
