//! 16 outputs at a time. Two kernel rows of one kernel column are interleaved, so that VPMADDWD adds their products.

use core::arch::x86_64::*;

use super::requantize::{Channels, Clamp, Requantize, pack_lanes, store};
use crate::arch::x86::depthwise::{Job, Pixels};
use crate::blob::Channel;

/// Outputs at a time.
const LANES: usize = 16;

/// One image.
///
/// # Safety
/// The job's parts fit together, as [`crate::arch::x86::depthwise::run`] checks.
#[target_feature(enable = "avx2")]
pub unsafe fn run(job: &Job<'_>, weights: &mut [i8], output: &mut [i8]) {
    let channels = job.weighted.channels.len();
    // Pixels of 16 channels and more are taken one by one, however they lie.
    let dense = job.planes.pixels != Pixels::Apart && channels < LANES;
    let half = dense && job.planes.pixels == Pixels::EveryOther;
    let ([_, width], [down, right]) = (job.planes.count, job.planes.steps);
    for first in (0..channels).step_by(LANES) {
        let chunk = Chunk::new(job, first, dense, weights);
        for (y, line) in output.chunks_exact_mut(width * channels).enumerate() {
            let row = job.planes.bytes.as_ptr().wrapping_add(y * down + first);
            // SAFETY: rows, pixels and taps are in range, up to 32 bytes are read beyond (`Planes::inside`).
            unsafe {
                if dense {
                    for (i, values) in line.chunks_mut(LANES).enumerate() {
                        let bytes = row.wrapping_add(i * LANES * if half { 2 } else { 1 });
                        store(values, if half { chunk.outputs::<true>(bytes) } else { chunk.outputs::<false>(bytes) });
                    }
                } else {
                    for (x, pixel) in line.chunks_exact_mut(channels).enumerate() {
                        let values = chunk.outputs::<false>(row.wrapping_add(x * right));
                        store(pixel.get_mut(first..).unwrap_or(&mut []), values);
                    }
                }
            }
        }
    }
}

/// Up to 16 neighbouring outputs: their weights and requantization.
struct Chunk<'a> {
    job: &'a Job<'a>,
    weights: &'a [i8],
    bias: [__m256i; 2],
    requantize: [Requantize; 2],
    clamp: Clamp,
}

impl<'a> Chunk<'a> {
    #[target_feature(enable = "avx2")]
    fn new(job: &'a Job<'a>, first: usize, dense: bool, weights: &'a mut [i8]) -> Self {
        let all = job.weighted.channels;
        let number = |lane: usize| if dense { lane % all.len() } else { first + lane };
        // As interleaving has it: lanes 0 to 3 and 8 to 11, then the others.
        let channels: [Channels; 2] = [0, 4].map(|start| {
            let record = |i: usize| all.get(number(start + i % 4 + i / 4 * 8)).copied().unwrap_or_default();
            let records: [Channel; 8] = core::array::from_fn(record);
            Channels::new(&records)
        });
        let (rows, columns) = (job.planes.rows, job.planes.columns.len());
        let weight = |row: usize, column: usize, lane: usize| {
            let at = (row * columns + column) * all.len() + number(lane);
            if row < rows && number(lane) < all.len() { job.weighted.weights.get(at).copied().unwrap_or(0) } else { 0 }
        };
        let places = weights.chunks_exact_mut(2 * LANES);
        let taps = (0..columns).flat_map(|column| (0..rows).step_by(2).map(move |row| (row, column)));
        for (place, (row, column)) in places.zip(taps) {
            for (lane, pair) in place.chunks_exact_mut(2).enumerate() {
                pair.copy_from_slice(&[weight(row, column, lane), weight(row + 1, column, lane)]);
            }
        }
        let requantize = channels.map(|channels| Requantize::new(job.weighted, &channels, job.zero_point));
        let bias = channels.map(|channels| channels.bias);
        Self { job, weights, bias, requantize, clamp: Clamp::new(job.weighted.activation) }
    }

    /// Outputs whose first tap is at `bytes`; every other pixel is left out if `HALF`.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn outputs<const HALF: bool>(&self, bytes: *const i8) -> [i8; 16] {
        let planes = self.job.planes;
        let [mut low, mut high] = self.bias;
        let mut weights = self.weights.as_ptr();
        for column in planes.columns {
            for row in (0..planes.rows).step_by(2) {
                // A row that is not there has zero weights: any other may stand for it.
                let next = if row + 1 < planes.rows { row + 1 } else { row };
                let at = *column as usize;
                // SAFETY: the caller's promise.
                let a = unsafe { widen::<HALF>(bytes.add(at + row * planes.line)) };
                // SAFETY: the caller's promise.
                let b = unsafe { widen::<HALF>(bytes.add(at + next * planes.line)) };
                // SAFETY: as many pairs as `new` stored.
                let (w, v) = unsafe { (load(weights), load(weights.add(LANES))) };
                low = _mm256_add_epi32(low, _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), lanes(w, v)));
                high = _mm256_add_epi32(high, _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), lanes_high(w, v)));
                weights = weights.wrapping_add(2 * LANES);
            }
        }
        let packed = pack_lanes(self.requantize[0].apply(low), self.requantize[1].apply(high));
        self.clamp.apply(packed)
    }
}

/// Pairs of weights of lanes 0 to 3 and 8 to 11, of two loads of eight lanes each.
#[inline]
#[target_feature(enable = "avx2")]
fn lanes(first: __m128i, second: __m128i) -> __m256i {
    _mm256_cvtepi8_epi16(_mm_unpacklo_epi64(first, second))
}

/// Of the other lanes.
#[inline]
#[target_feature(enable = "avx2")]
fn lanes_high(first: __m128i, second: __m128i) -> __m256i {
    _mm256_cvtepi8_epi16(_mm_unpackhi_epi64(first, second))
}

#[inline]
#[target_feature(enable = "avx2")]
unsafe fn load(bytes: *const i8) -> __m128i {
    // SAFETY: the caller says that 16 bytes can be read.
    unsafe { _mm_loadu_si128(bytes.cast()) }
}

/// Sixteen bytes, widened; of 32 bytes the first and third eight if `HALF`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn widen<const HALF: bool>(bytes: *const i8) -> __m256i {
    // SAFETY: the caller says that 16 bytes (32 if `HALF`) can be read.
    let (low, high) = unsafe { (load(bytes), if HALF { load(bytes.add(16)) } else { _mm_setzero_si128() }) };
    _mm256_cvtepi8_epi16(if HALF { _mm_unpacklo_epi64(low, high) } else { low })
}
