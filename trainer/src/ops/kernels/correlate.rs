//! Products of windows of an image with packed columns: a convolution without unfolding the image.
//!
//! The windows are rows of a matrix that overlap in memory, so nothing is copied: a block of windows times a group of columns is
//! accumulated in registers over all taps and stored once.

use std::ops::Range;

use pulp::Simd;

use super::columns::{Columns, Group, MOST_LANES};
use super::dispatch::Kernel;
use crate::graph::Real;

/// One axis of a correlation.
#[derive(Debug, Clone, Copy)]
pub struct Axis {
    /// Windows.
    pub outputs: usize,
    /// Source pixels from a window to the next.
    pub stride: usize,
    /// Taps of a window.
    pub taps: usize,
    /// Source pixels from a tap to the next.
    pub dilation: usize,
}

/// Windows over an image of which all lie inside.
#[derive(Debug, Clone, Copy)]
pub struct Windows {
    /// Down.
    pub rows: Axis,
    /// To the right.
    pub cols: Axis,
    /// Numbers of a row of the image.
    pub line: usize,
    /// Numbers of a pixel.
    pub channels: usize,
}

impl Windows {
    /// Numbers of a window.
    pub fn taps(&self) -> usize {
        self.rows.taps * self.cols.taps * self.channels
    }

    /// How many windows.
    pub fn count(&self) -> usize {
        self.rows.outputs * self.cols.outputs
    }

    /// Pieces of a window that are contiguous in the image: down, to the right, length.
    #[inline(always)]
    pub fn segments(&self) -> (usize, usize, usize) {
        if self.cols.dilation == 1 {
            (self.rows.taps, 1, self.cols.taps * self.channels)
        } else {
            (self.rows.taps, self.cols.taps, self.channels)
        }
    }

    /// Where the segment (`down`, `right`) of a window begins, from the window's first number.
    #[inline(always)]
    pub fn segment(&self, down: usize, right: usize) -> usize {
        down * self.rows.dilation * self.line + right * self.cols.dilation * self.channels
    }

    #[inline(always)]
    fn start(&self, window: usize) -> usize {
        let (row, col) = (window / self.cols.outputs, window % self.cols.outputs);
        row * self.rows.stride * self.line + col * self.cols.stride * self.channels
    }
}

/// Where results go: window (i, j) to `first + i row + j col`.
#[derive(Debug, Clone, Copy)]
pub struct Places {
    /// Of the first window.
    pub first: usize,
    /// From a row of windows to the next.
    pub row: usize,
    /// From a window to the next.
    pub col: usize,
}

/// `out[window, column] = bias[column] + sum over taps of source[window, tap] packed[tap, column]`, or with `accumulate` added to `out`.
pub struct Correlate<'a, T> {
    /// The windows.
    pub windows: Windows,
    /// Columns of the result.
    pub columns: usize,
    /// The image.
    pub source: &'a [T],
    /// The matrix, see [`super::Pack`].
    pub packed: &'a [T],
    /// One number per column, filled up with zeros to [`Columns::padded`].
    pub bias: Option<&'a [T]>,
    /// Where results go.
    pub places: Places,
    /// Whether results are added to what is there.
    pub accumulate: bool,
    /// The vectors of a group of columns, as in [`super::Pack`].
    pub vectors: usize,
    /// The result.
    pub out: &'a mut [T],
}

impl<T: Real> Kernel for Correlate<'_, T> {
    #[inline(always)]
    fn run<S: Simd, H: Simd>(mut self, simd: S, half: H) {
        let columns = Columns::new::<T, S, H>(self.columns, self.vectors);
        let mut at = 0;
        for group in columns.wide::<T, S>() {
            at = self.group(simd, group, at);
        }
        for group in columns.rest::<T, H>() {
            at = self.group(half, group, at);
        }
    }
}

