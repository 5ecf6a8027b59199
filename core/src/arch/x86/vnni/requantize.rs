//! Sixteen sums at a time back to int8, exactly as [`crate::quantized`] does it.

use core::arch::x86_64::*;

use crate::blob::{Activation, Channel, Rounding};
use crate::ops::Weighted;

/// The numbers of 16 channels, one vector for each; zeros for channels that are not there.
#[derive(Clone, Copy)]
pub struct Channels {
    pub bias: __m512i,
    multiplier: __m512i,
    rounding: __m512i,
    shift: __m512i,
}

impl Channels {
    /// Of the first 16 of `channels`, or as many as there are.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    pub fn load(channels: &[Channel]) -> Self {
        let numbers: &[i32] = bytemuck::cast_slice(channels);
        let mut vectors = [_mm512_setzero_si512(); 4];
        for (vector, rest) in vectors.iter_mut().zip(numbers.chunks(16)) {
            let mask = u16::MAX >> (16 - rest.len());
            // SAFETY: reads as many numbers as the slice has.
            *vector = unsafe { _mm512_maskz_loadu_epi32(mask, rest.as_ptr()) };
        }
        let [a, b, c, d] = vectors;
        // Four records per vector: biases and multipliers of eight channels, then of all sixteen.
        let low = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
        let high = _mm512_add_epi32(low, _mm512_set1_epi32(2));
        let (ab, cd) = (_mm512_permutex2var_epi32(a, low, b), _mm512_permutex2var_epi32(c, low, d));
        let (ab_high, cd_high) = (_mm512_permutex2var_epi32(a, high, b), _mm512_permutex2var_epi32(c, high, d));
        Self {
            bias: _mm512_shuffle_i64x2::<0b01_00_01_00>(ab, cd),
            multiplier: _mm512_shuffle_i64x2::<0b11_10_11_10>(ab, cd),
            rounding: _mm512_shuffle_i64x2::<0b01_00_01_00>(ab_high, cd_high),
            shift: _mm512_shuffle_i64x2::<0b11_10_11_10>(ab_high, cd_high),
        }
    }
}

/// How a weighted operator requantizes, known at compile time so that it is one run of instructions: the short form of
/// double rounding, double rounding with any shift, or single rounding.
pub const BOUNDED: u8 = 0;
pub const DOUBLE: u8 = 1;
pub const SINGLE: u8 = 2;

/// The way of `weighted`.
pub fn mode(weighted: &Weighted<'_>) -> u8 {
    match (weighted.bounded, weighted.rounding) {
        (true, _) => BOUNDED,
        (false, Rounding::Double) => DOUBLE,
        (false, Rounding::Single) => SINGLE,
    }
}

/// The way back to int8 of 16 channels.
#[derive(Clone, Copy)]
pub struct Requantize<const MODE: u8> {
    /// Multipliers of the even and of the odd lanes.
    multiplier: [__m512i; 2],
    /// What is added, and by how much is shifted: see the functions.
    terms: [__m512i; 2],
    shifts: [__m512i; 2],
    zero_point: __m512i,
}

impl<const MODE: u8> Requantize<MODE> {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    pub fn new(channels: &Channels, zero_point: i32) -> Self {
        let (zero, one) = (_mm512_setzero_si512(), _mm512_set1_epi32(1));
        let multiplier = split(channels.multiplier);
        let narrow = _mm512_set1_epi32(zero_point);
        if MODE == BOUNDED {
            let rounding = _mm512_add_epi32(_mm512_slli_epi32::<1>(channels.rounding), one);
            let shift = _mm512_sub_epi32(one, channels.shift);
            return Self { multiplier, terms: [rounding; 2], shifts: [shift; 2], zero_point: narrow };
        }
        if MODE == DOUBLE {
            let left = _mm512_max_epi32(channels.shift, zero);
            let right = _mm512_max_epi32(_mm512_sub_epi32(zero, channels.shift), zero);
            return Self { multiplier, terms: [zero; 2], shifts: [left, right], zero_point: narrow };
        }
        let [even, odd] = split(_mm512_sub_epi32(_mm512_set1_epi32(31), channels.shift));
        let shifts = [_mm512_and_si512(even, _mm512_set1_epi64(0xffff_ffff)), odd];
        let one = _mm512_set1_epi64(1);
        let terms = shifts.map(|shift| _mm512_sllv_epi64(one, _mm512_sub_epi64(shift, one)));
        Self { multiplier, terms, shifts, zero_point: _mm512_set1_epi64(i64::from(zero_point)) }
    }

