//! Copies of input into columns (im2col), 16 bytes at a time.

#[cfg(not(simd_mve))]
use crate::ops::{parts, parts_mut};

/// Copies pixels that stand evenly in one place to where they stand evenly in another, as wide apart as it likes.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    /// Bytes of a pixel.
    pixel: usize,
    /// Bytes from one to the next, where they come from and where they go.
    steps: [usize; 2],
    /// Pixels that one scatter stores, 2 or more; 0 where it cannot.
    #[cfg(simd_mve)]
    together: usize,
    /// Where it puts the bytes of a register.
    #[cfg(simd_mve)]
    offsets: [u8; 16],
}

impl Spread {
    /// For pixels of `pixel` bytes, `steps` apart where they are and where they go.
    pub fn new(pixel: usize, steps: [usize; 2]) -> Self {
        #[cfg(simd_mve)]
        let (together, offsets) = Self::scatter(pixel, steps);
        Self {
            pixel,
            steps,
            #[cfg(simd_mve)]
            together,
            #[cfg(simd_mve)]
            offsets,
        }
    }

    /// How a scatter stores neighbouring pixels of at most half a register: how many, and where their bytes go.
    #[cfg(simd_mve)]
    fn scatter(pixel: usize, [from, to]: [usize; 2]) -> (usize, [u8; 16]) {
        let mut offsets = [0; 16];
        let together = 16usize.checked_div(pixel).unwrap_or(0);
        let reach = together.saturating_mul(to);
        if from != pixel || together < 2 || reach > 255 {
            return (0, offsets);
        }
        let (mut start, mut within) = (0, 0);
        for offset in offsets.iter_mut().take(together * pixel) {
            *offset = (start + within) as u8;
            within += 1;
            if within == pixel {
                (start, within) = (start + to, 0);
            }
        }
        (together, offsets)
    }

    /// Copies `count` pixels. Does nothing when the slices do not hold them.
    #[inline]
    pub fn run(&self, source: &[i8], count: usize, to: &mut [i8]) {
        let (Some(last), Self { pixel, steps, .. }) = (count.checked_sub(1), *self) else { return };
        let holds = |step: usize, length: usize| last.saturating_mul(step).saturating_add(pixel) <= length;
        if pixel == 0 || !holds(steps[0], source.len()) || !holds(steps[1], to.len()) {
            return;
        }
        #[cfg(simd_mve)]
        if self.together > 0 {
            super::gather_asm::scatter(source, [self.together, pixel, steps[1]], &self.offsets, count, to);
        } else {
            super::gather_asm::pixels(source, pixel, steps, count, to);
        }
        #[cfg(not(simd_mve))]
        match pixel {
            1 => each(source, steps, last, to, short::<1>),
            2 => each(source, steps, last, to, short::<2>),
            3 => each(source, steps, last, to, short::<3>),
            4 => each(source, steps, last, to, short::<4>),
            _ => each(source, steps, last, to, |from, to| copy(from.get(..pixel).unwrap_or(from), to)),
        }
    }
}

/// `copy` for `last` pixels and one more.
#[cfg(not(simd_mve))]
#[inline(always)]
fn each(source: &[i8], steps: [usize; 2], last: usize, to: &mut [i8], copy: impl Fn(&[i8], &mut [i8])) {
    let (source, to) = (source.split_at_checked(last * steps[0]), to.split_at_mut_checked(last * steps[1]));
    let (Some((source, from_last)), Some((to, to_last))) = (source, to) else { return };
    parts(source, steps[0]).zip(parts_mut(to, steps[1])).for_each(|(from, to)| copy(from, to));
    copy(from_last, to_last);
}

/// The first `N` bytes.
#[cfg(not(simd_mve))]
#[inline(always)]
fn short<const N: usize>(from: &[i8], to: &mut [i8]) {
    if let (Some(from), Some(to)) = (from.first_chunk::<N>(), to.first_chunk_mut::<N>()) {
        *to = *from;
    }
}

/// As many bytes as both have, in as many instructions wherever they begin (a `memcpy` looks at that).
#[inline(always)]
pub fn copy(source: &[i8], to: &mut [i8]) {
    #[cfg(simd_mve)]
    super::gather_asm::copy(source, to);
    #[cfg(target_arch = "aarch64")]
    crate::arch::neon::copy::copy(source, to);
    #[cfg(not(any(simd_mve, target_arch = "aarch64")))]
    crate::arch::dsp::blocks::copy(source, to);
}

/// `value` everywhere.
#[inline(always)]
pub fn fill(to: &mut [i8], value: i8) {
    #[cfg(simd_mve)]
    super::gather_asm::fill(to, value);
    #[cfg(not(simd_mve))]
    to.iter_mut().for_each(|to| *to = value);
}
