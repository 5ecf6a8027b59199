//! Loops over pixels of channels: several pixels are taken as one long row, so that few channels fill wide vectors, too.

use rayon::prelude::*;

use super::chunks::{CHUNKS, per_chunk, vectorized};
use crate::graph::Real;

/// Numbers of a long row, about.
const ROW: usize = 128;

/// Long rows of one parallel piece of an element-wise loop.
const ROWS: usize = 128;

/// Numbers of a long row: a multiple of `channels`.
pub fn row(channels: usize) -> usize {
    channels * (ROW / channels.max(1)).max(1)
}

/// Scratch that [`sums`] needs.
pub fn sums_scratch(channels: usize) -> usize {
    2 * row(channels) * CHUNKS
}

/// Writes `value(channel)` for each pixel of a long row.
pub fn fill<T: Copy>(row: &mut [T], channels: usize, value: impl Fn(usize) -> T) {
    let (first, rest) = row.split_at_mut(channels);
    first.iter_mut().enumerate().for_each(|(c, v)| *v = value(c));
    rest.chunks_exact_mut(channels).for_each(|pixel| pixel.copy_from_slice(first));
}

/// Two sums per channel over all pixels of `a` and `b`: `terms(a, b, constant)` with the constant of the channel from a long row. A fixed number of
/// partial sums is joined in order.
pub fn sums<T: Real>(
    [a, b]: [&[T]; 2],
    [first, second]: [&mut [T]; 2],
    constants: &[T],
    partial: &mut [T],
    terms: impl Fn(T, T, T) -> [T; 2] + Sync,
) {
    let (channels, row) = (first.len(), constants.len());
    let piece = per_chunk(a.len() / channels) * channels;
    let partial = &mut partial[..2 * row * CHUNKS];
    partial.fill(T::ZERO);
    let work = a.par_chunks(piece).zip(b.par_chunks(piece));
    partial.par_chunks_mut(2 * row).zip(work).for_each(|(sums, (a, b))| {
        let (first, second) = sums.split_at_mut(row);
        vectorized(
            #[inline(always)]
            || {
                for (a, b) in a.chunks(row).zip(b.chunks(row)) {
                    let sums = first.iter_mut().zip(second.iter_mut());
                    for ((&a, &b), ((s, t), &c)) in a.iter().zip(b).zip(sums.zip(constants)) {
                        let [x, y] = terms(a, b, c);
                        *s += x;
                        *t += y;
                    }
                }
            },
        );
    });
    first.fill(T::ZERO);
    second.fill(T::ZERO);
    for sums in partial.chunks_exact(2 * row) {
        for (out, sums) in [&mut *first, &mut *second].into_iter().zip(sums.chunks_exact(row)) {
            for pixel in sums.chunks_exact(channels) {
                out.iter_mut().zip(pixel).for_each(|(o, &s)| *o += s);
            }
        }
    }
}

/// Scratch that [`sum`] needs.
pub fn sum_scratch(channels: usize) -> usize {
    row(channels) * CHUNKS
}

/// The sum of each channel over all pixels, as in [`sums`].
pub fn sum<T: Real>(x: &[T], out: &mut [T], partial: &mut [T]) {
    let (channels, row) = (out.len().max(1), row(out.len()));
    let piece = per_chunk(x.len() / channels) * channels;
    let partial = &mut partial[..row * CHUNKS];
    partial.fill(T::ZERO);
    partial.par_chunks_mut(row.max(1)).zip(x.par_chunks(piece)).for_each(|(sum, x)| {
        vectorized(
            #[inline(always)]
            || x.chunks(row).for_each(|x| sum.iter_mut().zip(x).for_each(|(s, &x)| *s += x)),
        );
    });
    out.fill(T::ZERO);
    for pixel in partial.chunks_exact(channels) {
        out.iter_mut().zip(pixel).for_each(|(o, &s)| *o += s);
    }
}

/// `out = f(a, b, constants)` for each element, with the constants of its channel from long rows.
pub fn map<T: Real, const N: usize>(
    out: &mut [T],
    [a, b]: [&[T]; 2],
    constants: [&[T]; N],
    f: impl Fn(T, T, [T; N]) -> T + Sync,
) {
    let row = constants.first().map_or(ROW, |c| c.len());
    let piece = row * ROWS;
    let work = a.par_chunks(piece).zip(b.par_chunks(piece));
    out.par_chunks_mut(piece).zip(work).for_each(|(out, (a, b))| {
        vectorized(
            #[inline(always)]
            || {
                for (out, (a, b)) in out.chunks_mut(row).zip(a.chunks(row).zip(b.chunks(row))) {
                    let (len, constants) = (out.len(), constants.map(|c| &c[..out.len()]));
                    let (a, b) = (&a[..len], &b[..len]);
                    for i in 0..len {
                        out[i] = f(a[i], b[i], constants.map(|c| c[i]));
                    }
                }
            },
        );
    });
}