    /// Sixteen sums, within 16 bits or saturated by [`pack`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    pub fn apply(&self, sums: __m512i) -> __m512i {
        match MODE {
            BOUNDED => self.bounded(sums),
            DOUBLE => self.double(sums),
            _ => self.single(sums),
        }
    }

    /// The short form's two steps in one.
    ///
    /// With p = sum * multiplier and u = floor(p / 2^30) (the upper half of 4 * sum * multiplier; |sum| < 2^29) they are
    /// `(u + 2^r + 1) >> (r + 1)` for sums >= 0, and with - 1 instead of + 1 for others, because nested floors of quotients by
    /// powers of two are one floor. (A sum below zero that scales to zero gives 0 either way, r >= 1.) The constant is
    /// `2^r + 1`, plus the output's zero point shifted by r + 1.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn bounded(&self, sums: __m512i) -> __m512i {
        let rounded = _mm512_add_epi32(high(_mm512_slli_epi32::<2>(sums), self.multiplier), self.terms[0]);
        let negative = _mm512_cmplt_epi32_mask(sums, _mm512_setzero_si512());
        let rounded = _mm512_mask_sub_epi32(rounded, negative, rounded, _mm512_set1_epi32(2));
        _mm512_srav_epi32(rounded, self.shifts[0])
    }

    /// The specification, step by step; both roundings of the high product are one floor (`docs/quantization.md`).
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn double(&self, sums: __m512i) -> __m512i {
        let [left, right] = self.shifts;
        let [even, odd] = split(_mm512_sllv_epi32(sums, left));
        let half = _mm512_set1_epi64(1 << 30);
        let even = _mm512_add_epi64(_mm512_mul_epi32(even, self.multiplier[0]), half);
        let odd = _mm512_add_epi64(_mm512_mul_epi32(odd, self.multiplier[1]), half);
        let high = _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64::<31>(even), _mm512_slli_epi64::<1>(odd));
        let one = _mm512_set1_epi32(1);
        let mask = _mm512_sub_epi32(_mm512_sllv_epi32(one, right), one);
        let threshold = _mm512_sub_epi32(_mm512_srli_epi32::<1>(mask), _mm512_srai_epi32::<31>(high));
        let up = _mm512_cmpgt_epi32_mask(_mm512_and_si512(high, mask), threshold);
        let value = _mm512_srav_epi32(high, right);
        let value = _mm512_mask_add_epi32(value, up, value, one);
        let value = _mm512_min_epi32(_mm512_max_epi32(value, _mm512_set1_epi32(-1 << 15)), _mm512_set1_epi32(1 << 15));
        _mm512_add_epi32(value, self.zero_point)
    }

    /// `((sum * multiplier + half) >> (31 - shift)) + zero point` in 64 bits, within -2^15 to 2^15.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn single(&self, sums: __m512i) -> __m512i {
        let sums = split(sums);
        let mut values = sums;
        for (i, value) in values.iter_mut().enumerate() {
            let product = _mm512_add_epi64(_mm512_mul_epi32(*value, self.multiplier[i]), self.terms[i]);
            let scaled = _mm512_add_epi64(_mm512_srav_epi64(product, self.shifts[i]), self.zero_point);
            let (least, most) = (_mm512_set1_epi64(-1 << 15), _mm512_set1_epi64(1 << 15));
            *value = _mm512_max_epi64(_mm512_min_epi64(scaled, most), least);
        }
        let [even, odd] = values;
        _mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64::<32>(odd))
    }
}

/// Even and odd lanes as (the lower halves of) 64-bit lanes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub fn split(lanes: __m512i) -> [__m512i; 2] {
    [lanes, _mm512_srli_epi64::<32>(lanes)]
}

/// The upper halves of the products of 16 numbers and the multipliers of the even and of the odd lanes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub fn high(numbers: __m512i, multiplier: [__m512i; 2]) -> __m512i {
    let [even, odd] = split(numbers);
    let [even, odd] = [_mm512_mul_epi32(even, multiplier[0]), _mm512_mul_epi32(odd, multiplier[1])];
    _mm512_mask_shuffle_epi32::<0b11_11_01_01>(odd, 0x5555, even)
}

/// Four vectors of 32-bit numbers as bytes, saturated, in order.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub fn pack(four: [__m512i; 4]) -> __m512i {
    let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    _mm512_permutexvar_epi32(order, pack_lanes(four))
}

/// The same, but sixteen bytes after the other: number 16 i + 4 j + k is lane 4 i + k of vector j.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub fn pack_lanes([a, b, c, d]: [__m512i; 4]) -> __m512i {
    _mm512_packs_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d))
}

/// The range of the output, 64 times.
#[derive(Clone, Copy)]
pub struct Clamp {
    min: __m512i,
    max: __m512i,
}

impl Clamp {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    pub fn new(activation: Activation) -> Self {
        Self { min: _mm512_set1_epi8(activation.min), max: _mm512_set1_epi8(activation.max) }
    }

    /// In the order of [`Activation::clamp`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    pub fn apply(&self, bytes: __m512i) -> __m512i {
        _mm512_max_epi8(_mm512_min_epi8(bytes, self.max), self.min)
    }
}
