//! 64 outputs at a time. Four kernel rows of one kernel column are interleaved byte by byte, so that VPDPBUSD sums them.

use core::arch::x86_64::*;

use super::requantize::{BOUNDED, Channels, Clamp, DOUBLE, Requantize, SINGLE, mode, pack_lanes};
use crate::arch::x86::depthwise::{Job, LANES, Pixels};
use crate::blob::Channel;

/// One image.
///
/// # Safety
/// The job's parts fit together, as [`crate::arch::x86::depthwise::run`] checks.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub unsafe fn run(job: &Job<'_>, weights: &mut [i8], output: &mut [i8]) {
    // SAFETY: the caller's promise.
    unsafe {
        match mode(job.weighted) {
            BOUNDED => requantized::<BOUNDED>(job, weights, output),
            DOUBLE => requantized::<DOUBLE>(job, weights, output),
            _ => requantized::<SINGLE>(job, weights, output),
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn requantized<const MODE: u8>(job: &Job<'_>, weights: &mut [i8], output: &mut [i8]) {
    // SAFETY: the caller's promise.
    unsafe {
        if job.planes.pixels == Pixels::EveryOther {
            rows::<true, MODE>(job, weights, output);
        } else {
            rows::<false, MODE>(job, weights, output);
        }
    }
}

/// All output rows; every other pixel is left out if `HALF`.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn rows<const HALF: bool, const MODE: u8>(job: &Job<'_>, weights: &mut [i8], output: &mut [i8]) {
    let channels = job.weighted.channels.len();
    let dense = job.planes.pixels != Pixels::Apart;
    let [height, width] = job.planes.count;
    for first in (0..channels).step_by(LANES) {
        // SAFETY: `first` is a channel.
        let chunk = unsafe { Chunk::<HALF, MODE>::new(job, first, weights) };
        for y in 0..height {
            let row = y * job.planes.steps[0] + first;
            // Dense: all pixels of the row in one go; else pixel by pixel.
            let (elements, pixels, from, to) = if dense {
                (width * channels, (width * channels).div_ceil(LANES), if HALF { 2 * LANES } else { LANES }, LANES)
            } else {
                (channels - first, width, job.planes.steps[1], channels)
            };
            for pixel in 0..pixels {
                let left = if dense { elements - pixel * LANES } else { elements };
                let mask = u64::MAX >> (LANES - left.min(LANES));
                // SAFETY: rows, pixels and taps are in range, up to twice `LANES` bytes are read beyond (`Planes::inside`); the mask
                // keeps to the outputs of this row and these channels.
                unsafe {
                    let values = chunk.outputs(job.planes.bytes.as_ptr().add(row + pixel * from));
                    let place = output.as_mut_ptr().add(y * width * channels + first + pixel * to);
                    _mm512_mask_storeu_epi8(place, mask, values);
                }
            }
        }
    }
}

/// Up to 64 neighbouring outputs: their weights and requantization.
struct Chunk<'a, const HALF: bool, const MODE: u8> {
    job: &'a Job<'a>,
    weights: &'a [i8],
    start: [__m512i; 4],
    requantize: [Requantize<MODE>; 4],
    clamp: Clamp,
    /// Which eights of 16 are those of every other pixel.
    half: __m512i,
}

impl<'a, const HALF: bool, const MODE: u8> Chunk<'a, HALF, MODE> {
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn new(job: &'a Job<'a>, first: usize, weights: &'a mut [i8]) -> Self {
        let all = job.weighted.channels;
        // In the order that interleaving gives: lane 4 l + k of vector j is number 16 l + 4 j + k.
        let channels: [Channels; 4] = core::array::from_fn(|j| {
            let record = |lane: usize| {
                let o = first + lane / 4 * 16 + j * 4 + lane % 4;
                let o = if job.planes.pixels != Pixels::Apart { o % all.len() } else { o };
                all.get(o).copied().unwrap_or_default()
            };
            let records: [Channel; 16] = core::array::from_fn(record);
            Channels::load(&records)
        });
        let mut start = channels.map(|channels| channels.bias);
        let (rows, columns) = (job.planes.rows, job.planes.columns.len());
        let mut place = weights.as_mut_ptr();
        for column in 0..columns {
            for row in (0..rows).step_by(4) {
                let four = core::array::from_fn(|ky| {
                    if row + ky < rows {
                        taps(job, (row + ky) * columns + column, first)
                    } else {
                        _mm512_setzero_si512()
                    }
                });
                for (vector, start) in interleave(four).into_iter().zip(&mut start) {
                    // 128 times the sum of these weights, which unsigned activations add.
                    let folded = _mm512_dpbusd_epi32(_mm512_setzero_si512(), _mm512_set1_epi8(-128), vector);
                    *start = _mm512_sub_epi32(*start, folded);
                    // SAFETY: the scratch has four vectors for each column and each four rows.
                    unsafe { _mm512_storeu_epi8(place, vector) };
                    place = place.wrapping_add(LANES);
                }
            }
        }
        let requantize = channels.map(|channels| Requantize::new(&channels, job.zero_point));
        Self {
            job,
            weights,
            start,
            requantize,
            clamp: Clamp::new(job.weighted.activation),
            half: every_other(all.len()),
        }
    }

