//! Eight sums at a time back to int8, exactly as [`crate::quantized`] does it. The steps are explained beside their AVX-512 twins.

use core::arch::x86_64::*;

use crate::blob::{Activation, Channel, Rounding};
use crate::ops::Weighted;

/// The numbers of 8 channels; zeros for channels that are not there.
#[derive(Clone, Copy)]
pub struct Channels {
    pub bias: __m256i,
    multiplier: __m256i,
    rounding: __m256i,
    shift: __m256i,
}

impl Channels {
    #[target_feature(enable = "avx2")]
    pub fn new(channels: &[Channel; 8]) -> Self {
        Self {
            bias: numbers(channels.map(|channel| channel.bias)),
            multiplier: numbers(channels.map(|channel| channel.multiplier)),
            rounding: numbers(channels.map(|channel| channel.rounding)),
            shift: numbers(channels.map(|channel| channel.shift)),
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn numbers(numbers: [i32; 8]) -> __m256i {
    // SAFETY: reads 32 bytes.
    unsafe { _mm256_loadu_si256(numbers.as_ptr().cast()) }
}

/// The way back to int8 of 8 channels.
#[derive(Clone, Copy)]
pub enum Requantize {
    /// The short form: multipliers of even and odd lanes, rounding constant, shift.
    Bounded([__m256i; 2], __m256i, __m256i),
    /// Double rounding: multipliers, shifts to the left and to the right, zero point.
    Double([__m256i; 2], [__m256i; 2], __m256i),
    /// Single rounding: multipliers, halves, shifts, zero point (all in 64 bits).
    Single([__m256i; 2], [__m256i; 2], [__m256i; 2], __m256i),
}

impl Requantize {
    #[target_feature(enable = "avx2")]
    pub fn new(weighted: &Weighted<'_>, channels: &Channels, zero_point: i32) -> Self {
        let (zero, one) = (_mm256_setzero_si256(), _mm256_set1_epi32(1));
        let multiplier = split(channels.multiplier);
        match (weighted.bounded, weighted.rounding) {
            (true, _) => {
                let rounding = _mm256_add_epi32(_mm256_slli_epi32::<1>(channels.rounding), one);
                Self::Bounded(multiplier, rounding, _mm256_sub_epi32(one, channels.shift))
            }
            (false, Rounding::Double) => {
                let left = _mm256_max_epi32(channels.shift, zero);
                let right = _mm256_max_epi32(_mm256_sub_epi32(zero, channels.shift), zero);
                Self::Double(multiplier, [left, right], _mm256_set1_epi32(zero_point))
            }
            (false, Rounding::Single) => {
                let [even, odd] = split(_mm256_sub_epi32(_mm256_set1_epi32(31), channels.shift));
                let shifts = [_mm256_and_si256(even, _mm256_set1_epi64x(0xffff_ffff)), odd];
                let one = _mm256_set1_epi64x(1);
                let halves = shifts.map(|shift| _mm256_sllv_epi64(one, _mm256_sub_epi64(shift, one)));
                Self::Single(multiplier, halves, shifts, _mm256_set1_epi64x(i64::from(zero_point)))
            }
        }
    }

    /// Eight sums, within 16 bits or saturated by packing.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn apply(&self, sums: __m256i) -> __m256i {
        match self {
            Self::Bounded(multiplier, rounding, shift) => {
                let sign = _mm256_srai_epi32::<31>(sums);
                let high = _mm256_add_epi32(high(_mm256_slli_epi32::<2>(sums), *multiplier), *rounding);
                _mm256_srav_epi32(_mm256_add_epi32(high, _mm256_add_epi32(sign, sign)), *shift)
            }
            Self::Double(multiplier, shifts, zero_point) => double(sums, *multiplier, *shifts, *zero_point),
            Self::Single(multiplier, halves, shifts, zero_point) => {
                single(sums, *multiplier, *halves, *shifts, *zero_point)
            }
        }
    }
}

#[inline(never)]
#[target_feature(enable = "avx2")]
fn double(sums: __m256i, multiplier: [__m256i; 2], [left, right]: [__m256i; 2], zero_point: __m256i) -> __m256i {
    let [even, odd] = split(_mm256_sllv_epi32(sums, left));
    let half = _mm256_set1_epi64x(1 << 30);
    let even = _mm256_add_epi64(_mm256_mul_epi32(even, multiplier[0]), half);
    let odd = _mm256_add_epi64(_mm256_mul_epi32(odd, multiplier[1]), half);
    let high = _mm256_blend_epi32::<0xaa>(_mm256_srli_epi64::<31>(even), _mm256_slli_epi64::<1>(odd));
    let one = _mm256_set1_epi32(1);
    let mask = _mm256_sub_epi32(_mm256_sllv_epi32(one, right), one);
    let threshold = _mm256_sub_epi32(_mm256_srli_epi32::<1>(mask), _mm256_srai_epi32::<31>(high));
    let up = _mm256_cmpgt_epi32(_mm256_and_si256(high, mask), threshold);
    let value = _mm256_sub_epi32(_mm256_srav_epi32(high, right), up);
    let value = _mm256_max_epi32(value, _mm256_set1_epi32(-1 << 15));
    _mm256_add_epi32(_mm256_min_epi32(value, _mm256_set1_epi32(1 << 15)), zero_point)
}

#[inline(never)]
#[target_feature(enable = "avx2")]
fn single(
    sums: __m256i,
    multiplier: [__m256i; 2],
    halves: [__m256i; 2],
    shifts: [__m256i; 2],
    zero_point: __m256i,
) -> __m256i {
    let sums = split(sums);
    let [even, odd] = [0, 1].map(|i| {
        let product = _mm256_add_epi64(_mm256_mul_epi32(sums[i], multiplier[i]), halves[i]);
        // An arithmetic shift, made of a logical one.
        let sign = _mm256_srlv_epi64(_mm256_set1_epi64x(i64::MIN), shifts[i]);
        let value = _mm256_sub_epi64(_mm256_xor_si256(_mm256_srlv_epi64(product, shifts[i]), sign), sign);
        let value = _mm256_add_epi64(value, zero_point);
        let (least, most) = (_mm256_set1_epi64x(-1 << 15), _mm256_set1_epi64x(1 << 15));
        let value = _mm256_blendv_epi8(value, most, _mm256_cmpgt_epi64(value, most));
        _mm256_blendv_epi8(value, least, _mm256_cmpgt_epi64(least, value))
    });
    _mm256_blend_epi32::<0xaa>(even, _mm256_slli_epi64::<32>(odd))
}

/// Even and odd lanes as (the lower halves of) 64-bit lanes.
#[inline]
#[target_feature(enable = "avx2")]
pub fn split(lanes: __m256i) -> [__m256i; 2] {
    [lanes, _mm256_srli_epi64::<32>(lanes)]
}

/// The upper halves of the products of 8 numbers and the multipliers of the even and of the odd lanes.
#[inline]
#[target_feature(enable = "avx2")]
pub fn high(numbers: __m256i, multiplier: [__m256i; 2]) -> __m256i {
    let [even, odd] = split(numbers);
    let [even, odd] = [_mm256_mul_epi32(even, multiplier[0]), _mm256_mul_epi32(odd, multiplier[1])];
    _mm256_blend_epi32::<0xaa>(_mm256_shuffle_epi32::<0b11_11_01_01>(even), odd)
}

/// Two vectors as 16 bytes, saturated: the four lower lanes of `a`, of `b`, the upper of `a`, of `b`.
#[inline]
#[target_feature(enable = "avx2")]
pub fn pack_lanes(a: __m256i, b: __m256i) -> __m128i {
    let words = _mm256_packs_epi32(a, b);
    _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words))
}

/// The range of the output, 16 times.
#[derive(Clone, Copy)]
pub struct Clamp {
    min: __m128i,
    max: __m128i,
}

impl Clamp {
    #[target_feature(enable = "avx2")]
    pub fn new(activation: Activation) -> Self {
        Self { min: _mm_set1_epi8(activation.min), max: _mm_set1_epi8(activation.max) }
    }

    /// In the order of [`Activation::clamp`], as an array.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn apply(&self, bytes: __m128i) -> [i8; 16] {
        let mut array = [0; 16];
        // SAFETY: writes 16 bytes.
        unsafe { _mm_storeu_si128(array.as_mut_ptr().cast(), _mm_max_epi8(_mm_min_epi8(bytes, self.max), self.min)) };
        array
    }
}

/// Writes as many of `values` as `to` has.
#[inline(always)]
pub fn store(to: &mut [i8], values: [i8; 16]) {
    match to.first_chunk_mut() {
        Some(whole) => *whole = values,
        None => to.iter_mut().zip(values).for_each(|(to, value)| *to = value),
    }
}
