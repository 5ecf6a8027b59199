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
        let vectors = core::array::from_fn(|i| {
            let rest = numbers.get(i * 16..).unwrap_or(&[]);
            let mask = if rest.len() < 16 { (1u16 << rest.len()) - 1 } else { u16::MAX };
            // SAFETY: reads as many numbers as the slice has, at most 16.
            unsafe { _mm512_maskz_loadu_epi32(mask, rest.as_ptr()) }
        });
        let [a, b, c, d]: [__m512i; 4] = vectors;
        // Four records per vector: biases and multipliers of eight channels, then of all sixteen.
        let low = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
        let high = _mm512_add_epi32(low, _mm512_set1_epi32(2));
        let [ab, cd] = [[a, b], [c, d]].map(|[a, b]| _mm512_permutex2var_epi32(a, low, b));
        let [ab_high, cd_high] = [[a, b], [c, d]].map(|[a, b]| _mm512_permutex2var_epi32(a, high, b));
        Self {
            bias: _mm512_shuffle_i64x2::<0b01_00_01_00>(ab, cd),
            multiplier: _mm512_shuffle_i64x2::<0b11_10_11_10>(ab, cd),
            rounding: _mm512_shuffle_i64x2::<0b01_00_01_00>(ab_high, cd_high),
            shift: _mm512_shuffle_i64x2::<0b11_10_11_10>(ab_high, cd_high),
        }
    }
}

/// The way back to int8 of `N` groups of 16 channels.
#[derive(Clone, Copy)]
pub enum Requantize<const N: usize> {
    /// The short form of double rounding.
    Bounded([Bounded; N]),
    /// Double rounding with any shift.
    Double([Double; N]),
    /// Single rounding.
    Single([Single; N]),
}

impl<const N: usize> Requantize<N> {
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    pub fn new(weighted: &Weighted<'_>, channels: &[Channels; N], zero_point: i32) -> Self {
        match (weighted.bounded, weighted.rounding) {
            (true, _) => Self::Bounded(core::array::from_fn(|n| Bounded::new(&channels[n]))),
            (false, Rounding::Double) => Self::Double(core::array::from_fn(|n| Double::new(&channels[n], zero_point))),
            (false, Rounding::Single) => Self::Single(core::array::from_fn(|n| Single::new(&channels[n], zero_point))),
        }
    }

    /// Each vector of `sums`, in groups of `N`. Saturation is left to [`pack`].
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    pub fn apply(&self, sums: &mut [[__m512i; N]]) {
        match self {
            Self::Bounded(all) => sums.iter_mut().for_each(|sums| (0..N).for_each(|n| sums[n] = all[n].apply(sums[n]))),
            Self::Double(all) => sums.iter_mut().for_each(|sums| (0..N).for_each(|n| sums[n] = all[n].apply(sums[n]))),
            Self::Single(all) => sums.iter_mut().for_each(|sums| (0..N).for_each(|n| sums[n] = all[n].apply(sums[n]))),
        }
    }
}

/// Even and odd lanes as (the lower halves of) 64-bit lanes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn split(lanes: __m512i) -> [__m512i; 2] {
    [lanes, _mm512_srli_epi64::<32>(lanes)]
}

/// What the short form needs.
#[derive(Clone, Copy)]
pub struct Bounded {
    multiplier: [__m512i; 2],
    rounding: __m512i,
    shift: __m512i,
}

impl Bounded {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn new(channels: &Channels) -> Self {
        let one = _mm512_set1_epi32(1);
        let rounding = _mm512_add_epi32(_mm512_slli_epi32::<1>(channels.rounding), one);
        let shift = _mm512_sub_epi32(one, channels.shift);
        Self { multiplier: split(channels.multiplier), rounding, shift }
    }