    /// Outputs whose first tap is at `bytes`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn outputs(&self, bytes: *const i8) -> __m512i {
        let planes = self.job.planes;
        let mut sums = self.start;
        let mut weights = self.weights.as_ptr();
        for column in planes.columns {
            for row in (0..planes.rows).step_by(4) {
                // No `map` here: closures with instructions that it lacks are not inlined into it.
                let mut four = [_mm512_setzero_si512(); 4];
                for (ky, x) in (row..).zip(&mut four) {
                    // A row that is not there has zero weights: any other may stand for it.
                    let ky = if ky < planes.rows { ky } else { row };
                    let first = bytes.wrapping_add(*column as usize + ky * planes.line);
                    // SAFETY: the caller's promise.
                    unsafe {
                        *x = _mm512_loadu_epi8(first);
                        if HALF {
                            *x = _mm512_permutex2var_epi64(*x, self.half, _mm512_loadu_epi8(first.add(LANES)));
                        }
                    }
                }
                for (sum, x) in sums.iter_mut().zip(interleave(four)) {
                    // SAFETY: as many vectors as `new` stored.
                    *sum = _mm512_dpbusd_epi32(*sum, x, unsafe { _mm512_loadu_epi8(weights) });
                    weights = weights.wrapping_add(LANES);
                }
            }
        }
        for (sum, requantize) in sums.iter_mut().zip(&self.requantize) {
            *sum = requantize.apply(*sum);
        }
        self.clamp.apply(pack_lanes(sums))
    }
}

/// Of 16 eights of bytes, those of every other pixel.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn every_other(channels: usize) -> __m512i {
    let eights = (channels / 8).max(1);
    let indices: [i64; 8] = core::array::from_fn(|i| (i / eights * 2 * eights + i % eights) as i64);
    // SAFETY: eight numbers of eight bytes.
    unsafe { _mm512_loadu_epi64(indices.as_ptr()) }
}

/// The weights of tap number `tap` for the channels from `first` on, repeated if pixels are dense.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn taps(job: &Job<'_>, tap: usize, first: usize) -> __m512i {
    let channels = job.weighted.channels.len();
    let weights = job.weighted.weights.get(tap * channels..(tap + 1) * channels).unwrap_or(&[]);
    let mut lanes = [0i8; LANES];
    let repeated = lanes.chunks_mut(if job.planes.pixels == Pixels::Apart { LANES } else { channels });
    for lanes in repeated {
        lanes.iter_mut().zip(weights.get(first..).unwrap_or(&[])).for_each(|(lane, weight)| *lane = *weight);
    }
    // SAFETY: 64 bytes.
    unsafe { _mm512_loadu_epi8(lanes.as_ptr()) }
}

/// Four rows of 64 bytes as fours of bytes, one of each row: 16 in each vector, number 16 l + 4 j + k in lane 4 l + k of vector j.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn interleave([a, b, c, d]: [__m512i; 4]) -> [__m512i; 4] {
    let [ab, cd] = [_mm512_unpacklo_epi8(a, b), _mm512_unpacklo_epi8(c, d)];
    let [ab_high, cd_high] = [_mm512_unpackhi_epi8(a, b), _mm512_unpackhi_epi8(c, d)];
    [
        _mm512_unpacklo_epi16(ab, cd),
        _mm512_unpackhi_epi16(ab, cd),
        _mm512_unpacklo_epi16(ab_high, cd_high),
        _mm512_unpackhi_epi16(ab_high, cd_high),
    ]
}
