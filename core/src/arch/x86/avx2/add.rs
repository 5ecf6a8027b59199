//! Sums, 16 elements at a time. The steps are explained beside their AVX-512 twins.

use core::arch::x86_64::*;

use super::requantize::{Clamp, high, pack_lanes, split, store};
use crate::ops::Add;
use crate::ops::add::LEFT_SHIFT;
use crate::quantized::Multiplier;

/// All elements. Safe code but for the instruction set.
#[target_feature(enable = "avx2")]
pub fn run(add: &Add, [zero_a, zero_b, zero_point]: [i32; 3], [a, b]: [&[i8]; 2], output: &mut [i8]) {
    let (scales, clamp) = (add.inputs.map(|by| Short::new(by)), Clamp::new(add.activation));
    let (scale, zero_point) = (Short::new(add.output), _mm256_set1_epi32(zero_point));
    let zeros = [zero_a, zero_b].map(|zero| _mm256_set1_epi32(zero << (LEFT_SHIFT + 2)));
    for ((a, b), y) in a.chunks(16).zip(b.chunks(16)).zip(output.chunks_mut(16)) {
        let [a_low, a_high] = scaled(a, zeros[0], &scales[0]);
        let [b_low, b_high] = scaled(b, zeros[1], &scales[1]);
        let low = _mm256_slli_epi32::<2>(_mm256_add_epi32(a_low, b_low));
        let high = _mm256_slli_epi32::<2>(_mm256_add_epi32(a_high, b_high));
        let low = _mm256_add_epi32(scale.apply(low), zero_point);
        let high = _mm256_add_epi32(scale.apply(high), zero_point);
        store(y, clamp.apply(_mm_shuffle_epi32::<0b11_01_10_00>(pack_lanes(low, high))));
    }
}

/// Up to sixteen bytes of one input on the common scale.
#[inline]
#[target_feature(enable = "avx2")]
fn scaled(bytes: &[i8], zero: __m256i, scale: &Short) -> [__m256i; 2] {
    let [low, high] = widen(&padded(bytes));
    let low = _mm256_sub_epi32(_mm256_slli_epi32::<{ LEFT_SHIFT as i32 + 2 }>(low), zero);
    let high = _mm256_sub_epi32(_mm256_slli_epi32::<{ LEFT_SHIFT as i32 + 2 }>(high), zero);
    [scale.apply(low), scale.apply(high)]
}

/// Sixteen bytes, zeros after the last.
#[inline(always)]
fn padded(bytes: &[i8]) -> [i8; 16] {
    bytes.first_chunk().copied().unwrap_or_else(|| {
        let mut all = [0; 16];
        all.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        all
    })
}

#[inline]
#[target_feature(enable = "avx2")]
fn widen(bytes: &[i8; 16]) -> [__m256i; 2] {
    // SAFETY: reads 16 bytes.
    let bytes = unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) };
    [_mm256_cvtepi8_epi32(bytes), _mm256_cvtepi8_epi32(_mm_unpackhi_epi64(bytes, bytes))]
}

/// One multiplier below one for all lanes, of numbers that come multiplied by four.
#[derive(Clone, Copy)]
struct Short {
    multiplier: [__m256i; 2],
    rounding: __m256i,
    /// Taken from negative numbers.
    ties: __m256i,
    shift: __m256i,
}

impl Short {
    #[target_feature(enable = "avx2")]
    fn new(by: Multiplier) -> Self {
        // Divided by 2^31 everything is 0, said so because its constant would not fit.
        let by = if by.shift == -31 { Multiplier { multiplier: 0, shift: 0 } } else { by };
        let right = by.shift.wrapping_neg();
        let (half, ties) = if right == 0 { (0, 0) } else { (1i32.wrapping_shl(right as u32), 2) };
        Self {
            multiplier: split(_mm256_set1_epi32(by.multiplier)),
            rounding: _mm256_set1_epi32(half.wrapping_add(1)),
            ties: _mm256_set1_epi32(ties),
            shift: _mm256_set1_epi32(right + 1),
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn apply(&self, fourfold: __m256i) -> __m256i {
        let ties = _mm256_and_si256(_mm256_srai_epi32::<31>(fourfold), self.ties);
        let rounded = _mm256_sub_epi32(_mm256_add_epi32(high(fourfold, self.multiplier), self.rounding), ties);
        _mm256_srav_epi32(rounded, self.shift)
    }
}
