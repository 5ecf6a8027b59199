//! Up to eight pixels times up to 64 channels at a time, all sums in registers.

use core::arch::x86_64::*;

use super::requantize::{BOUNDED, Channels, Clamp, DOUBLE, Requantize, SINGLE, mode, pack};
use crate::arch::x86::product::{Job, Places};
use crate::blob::x86::{BLOCK, GROUP};

/// All pixels and channels.
///
/// # Safety
/// The job's parts fit together, and `output` has a byte for each pixel and channel ([`crate::arch::x86::product::run`]
/// checks both).
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub unsafe fn run(job: &Job<'_>, output: &mut [i8]) {
    // SAFETY: the caller's promise.
    unsafe {
        match mode(job.weighted) {
            BOUNDED => groups::<BOUNDED>(job, output),
            DOUBLE => groups::<DOUBLE>(job, output),
            _ => groups::<SINGLE>(job, output),
        }
    }
}

/// All pixels, up to four groups of channels at a time.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn groups<const MODE: u8>(job: &Job<'_>, output: &mut [i8]) {
    let groups = job.weighted.channels.len().div_ceil(GROUP);
    for first in (0..groups).step_by(4) {
        // SAFETY: the groups exist.
        unsafe {
            match groups - first {
                1 => columns::<8, 1, MODE>(job, first, output),
                2 => columns::<8, 2, MODE>(job, first, output),
                3 => columns::<8, 3, MODE>(job, first, output),
                _ => columns::<6, 4, MODE>(job, first, output),
            }
        }
    }
}

/// All pixels, `P` at a time, and the `N` groups of channels from `first` on.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn columns<const P: usize, const N: usize, const MODE: u8>(job: &Job<'_>, first: usize, output: &mut [i8]) {
    // SAFETY: as for `run`; as many pixels are taken as are left.
    unsafe {
        let mut walk = Walk::<N, MODE>::new(job, first, output);
        while walk.left >= P {
            walk.block::<P>();
        }
        while walk.left >= 2 {
            walk.block::<2>();
        }
        while walk.left >= 1 {
            walk.block::<1>();
        }
    }
}

/// A walk over all pixels with `N` groups of channels.
struct Walk<'a, const N: usize, const MODE: u8> {
    job: &'a Job<'a>,
    /// The groups' first weights, and their bytes.
    weights: *const i8,
    group_bytes: usize,
    /// What sums begin with: biases, and 128 times less the sum of the weights.
    start: [__m512i; N],
    requantize: [Requantize<MODE>; N],
    clamp: Clamp,
    /// 128 in every byte, to make activations unsigned (none if they are already).
    flip: __m512i,
    /// Channels in the output, and how many of them these groups have.
    channels: [usize; 2],
    /// Pixels that are left, where they are, and where the next one goes.
    left: usize,
    places: Places<'a>,
    output: *mut i8,
}

impl<'a, const N: usize, const MODE: u8> Walk<'a, N, MODE> {
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn new(job: &'a Job<'a>, first: usize, output: &mut [i8]) -> Self {
        let Job { patches, weighted, zero_point } = job;
        let group_bytes = patches.group_bytes();
        let all = weighted.channels.len();
        // SAFETY: groups `first` to `first + N - 1` exist: of channels at least one each, of weights all bytes.
        let (weights, output) =
            unsafe { (weighted.weights.as_ptr().add(first * group_bytes), output.as_mut_ptr().add(first * GROUP)) };
        let channels: [Channels; N] =
            core::array::from_fn(|n| Channels::load(weighted.channels.get((first + n) * GROUP..).unwrap_or(&[])));
        // SAFETY: each group begins with its sums.
        let sums: [__m512i; N] = core::array::from_fn(|n| unsafe { load(weights.add(n * group_bytes)) });
        Self {
            job,
            weights,
            group_bytes,
            start: core::array::from_fn(|n| _mm512_add_epi32(channels[n].bias, sums[n])),
            requantize: core::array::from_fn(|n| Requantize::new(&channels[n], *zero_point)),
            clamp: Clamp::new(weighted.activation),
            flip: _mm512_set1_epi8(-128),
            channels: [all, (all - first * GROUP).min(N * GROUP)],
            left: patches.count[0] * patches.count[1],
            places: Places::new(patches),
            output,
        }
    }

    /// The next `P` pixels.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn block<const P: usize>(&mut self) {
        let bytes = self.job.patches.bytes.as_ptr();
        let pixels: [*const i8; P] = core::array::from_fn(|_| bytes.wrapping_add(self.places.next()));
        // SAFETY: `P` pixels are left, says the caller.
        unsafe {
            let mut sums =
                if self.job.patches.flipped { self.sums::<P, false>(&pixels) } else { self.sums::<P, true>(&pixels) };
            for sums in &mut sums {
                for (sum, requantize) in sums.iter_mut().zip(&self.requantize) {
                    *sum = requantize.apply(*sum);
                }
            }
            self.store(&sums);
        }
        self.left -= P;
        self.output = self.output.wrapping_add(P * self.channels[0]);
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn sums<const P: usize, const FLIP: bool>(&self, pixels: &[*const i8; P]) -> [[__m512i; N]; P] {
        let patches = self.job.patches;
        let (mut weights, mut line) = (self.weights, 0);
        let mut sums = [self.start; P];
        for _ in 0..patches.rows {
            for at in (line..line + 4 * patches.quads).step_by(4) {
                weights = weights.wrapping_add(BLOCK);
                let mut w = [_mm512_setzero_si512(); N];
                for (n, w) in w.iter_mut().enumerate() {
                    // SAFETY: a group has a block for each quad of each run after the first.
                    *w = unsafe { load(weights.add(n * self.group_bytes)) };
                }
                for (sums, pixel) in sums.iter_mut().zip(pixels) {
                    // SAFETY: runs lie inside of the bytes (`Patches::inside`).
                    let four = unsafe { pixel.add(at).cast::<i32>().read_unaligned() };
                    let x = _mm512_set1_epi32(four);
                    let x = if FLIP { _mm512_xor_si512(x, self.flip) } else { x };
                    for (sum, w) in sums.iter_mut().zip(w) {
                        *sum = _mm512_dpbusd_epi32(*sum, x, w);
                    }
                }
            }
            line += patches.line;
        }
        sums
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn store<const P: usize>(&self, sums: &[[__m512i; N]; P]) {
        let [all, mine] = self.channels;
        if all == N * GROUP && (P * N).is_multiple_of(4) {
            for (at, four) in sums.as_flattened().as_chunks::<4>().0.iter().enumerate() {
                // SAFETY: these pixels have no other channels, so their bytes follow each other.
                unsafe { _mm512_storeu_epi8(self.output.add(at * 64), self.clamp.apply(pack(*four))) };
            }
            return;
        }
        let mask = u64::MAX >> (64 - mine);
        for (pixel, sums) in sums.iter().enumerate() {
            let mut four = [_mm512_setzero_si512(); 4];
            four.iter_mut().zip(sums).for_each(|(to, sum)| *to = *sum);
            // SAFETY: `P` pixels are left in the output; the mask keeps to the channels of these groups.
            unsafe { _mm512_mask_storeu_epi8(self.output.add(pixel * all), mask, self.clamp.apply(pack(four))) };
        }
    }
}

/// # Safety
/// 64 bytes can be read.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
unsafe fn load(bytes: *const i8) -> __m512i {
    // SAFETY: the caller's promise; any alignment will do.
    unsafe { _mm512_loadu_epi8(bytes) }
}
