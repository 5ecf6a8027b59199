//! Three pixels times 16 channels at a time.

use core::arch::x86_64::*;

use super::requantize::{Channels, Clamp, Requantize, pack_lanes, store};
use crate::arch::x86::product::{Job, Places};
use crate::blob::Channel;
use crate::blob::x86::{BLOCK, GROUP};

/// All pixels and channels.
///
/// # Safety
/// The job's parts fit together ([`crate::arch::x86::product::run`] checks that).
#[target_feature(enable = "avx2")]
pub unsafe fn run(job: &Job<'_>, output: &mut [i8]) {
    let (channels, group_bytes) = (job.weighted.channels.len(), job.patches.group_bytes());
    let clamp = Clamp::new(job.weighted.activation);
    for first in (0..channels).step_by(GROUP) {
        let weights = job.weighted.weights.as_ptr().wrapping_add(first / GROUP * group_bytes);
        let group = Group::new(job, first, weights, clamp);
        let mut places = Places::new(job.patches);
        let mut pixels = output.chunks_exact_mut(channels);
        let mut left = pixels.len();
        while left > 0 {
            // SAFETY: as many places as pixels are left are in the patches.
            unsafe {
                if left >= 3 {
                    group.block::<3>(&mut places, &mut pixels);
                } else {
                    group.block::<1>(&mut places, &mut pixels);
                }
            }
            left = pixels.len();
        }
    }
}

/// Sixteen channels.
struct Group<'a> {
    job: &'a Job<'a>,
    first: usize,
    weights: *const i8,
    bias: [__m256i; 2],
    requantize: [Requantize; 2],
    clamp: Clamp,
}

impl<'a> Group<'a> {
    #[target_feature(enable = "avx2")]
    fn new(job: &'a Job<'a>, first: usize, weights: *const i8, clamp: Clamp) -> Self {
        let channels: [Channels; 2] = [0, 8].map(|half| {
            let all = job.weighted.channels.get(first + half..).unwrap_or(&[]);
            let records: [Channel; 8] = core::array::from_fn(|i| all.get(i).copied().unwrap_or_default());
            Channels::new(&records)
        });
        let requantize = channels.map(|channels| Requantize::new(job.weighted, &channels, job.zero_point));
        Self { job, first, weights, bias: channels.map(|channels| channels.bias), requantize, clamp }
    }

    /// The next `P` pixels.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn block<'o, const P: usize>(
        &self,
        places: &mut Places<'_>,
        pixels: &mut impl Iterator<Item = &'o mut [i8]>,
    ) {
        let bytes = self.job.patches.bytes.as_ptr();
        let at: [*const i8; P] = core::array::from_fn(|_| bytes.wrapping_add(places.next()));
        // SAFETY: the caller's promise.
        let sums = unsafe { self.sums(&at) };
        for ([low, high], pixel) in sums.into_iter().zip(pixels) {
            let low = self.requantize[0].apply(_mm256_add_epi32(low, self.bias[0]));
            let high = self.requantize[1].apply(_mm256_add_epi32(high, self.bias[1]));
            // Lanes of four: packed as 0 to 3, 8 to 11, 4 to 7, 12 to 15.
            let bytes = _mm_shuffle_epi32::<0b11_01_10_00>(pack_lanes(low, high));
            store(pixel.get_mut(self.first..).unwrap_or(&mut []), self.clamp.apply(bytes));
        }
    }

    /// Sums of eight and eight channels.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn sums<const P: usize>(&self, pixels: &[*const i8; P]) -> [[__m256i; 2]; P] {
        let patches = self.job.patches;
        let (mut weights, mut line) = (self.weights, 0);
        let mut sums = [[_mm256_setzero_si256(); P]; 4];
        for _ in 0..patches.rows {
            for at in (line..line + 4 * patches.quads).step_by(4) {
                weights = weights.wrapping_add(BLOCK);
                let mut x = [_mm256_setzero_si256(); P];
                for (x, pixel) in x.iter_mut().zip(pixels) {
                    // SAFETY: runs lie inside of the bytes (`Patches::inside`).
                    *x = unsafe { four(pixel.add(at)) };
                }
                for (v, sums) in sums.iter_mut().enumerate() {
                    // SAFETY: a group has a block for each quad of each run after the first.
                    let w = unsafe { _mm_loadu_si128(weights.add(16 * v).cast()) };
                    let w = _mm256_cvtepi8_epi16(w);
                    for (sum, x) in sums.iter_mut().zip(x) {
                        *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(x, w));
                    }
                }
            }
            line += patches.line;
        }
        // No `map` here: closures with instructions that it lacks are not inlined into it.
        let mut channels = [[_mm256_setzero_si256(); 2]; P];
        let [a, b, c, d] = sums;
        for (p, channels) in channels.iter_mut().enumerate() {
            *channels = [paired(a[p], b[p]), paired(c[p], d[p])];
        }
        channels
    }
}

/// Eight channels of two vectors in which each has two neighbouring sums.
#[inline]
#[target_feature(enable = "avx2")]
fn paired(a: __m256i, b: __m256i) -> __m256i {
    _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_hadd_epi32(a, b))
}

/// Four bytes, widened, four times.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn four(bytes: *const i8) -> __m256i {
    // SAFETY: the caller says that four bytes can be read.
    let four = unsafe { bytes.cast::<i32>().read_unaligned() };
    _mm256_broadcastq_epi64(_mm_cvtepi8_epi16(_mm_cvtsi32_si128(four)))
}
