//! [`super::depthwise`] in NEON: products in 16 bits, those of two taps together where they fit, widened into sums.

#![allow(unsafe_code)]

use core::arch::aarch64::*;

use super::cpu::{load, load8, numbers};
use super::depthwise::Depthwise;
use super::product::Requantize;
use crate::blob::Channel;

/// As [`super::depthwise::run`], which has checked that all fits together.
#[inline]
pub fn run(job: &Depthwise<'_>, taps: &[&[i8]], step: usize, output: &mut [i8]) {
    if job.narrow { chunks::<true>(job, taps, step, output) } else { chunks::<false>(job, taps, step, output) }
}

/// The last chunk of channels begins earlier if it would not be full.
#[inline(always)]
fn chunks<const NARROW: bool>(job: &Depthwise<'_>, taps: &[&[i8]], step: usize, output: &mut [i8]) {
    let channels = job.channels.len();
    if channels < 16 {
        for first in [0, channels - 8] {
            eight::<NARROW>(job, taps, step, first, output);
        }
        return;
    }
    for first in (0..channels).step_by(16) {
        sixteen::<NARROW>(job, taps, step, first.min(channels - 16), output);
    }
}

/// The requantization of four channels from number `first` on, which exist.
#[inline(always)]
fn requantize(job: &Depthwise<'_>, first: usize) -> Requantize {
    const NONE: &[Channel; 4] = &[Channel { bias: 0, multiplier: 0, rounding: 0, shift: 0 }; 4];
    Requantize::new(job.channels.get(first..).and_then(|rest| rest.first_chunk()).unwrap_or(NONE))
}

/// Sixteen channels from number `first` on, which exist, of all pixels.
#[inline(always)]
fn sixteen<const NARROW: bool>(job: &Depthwise<'_>, taps: &[&[i8]], step: usize, first: usize, output: &mut [i8]) {
    let channels = job.channels.len();
    let requantize = [0, 4, 8, 12].map(|i| requantize(job, first + i));
    for pixel in 0..output.len() / channels {
        let mut sums = [numbers([0; 4]); 4];
        let mut weights = job.weights.as_ptr().wrapping_add(first);
        let at = pixel * step + first;
        // SAFETY: taps and weights have 16 bytes for these channels; the rest is arithmetic on registers.
        unsafe {
            let (pairs, rest) = taps.as_chunks::<2>();
            for [a, b] in pairs {
                let (x, w) = (load(a.as_ptr().wrapping_add(at)), load(weights));
                let (y, v) = (load(b.as_ptr().wrapping_add(at)), load(weights.wrapping_add(channels)));
                weights = weights.wrapping_add(2 * channels);
                let [low, high] = [vmull_s8(vget_low_s8(x), vget_low_s8(w)), vmull_high_s8(x, w)];
                if NARROW {
                    add(&mut sums, vmlal_s8(low, vget_low_s8(y), vget_low_s8(v)), vmlal_high_s8(high, y, v));
                } else {
                    add(&mut sums, low, high);
                    add(&mut sums, vmull_s8(vget_low_s8(y), vget_low_s8(v)), vmull_high_s8(y, v));
                }
            }
            if let [a] = rest {
                let (x, w) = (load(a.as_ptr().wrapping_add(at)), load(weights));
                add(&mut sums, vmull_s8(vget_low_s8(x), vget_low_s8(w)), vmull_high_s8(x, w));
            }
            let [a, b, c, d] = [0, 1, 2, 3].map(|i| requantize[i].scaled(sums[i]));
            let low = vqmovn_high_s32(vqmovn_s32(a), b);
            let high = vqmovn_high_s32(vqmovn_s32(c), d);
            let bytes = vqmovn_high_s16(vqmovn_s16(low), high);
            let activation = job.activation;
            let bytes = vmaxq_s8(vminq_s8(bytes, vdupq_n_s8(activation.max)), vdupq_n_s8(activation.min));
            let to = output.as_mut_ptr().wrapping_add(pixel * channels + first);
            core::arch::asm!("str {:q}, [{}]", in(vreg) bytes, in(reg) to, options(nostack, preserves_flags));
        }
    }
}

/// Eight channels from number `first` on, which exist, of all pixels.
#[inline(always)]
fn eight<const NARROW: bool>(job: &Depthwise<'_>, taps: &[&[i8]], step: usize, first: usize, output: &mut [i8]) {
    let channels = job.channels.len();
    let requantize = [0, 4].map(|i| requantize(job, first + i));
    for pixel in 0..output.len() / channels {
        let mut sums = [numbers([0; 4]); 2];
        let mut weights = job.weights.as_ptr().wrapping_add(first);
        let at = pixel * step + first;
        // SAFETY: taps and weights have 8 bytes for these channels; the rest is arithmetic on registers.
        unsafe {
            let mut widen = |products| {
                sums = [vaddw_s16(sums[0], vget_low_s16(products)), vaddw_high_s16(sums[1], products)];
            };
            let (pairs, rest) = taps.as_chunks::<2>();
            for [a, b] in pairs {
                let (x, w) = (load8(a.as_ptr().wrapping_add(at)), load8(weights));
                let (y, v) = (load8(b.as_ptr().wrapping_add(at)), load8(weights.wrapping_add(channels)));
                weights = weights.wrapping_add(2 * channels);
                if NARROW {
                    widen(vmlal_s8(vmull_s8(x, w), y, v));
                } else {
                    widen(vmull_s8(x, w));
                    widen(vmull_s8(y, v));
                }
            }
            if let [a] = rest {
                widen(vmull_s8(load8(a.as_ptr().wrapping_add(at)), load8(weights)));
            }
            let low = vqmovn_s32(requantize[0].scaled(sums[0]));
            let bytes = vqmovn_s16(vqmovn_high_s32(low, requantize[1].scaled(sums[1])));
            let bytes = vmax_s8(vmin_s8(bytes, vdup_n_s8(job.activation.max)), vdup_n_s8(job.activation.min));
            let to = output.as_mut_ptr().wrapping_add(pixel * channels + first);
            core::arch::asm!("str {:d}, [{}]", in(vreg) bytes, in(reg) to, options(nostack, preserves_flags));
        }
    }
}

/// Sixteen products to sixteen sums.
#[inline(always)]
fn add(sums: &mut [int32x4_t; 4], low: int16x8_t, high: int16x8_t) {
    // SAFETY: arithmetic on registers.
    unsafe {
        sums[0] = vaddw_s16(sums[0], vget_low_s16(low));
        sums[1] = vaddw_high_s16(sums[1], low);
        sums[2] = vaddw_s16(sums[2], vget_low_s16(high));
        sums[3] = vaddw_high_s16(sums[3], high);
    }
}
