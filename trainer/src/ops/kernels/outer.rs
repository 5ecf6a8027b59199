//! Sums over windows of window times gradient: the gradient of a convolution's filters.
//!
//! A block of taps times a group of columns is accumulated in registers over the windows of some rows, whose part of the image and of the
//! gradient stays in the first-level cache meanwhile.

use std::ops::Range;

use pulp::Simd;

use super::columns::{Columns, Group, VECTORS};
use super::correlate::Windows;
use super::dispatch::Kernel;
use crate::graph::Real;

/// Windows that are accumulated in registers, about: fewer cost loads and stores of sums, more do not fit the cache.
const WINDOWS: usize = 96;

/// Most taps of a block: a source whose contiguous taps are fewer must have this many numbers to spare at its end.
pub const BLOCK: usize = 8;

/// `sums[tap, column] += sum over windows of source[window, tap] dy[window, column]`.
pub struct Outer<'a, T> {
    /// The windows.
    pub windows: Windows,
    /// Columns of `dy`.
    pub columns: usize,
    /// The image.
    pub source: &'a [T],
    /// The gradient, one row per window.
    pub dy: &'a [T],
    /// Room for `dy` of some rows: [`Outer::room`].
    pub room: &'a mut [T],
    /// The sums, packed: see [`super::Unpack`].
    pub sums: &'a mut [T],
}

/// Rows of windows that are taken at once.
fn rows_at_once(windows: &Windows) -> usize {
    (WINDOWS / windows.cols.outputs.max(1)).clamp(1, windows.rows.outputs.max(1))
}

/// Numbers of room that [`Outer`] needs.
pub fn room(windows: &Windows, columns: usize) -> usize {
    rows_at_once(windows) * windows.cols.outputs * Columns::padded(columns)
}

impl<T: Real> Kernel for Outer<'_, T> {
    #[inline(always)]
    fn run<S: Simd, H: Simd>(mut self, simd: S, half: H) {
        let columns = Columns::new::<T, S, H>(self.columns, VECTORS);
        let at_once = rows_at_once(&self.windows);
        for first in (0..self.windows.rows.outputs).step_by(at_once) {
            let rows = at_once.min(self.windows.rows.outputs - first);
            let mut at = 0;
            for group in columns.wide::<T, S>() {
                at = self.group(simd, group, first, rows, at);
            }
            for group in columns.rest::<T, H>() {
                at = self.group(half, group, first, rows, at);
            }
        }
    }
}

impl<T: Real> Outer<'_, T> {
    #[inline(always)]
    fn group<S: Simd>(&mut self, simd: S, group: Group, first: usize, rows: usize, at: usize) -> usize {
        let width = group.vectors * T::lanes::<S>();
        let windows = rows * self.windows.cols.outputs;
        let dy = self.dy[first * self.windows.cols.outputs * self.columns..].chunks_exact(self.columns);
        for (row, dy) in self.room.chunks_exact_mut(width).zip(dy.take(windows)) {
            row[..group.columns].copy_from_slice(&dy[group.first..group.first + group.columns]);
            row[group.columns..].fill(T::ZERO);
        }
        let end = at + self.windows.taps() * width;
        match (group.vectors, S::REGISTER_COUNT >= 32) {
            (1, _) => self.blocks::<S, 8, 1>(simd, first, rows, at..end),
            (2, true) => self.blocks::<S, 8, 2>(simd, first, rows, at..end),
            (2, false) => self.blocks::<S, 6, 2>(simd, first, rows, at..end),
            (3, true) => self.blocks::<S, 8, 3>(simd, first, rows, at..end),
            (3, false) => self.blocks::<S, 4, 3>(simd, first, rows, at..end),
            _ => self.blocks::<S, 6, 4>(simd, first, rows, at..end),
        }
        end
    }

    #[inline(always)]
    fn blocks<S: Simd, const R: usize, const V: usize>(
        &mut self,
        simd: S,
        first: usize,
        rows: usize,
        at: Range<usize>,
    ) {
        let windows = self.windows;
        let (_, right, length) = windows.segments();
        let lanes = T::lanes::<S>();
        let (dy, _) = T::vectors::<S>(&self.room[..rows * windows.cols.outputs * V * lanes]).0.as_chunks::<V>();
        let (sums, _) = T::vectors_mut::<S>(&mut self.sums[at]).0.as_chunks_mut::<V>();
        let step = windows.cols.stride * windows.channels;
        for (segment, sums) in sums.chunks_exact_mut(length.max(1)).enumerate() {
            let base = windows.segment(segment / right, segment % right);
            for next in (0..length).step_by(R) {
                // The last block begins earlier to be full. Where a segment is shorter than a block, the block reads on into what follows;
                // sums that are there already, and those of what follows, are dropped.
                let tap = next.min(length.saturating_sub(R));
                let taps = R.min(length - tap);
                let mut block = [[T::splat(simd, T::ZERO); V]; R];
                block[..taps].copy_from_slice(&sums[tap..tap + taps]);
                for (row, dy) in dy.chunks_exact(windows.cols.outputs).enumerate() {
                    let start = base + tap + (first + row) * windows.rows.stride * windows.line;
                    block = row_of_windows(simd, &self.source[start..], step, dy, block);
                }
                sums[next..tap + taps].copy_from_slice(&block[next - tap..taps]);
            }
        }
    }
}

/// Adds the products of one row of windows to `block`.
#[inline(always)]
fn row_of_windows<T: Real, S: Simd, const R: usize, const V: usize>(
    simd: S,
    source: &[T],
    step: usize,
    dy: &[[T::Vector<S>; V]],
    mut block: [[T::Vector<S>; V]; R],
) -> [[T::Vector<S>; V]; R] {
    let mut at = 0;
    for dy in dy {
        let values = &source[at..at + R];
        for r in 0..R {
            let value = T::splat(simd, values[r]);
            for v in 0..V {
                block[r][v] = T::mul_add_lanes(simd, value, dy[v], block[r][v]);
            }
        }
        at += step;
    }
    block
}