    /// The short form's two steps in one.
    ///
    /// With p = sum * multiplier and u = floor(p / 2^30) (the upper half of 4 * sum * multiplier; |sum| < 2^29) they are
    /// `(u + 2^r + 1) >> (r + 1)` for sums >= 0, and with - 1 instead of + 1 for others, because nested floors of quotients by
    /// powers of two are one floor. (A sum below zero that scales to zero gives 0 either way, r >= 1.) The constant is
    /// `2^r + 1`, plus the output's zero point shifted by r + 1.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn apply(&self, sums: __m512i) -> __m512i {
        let [even, odd] = split(_mm512_slli_epi32::<2>(sums));
        let even = _mm512_mul_epi32(even, self.multiplier[0]);
        let odd = _mm512_mul_epi32(odd, self.multiplier[1]);
        let high = _mm512_mask_shuffle_epi32::<0b11_11_01_01>(odd, 0x5555, even);
        let rounded = _mm512_add_epi32(high, self.rounding);
        let negative = _mm512_cmplt_epi32_mask(sums, _mm512_setzero_si512());
        let rounded = _mm512_mask_sub_epi32(rounded, negative, rounded, _mm512_set1_epi32(2));
        _mm512_srav_epi32(rounded, self.shift)
    }
}

/// What double rounding needs.
#[derive(Clone, Copy)]
pub struct Double {
    multiplier: [__m512i; 2],
    left: __m512i,
    right: __m512i,
    zero_point: __m512i,
}

impl Double {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn new(channels: &Channels, zero_point: i32) -> Self {
        let zero = _mm512_setzero_si512();
        let left = _mm512_max_epi32(channels.shift, zero);
        let right = _mm512_max_epi32(_mm512_sub_epi32(zero, channels.shift), zero);
        Self { multiplier: split(channels.multiplier), left, right, zero_point: _mm512_set1_epi32(zero_point) }
    }

    /// The specification, step by step; both roundings of the high product are one floor (`docs/quantization.md`).
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn apply(&self, sums: __m512i) -> __m512i {
        let [even, odd] = split(_mm512_sllv_epi32(sums, self.left));
        let half = _mm512_set1_epi64(1 << 30);
        let even = _mm512_add_epi64(_mm512_mul_epi32(even, self.multiplier[0]), half);
        let odd = _mm512_add_epi64(_mm512_mul_epi32(odd, self.multiplier[1]), half);
        let high = _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64::<31>(even), _mm512_slli_epi64::<1>(odd));
        let mask = _mm512_sub_epi32(_mm512_sllv_epi32(_mm512_set1_epi32(1), self.right), _mm512_set1_epi32(1));
        let threshold = _mm512_sub_epi32(_mm512_srli_epi32::<1>(mask), _mm512_srai_epi32::<31>(high));
        let up = _mm512_cmpgt_epi32_mask(_mm512_and_si512(high, mask), threshold);
        let value = _mm512_srav_epi32(high, self.right);
        let value = _mm512_mask_add_epi32(value, up, value, _mm512_set1_epi32(1));
        let value = _mm512_min_epi32(_mm512_max_epi32(value, _mm512_set1_epi32(-1 << 15)), _mm512_set1_epi32(1 << 15));
        _mm512_add_epi32(value, self.zero_point)
    }
}

/// What single rounding needs.
#[derive(Clone, Copy)]
pub struct Single {
    multiplier: [__m512i; 2],
    half: [__m512i; 2],
    shift: [__m512i; 2],
    zero_point: __m512i,
}

impl Single {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn new(channels: &Channels, zero_point: i32) -> Self {
        let [even, odd] = split(_mm512_sub_epi32(_mm512_set1_epi32(31), channels.shift));
        let shift = [_mm512_and_si512(even, _mm512_set1_epi64(0xffff_ffff)), odd];
        let one = _mm512_set1_epi64(1);
        let half = shift.map(|shift| _mm512_sllv_epi64(one, _mm512_sub_epi64(shift, one)));
        let zero_point = _mm512_set1_epi64(i64::from(zero_point));
        Self { multiplier: split(channels.multiplier), half, shift, zero_point }
    }

    /// `((sum * multiplier + half) >> (31 - shift)) + zero point`, within -2^15 to 2^15.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn apply(&self, sums: __m512i) -> __m512i {
        let sums = split(sums);
        let [even, odd] = [0, 1].map(|i| {
            let product = _mm512_add_epi64(_mm512_mul_epi32(sums[i], self.multiplier[i]), self.half[i]);
            let value = _mm512_add_epi64(_mm512_srav_epi64(product, self.shift[i]), self.zero_point);
            _mm512_max_epi64(_mm512_min_epi64(value, _mm512_set1_epi64(1 << 15)), _mm512_set1_epi64(-1 << 15))
        });
        _mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64::<32>(odd))
    }
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