impl<T: Real> Correlate<'_, T> {
    #[inline(always)]
    fn group<S: Simd>(&mut self, simd: S, group: Group, at: usize) -> usize {
        let end = at + self.windows.taps() * group.vectors * T::lanes::<S>();
        let packed = T::vectors::<S>(&self.packed[at..end]).0;
        match (group.vectors, S::REGISTER_COUNT >= 32) {
            (1, _) => self.blocks::<S, 8, 1>(simd, group, packed),
            (2, true) => self.blocks::<S, 8, 2>(simd, group, packed),
            (2, false) => self.blocks::<S, 6, 2>(simd, group, packed),
            (3, true) => self.blocks::<S, 8, 3>(simd, group, packed),
            (3, false) => self.blocks::<S, 4, 3>(simd, group, packed),
            _ => self.blocks::<S, 6, 4>(simd, group, packed),
        }
        end
    }

    #[inline(always)]
    fn blocks<S: Simd, const R: usize, const V: usize>(&mut self, simd: S, group: Group, packed: &[T::Vector<S>]) {
        let windows = self.windows;
        let count = windows.count();
        let (packed, _) = packed.as_chunks::<V>();
        let mut initial = [T::splat(simd, T::ZERO); V];
        if let Some(bias) = self.bias {
            let bias = T::vectors::<S>(&bias[group.first..]).0;
            initial.iter_mut().zip(bias).for_each(|(i, b)| *i = *b);
        }
        for next in (0..count).step_by(R) {
            // The last block begins earlier to be full: some of its windows have been stored already.
            let block = next.min(count.saturating_sub(R));
            let starts: [usize; R] = std::array::from_fn(|r| windows.start((block + r).min(count - 1)));
            let sums = accumulate::<T, S, R, V>(simd, &windows, self.source, &starts, packed, initial);
            for (r, sums) in sums.iter().enumerate().take(count).skip(next - block) {
                let (row, col) = ((block + r) / windows.cols.outputs, (block + r) % windows.cols.outputs);
                let place = self.places.first + row * self.places.row + col * self.places.col + group.first;
                self.store(simd, sums, place..place + group.columns);
            }
        }
    }

    #[inline(always)]
    fn store<S: Simd, const V: usize>(&mut self, simd: S, sums: &[T::Vector<S>; V], at: Range<usize>) {
        let (whole, rest) = T::vectors_mut::<S>(&mut self.out[at]);
        for (v, &sum) in sums.iter().enumerate() {
            match whole.get_mut(v) {
                Some(out) if self.accumulate => *out = T::add_lanes(simd, *out, sum),
                Some(out) => *out = sum,
                None if self.accumulate => {
                    let mut part = [T::ZERO; MOST_LANES];
                    T::store_part(simd, &mut part[..rest.len()], sum);
                    rest.iter_mut().zip(part).for_each(|(o, p)| *o += p);
                }
                None => T::store_part(simd, rest, sum),
            }
        }
    }
}

/// The sums of a block of windows, in registers.
#[inline(always)]
fn accumulate<T: Real, S: Simd, const R: usize, const V: usize>(
    simd: S,
    windows: &Windows,
    source: &[T],
    starts: &[usize; R],
    packed: &[[T::Vector<S>; V]],
    initial: [T::Vector<S>; V],
) -> [[T::Vector<S>; V]; R] {
    let mut sums = [initial; R];
    let (down, right, length) = windows.segments();
    for segment in 0..down * right {
        let at = windows.segment(segment / right, segment % right);
        let rows: [&[T]; R] = std::array::from_fn(|r| &source[starts[r] + at..][..length]);
        sums = products(simd, rows, &packed[segment * length..][..length], sums);
    }
    sums
}

/// Adds the products of `R` rows with some columns to `sums`.
#[inline(always)]
fn products<T: Real, S: Simd, const R: usize, const V: usize>(
    simd: S,
    rows: [&[T]; R],
    columns: &[[T::Vector<S>; V]],
    mut sums: [[T::Vector<S>; V]; R],
) -> [[T::Vector<S>; V]; R] {
    let rows = rows.map(|row| &row[..columns.len()]);
    for t in 0..columns.len() {
        let column = columns[t];
        for r in 0..R {
            let value = T::splat(simd, rows[r][t]);
            for v in 0..V {
                sums[r][v] = T::mul_add_lanes(simd, value, column[v], sums[r][v]);
            }
        }
    }
    sums
}
