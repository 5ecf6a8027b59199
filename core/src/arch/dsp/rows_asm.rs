//! The rows as assembly. Slices are checked to fit together by [`super::rows`], the only caller.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use super::cpu;
use super::rows::{Quad, Weights4};
use crate::ops::Rows;

/// Quads in the unrolled code, and the bytes of code of one.
const UNROLLED: usize = 8;
const QUAD_BYTES: usize = 42;

/// One quad of the vector (r0) and four rows (r1): sums in r4 to r7.
macro_rules! quad {
    () => {
        "ldm r0!, {{r2, r3}}
         ldm.w r1!, {{r8, r9, r10, r11}}
         smlad r4, r2, r8, r4
         smlad r5, r2, r9, r5
         smlad r6, r2, r10, r6
         smlad r7, r2, r11, r7
         ldm.w r1!, {{r8, r9, r10, r11}}
         smlad r4, r3, r8, r4
         smlad r5, r3, r9, r5
         smlad r6, r3, r10, r6
         smlad r7, r3, r11, r7
        "
    };
}

/// [`UNROLLED`] of them.
macro_rules! quads {
    () => {
        concat!(quad!(), quad!(), quad!(), quad!(), quad!(), quad!(), quad!(), quad!())
    };
}

/// One doubled sum to int16; its multiplier, rounding constant and right shift are next at r12. See `quantized::scale_bounded`.
macro_rules! requantize {
    ($sum:literal) => {
        concat!(
            "ldm.w r12!, {{r2, r3, r8}}
             add.w r3, r3, ",
            $sum,
            ", asr #31
             smmlar ",
            $sum,
            ", ",
            $sum,
            ", r2, r3
             asr.w ",
            $sum,
            ", ",
            $sum,
            ", r8
             ssat ",
            $sum,
            ", #16, ",
            $sum,
            "
            "
        )
    };
}

pub fn requantized(vector: &[Quad], weights: &[Weights4], rows: &[Rows], output: &mut [[i16; 4]]) {
    let last = (vector.len() - 1) % UNROLLED + 1;
    let skipped = (UNROLLED - last) * QUAD_BYTES;
    // SAFETY: the caller has checked that neither `vector` nor `rows` is empty, that `output` is as long as `rows`, and that
    // `weights` holds as many entries as `vector` for each. All quads but the `last` ones are a multiple of `UNROLLED`.
    unsafe {
        requantized_naked(
            weights.as_ptr(),
            rows.as_ptr(),
            output.as_mut_ptr(),
            skipped,
            vector.as_ptr(),
            vector.as_ptr().wrapping_add(vector.len() - last),
            rows.as_ptr_range().end,
        )
    }
}

/// A vector of up to eight quads goes right into the unrolled code, a longer one by the loop before it.
///
/// # Safety
/// See the only caller. Stack: first jump 0, jump to the last quads 4, saved registers, vector 48, end of the loop 52, end of
/// rows 56.
#[unsafe(naked)]
unsafe extern "C" fn requantized_naked(
    weights: *const Weights4,
    rows: *const Rows,
    output: *mut [i16; 4],
    skipped: usize,
    vector: *const Quad,
    last: *const Quad,
    rows_end: *const Rows,
) {
    naked_asm!(
        cpu!(),
        "push {{r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, lr}}
         mov r12, r1
         mov lr, r2
         mov r1, r0
         adr.w r0, 4f
         add r3, r3, r0
         orr r3, r3, #1
         str r3, [sp, #4]
         ldrd r4, r5, [sp, #48]
         cmp r4, r5
         beq 1f
         adr.w r3, 3f
         orr r3, r3, #1
         1: str r3, [sp]
         2: ldm.w r12!, {{r4, r5, r6, r7}}
         ldr r2, [sp]
         ldr r0, [sp, #48]
         bx r2
         .balign 4
         3: ",
        quads!(),
        "ldr r2, [sp, #52]
         cmp r0, r2
         bne 3b
         ldr r2, [sp, #4]
         bx r2
         .balign 4
         4: ",
        quads!(),
        requantize!("r4"),
        requantize!("r5"),
        requantize!("r6"),
        requantize!("r7"),
        "ldr r2, [sp, #56]
         pkhbt r4, r4, r5, lsl #16
         pkhbt r6, r6, r7, lsl #16
         strd r4, r6, [lr], #8
         cmp r12, r2
         bne 2b
         pop {{r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, pc}}"
    )
}
