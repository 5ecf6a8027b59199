//! Sums, 64 elements at a time.

use core::arch::x86_64::*;

use super::requantize::{Clamp, high, pack, split};
use crate::ops::Add;
use crate::ops::add::LEFT_SHIFT;
use crate::quantized::Multiplier;

/// All elements. Safe code but for the instruction set.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
pub fn run(add: &Add, zero_points: [i32; 3], [a, b]: [&[i8]; 2], output: &mut [i8]) {
    // One of the inputs usually has the larger scale, which both are brought to: its multiplier is one half.
    let half = Multiplier { multiplier: 1 << 30, shift: 0 };
    let ([first, second], [zero_first, zero_second, zero_point]) = (add.inputs, zero_points);
    if second == half && first != half {
        let swapped = Add { inputs: [second, first], ..*add };
        return rows::<true>(&swapped, [zero_second, zero_first, zero_point], [b, a], output);
    }
    if first == half {
        rows::<true>(add, zero_points, [a, b], output)
    } else {
        rows::<false>(add, zero_points, [a, b], output)
    }
}

/// All elements; the first input is halved if `HALF`.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn rows<const HALF: bool>(add: &Add, zero_points: [i32; 3], [a, b]: [&[i8]; 2], output: &mut [i8]) {
    let kernel = Kernel::<HALF>::new(add, zero_points);
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<64>(), b.as_chunks::<64>());
    let (output, output_rest) = output.as_chunks_mut::<64>();
    for ((a, b), y) in a.iter().zip(b).zip(output) {
        *y = kernel.sums(a, b);
    }
    let filled = |rest: &[i8]| {
        let mut full = [0i8; 64];
        full.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        full
    };
    let sums = kernel.sums(&filled(a_rest), &filled(b_rest));
    output_rest.iter_mut().zip(sums).for_each(|(to, from)| *to = from);
}

struct Kernel<const HALF: bool> {
    /// Zero points, shifted like the inputs.
    zeros: [__m512i; 2],
    inputs: [Short; 2],
    output: Short,
    zero_point: __m512i,
    clamp: Clamp,
}

impl<const HALF: bool> Kernel<HALF> {
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn new(add: &Add, [a, b, zero_point]: [i32; 3]) -> Self {
        Self {
            zeros: [_mm512_set1_epi32(a << (LEFT_SHIFT + 2)), _mm512_set1_epi32(b << (LEFT_SHIFT + 2))],
            inputs: [Short::new(add.inputs[0]), Short::new(add.inputs[1])],
            output: Short::new(add.output),
            zero_point: _mm512_set1_epi32(zero_point),
            clamp: Clamp::new(add.activation),
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn sums(&self, a: &[i8; 64], b: &[i8; 64]) -> [i8; 64] {
        let (a, b) = (a.as_chunks::<16>().0, b.as_chunks::<16>().0);
        // No `map` here: closures with instructions that it lacks are not inlined into it.
        let mut four = [_mm512_setzero_si512(); 4];
        for (sums, (a, b)) in four.iter_mut().zip(a.iter().zip(b)) {
            *sums = self.sixteen(widen(a), widen(b));
        }
        let mut bytes = [0; 64];
        // SAFETY: writes 64 bytes.
        unsafe { _mm512_storeu_epi8(bytes.as_mut_ptr(), self.clamp.apply(pack(four))) };
        bytes
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn sixteen(&self, a: __m512i, b: __m512i) -> __m512i {
        // Four times the shifted inputs, below 2^30.
        let b = _mm512_sub_epi32(_mm512_slli_epi32::<{ LEFT_SHIFT + 2 }>(b), self.zeros[1]);
        let b = _mm512_slli_epi32::<2>(self.inputs[1].apply(b));
        let a = if HALF {
            // Exact: half of it, four times.
            _mm512_sub_epi32(_mm512_slli_epi32::<{ LEFT_SHIFT + 1 }>(a), _mm512_srai_epi32::<1>(self.zeros[0]))
        } else {
            let a = _mm512_sub_epi32(_mm512_slli_epi32::<{ LEFT_SHIFT + 2 }>(a), self.zeros[0]);
            _mm512_slli_epi32::<2>(self.inputs[0].apply(a))
        };
        _mm512_add_epi32(self.output.apply(_mm512_add_epi32(a, b)), self.zero_point)
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
fn widen(bytes: &[i8; 16]) -> __m512i {
    // SAFETY: reads 16 bytes.
    _mm512_cvtepi8_epi32(unsafe { _mm_loadu_epi8(bytes.as_ptr()) })
}

/// One multiplier below one for all lanes, as [`Multiplier::apply_short`]; the two steps in one as in
/// [`Requantize`](super::requantize::Requantize), of numbers that come multiplied by four.
struct Short {
    multiplier: [__m512i; 2],
    rounding: __m512i,
    /// Taken from negative numbers: there are no ties without a second rounding.
    ties: __m512i,
    shift: __m512i,
}

impl Short {
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn new(by: Multiplier) -> Self {
        // Divided by 2^31 everything is 0, said so because its constant would not fit.
        let by = if by.shift == -31 { Multiplier { multiplier: 0, shift: 0 } } else { by };
        let right = by.shift.wrapping_neg();
        let (half, ties) = if right == 0 { (0, 0) } else { (1i32.wrapping_shl(right as u32), 2) };
        Self {
            multiplier: split(_mm512_set1_epi32(by.multiplier)),
            rounding: _mm512_set1_epi32(half.wrapping_add(1)),
            ties: _mm512_set1_epi32(ties),
            shift: _mm512_set1_epi32(right + 1),
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    fn apply(&self, fourfold: __m512i) -> __m512i {
        let negative = _mm512_cmplt_epi32_mask(fourfold, _mm512_setzero_si512());
        let rounded = _mm512_add_epi32(high(fourfold, self.multiplier), self.rounding);
        _mm512_srav_epi32(_mm512_mask_sub_epi32(rounded, negative, rounded, self.ties), self.shift)
    }
}
