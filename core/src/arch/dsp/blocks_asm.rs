//! The blocks as assembly. Slices are checked to fit together by [`super::blocks`], the only caller.
#![allow(unsafe_code)]

use core::arch::{asm, naked_asm};

use super::blocks::{Quad1, Quad4, Weights2};
use crate::blob::Channel;

/// Naked functions do not see the target's CPU: the assembler takes the triple's, and on Armv8-M that is without DSP.
#[cfg(armv8m)]
macro_rules! cpu {
    () => {
        ".cpu cortex-m33"
    };
}

#[cfg(not(armv8m))]
macro_rules! cpu {
    () => {
        ""
    };
}

/// Two taps of four pixels (r0) and two channels (r1): sums of a in r4 to r7, of b in r8 to r11.
macro_rules! pair_of_taps {
    () => {
        "ldr r12, [r1], #4
         sxtb16 lr, r12, ror #8
         sxtb16 r12, r12
         ldm r0!, {{r2, r3}}
         smlad r4, r2, r12, r4
         smlad r8, r2, lr, r8
         smlad r5, r3, r12, r5
         smlad r9, r3, lr, r9
         ldm r0!, {{r2, r3}}
         smlad r6, r2, r12, r6
         smlad r10, r2, lr, r10
         smlad r7, r3, r12, r7
         smlad r11, r3, lr, r11
        "
    };
}

/// All taps: blocks of four quads until r0 is the word at sp + `main`, then single quads until it is the one at sp + `end`.
macro_rules! all_taps {
    ($main:literal, $end:literal) => {
        concat!(
            "ldr r2, [sp, #",
            $main,
            "]
             cmp r0, r2
             beq 3f
             2: ",
            pair_of_taps!(),
            pair_of_taps!(),
            pair_of_taps!(),
            pair_of_taps!(),
            pair_of_taps!(),
            pair_of_taps!(),
            pair_of_taps!(),
            pair_of_taps!(),
            "ldr r2, [sp, #",
            $main,
            "]
             cmp r0, r2
             bne 2b
             3: ldr r2, [sp, #",
            $end,
            "]
             cmp r0, r2
             beq 5f
             4: ",
            pair_of_taps!(),
            pair_of_taps!(),
            "ldr r2, [sp, #",
            $end,
            "]
             cmp r0, r2
             bne 4b
             5:
            "
        )
    };
}

/// One sum to int8: multiplier in r2, rounding constant in r3, right shift in r12. See `quantized::requantize_bounded`.
macro_rules! requantize {
    ($sum:literal) => {
        concat!(
            "lsl ",
            $sum,
            ", ",
            $sum,
            ", #1
             smmulr ",
            $sum,
            ", ",
            $sum,
            ", r2
             add ",
            $sum,
            ", ",
            $sum,
            ", ",
            $sum,
            ", asr #31
             add ",
            $sum,
            ", ",
            $sum,
            ", r3
             asr ",
            $sum,
            ", ",
            $sum,
            ", r12
             ssat ",
            $sum,
            ", #8, ",
            $sum,
            "
            "
        )
    };
}

/// Where the loop over blocks of four quads ends.
fn main_end(columns: &[Quad4]) -> *const Quad4 {
    columns.as_ptr().wrapping_add(columns.len() & !3)
}

pub fn requantized_4x2(
    columns: &[Quad4],
    weights: &[Weights2],
    pairs: &[[Channel; 2]],
    output: &mut [i8],
    stride: usize,
) {
    let (start, end) = (columns.as_ptr(), columns.as_ptr_range().end);
    // SAFETY: the caller has checked that `weights` holds columns.len() entries per pair and `output` the last byte
    // written, 3 * stride + 2 * pairs.len(), and that there is a pair; columns are read from start to end once per pair.
    unsafe {
        requantized_4x2_naked(
            start,
            weights.as_ptr(),
            pairs.as_ptr(),
            output.as_mut_ptr(),
            main_end(columns),
            end,
            stride,
            pairs.len(),
        )
    }
}

/// # Safety
/// See the only caller. Stack: columns 0, channels 4, output 8, saved registers, main end 48, end 52, stride 56, pairs 60.
#[unsafe(naked)]
unsafe extern "C" fn requantized_4x2_naked(
    columns: *const Quad4,
    weights: *const Weights2,
    channels: *const [Channel; 2],
    output: *mut i8,
    main_end: *const Quad4,
    end: *const Quad4,
    stride: usize,
    pairs: usize,
) {
    naked_asm!(
        cpu!(),
        "push {{r0, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, lr}}
         1: ldr r2, [sp, #4]
         ldr r4, [r2]
         ldr r8, [r2, #16]
         ldr r0, [sp]
         mov r5, r4
         mov r6, r4
         mov r7, r4
         mov r9, r8
         mov r10, r8
         mov r11, r8",
        all_taps!("48", "52"),
        "ldr r0, [sp, #4]
         ldr r2, [r0, #4]
         ldr r3, [r0, #8]
         ldr r12, [r0, #12]
         rsb r12, r12, #0",
        requantize!("r4"),
        requantize!("r5"),
        requantize!("r6"),
        requantize!("r7"),
        "ldr r2, [r0, #20]
         ldr r3, [r0, #24]
         ldr r12, [r0, #28]
         rsb r12, r12, #0
         adds r0, #32
         str r0, [sp, #4]",
        requantize!("r8"),
        requantize!("r9"),
        requantize!("r10"),
        requantize!("r11"),
        "ldr r0, [sp, #8]
         ldr r2, [sp, #56]
         adds r3, r0, #2
         str r3, [sp, #8]
         bfi r4, r8, #8, #8
         bfi r5, r9, #8, #8
         bfi r6, r10, #8, #8
         bfi r7, r11, #8, #8
         strh r4, [r0]
         strh r5, [r0, r2]
         strh r6, [r0, r2, lsl #1]
         add r0, r0, r2
         strh r7, [r0, r2, lsl #1]
         ldr r2, [sp, #60]
         subs r2, #1
         str r2, [sp, #60]
         bne 1b
         pop {{r0, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, pc}}"
    )
}

pub fn sums_4x2(columns: &[Quad4], weights: &[Weights2]) -> [[i32; 4]; 2] {
    let mut sums = [[0; 4]; 2];
    let (start, end) = (columns.as_ptr(), columns.as_ptr_range().end);
    // SAFETY: both slices have the same length; `sums` takes the eight results.
    unsafe { sums_4x2_naked(start, weights.as_ptr(), main_end(columns), end, &mut sums) };
    sums
}

/// # Safety
/// See the only caller. Stack: main end 0, end 4, saved registers, padding, sums 48.
#[unsafe(naked)]
unsafe extern "C" fn sums_4x2_naked(
    columns: *const Quad4,
    weights: *const Weights2,
    main_end: *const Quad4,
    end: *const Quad4,
    sums: *mut [[i32; 4]; 2],
) {
    naked_asm!(
        cpu!(),
        "push {{r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, lr}}
         movs r4, #0
         movs r5, #0
         movs r6, #0
         movs r7, #0
         mov r8, r4
         mov r9, r4
         mov r10, r4
         mov r11, r4",
        all_taps!("4", "8"),
        "ldr r0, [sp, #48]
         stm r0, {{r4, r5, r6, r7, r8, r9, r10, r11}}
         pop {{r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, pc}}"
    )
}

pub fn sums_1x2(column: &[Quad1], weights: &[Weights2]) -> [i32; 2] {
    let (mut a, mut b) = (0i32, 0i32);
    if column.is_empty() {
        return [a, b];
    }
    // SAFETY: both slices have the same length, and are read once to their end.
    unsafe {
        asm!(
            "2: ldm {x}!, {{r2, r3}}
             ldr {w0}, [{w}], #4
             sxtb16 {w1}, {w0}, ror #8
             sxtb16 {w0}, {w0}
             smlad {a}, r2, {w0}, {a}
             smlad {b}, r2, {w1}, {b}
             ldr {w0}, [{w}], #4
             sxtb16 {w1}, {w0}, ror #8
             sxtb16 {w0}, {w0}
             smlad {a}, r3, {w0}, {a}
             smlad {b}, r3, {w1}, {b}
             cmp {x}, {end}
             bne 2b",
            x = inout(reg) column.as_ptr() => _,
            w = inout(reg) weights.as_ptr() => _,
            end = in(reg) column.as_ptr_range().end,
            w0 = out(reg) _, w1 = out(reg) _,
            a = inout(reg) a, b = inout(reg) b,
            out("r2") _, out("r3") _,
            options(nostack, readonly)
        )
    };
    [a, b]
}

/// One quad of one pixel into the words at offsets `even` and `odd` from q.
macro_rules! widen_quad {
    ($even:literal, $odd:literal) => {
        concat!(
            "ldr {even}, [{x}], #4
             sxtb16 {odd}, {even}, ror #8
             sxtb16 {even}, {even}
             str {odd}, [{q}, #",
            $odd,
            "]
             str {even}, [{q}, #",
            $even,
            "]
            "
        )
    };
}

pub fn widen<const LANE: usize>(source: &[i8], line: usize, row_quads: usize, rows: usize, quads: &mut [Quad4]) {
    // SAFETY: the caller has checked that `source` holds 4 * row_quads bytes at each of `rows` (> 0) multiples of `line`,
    // and derived `rows` from the number of quads, of which words LANE and LANE + 4 are written (LANE < 4).
    unsafe {
        asm!(
            "1: add {end}, {x}, {main}
             b 3f
             2: ",
            widen_quad!("0", "16"), widen_quad!("32", "48"), widen_quad!("64", "80"), widen_quad!("96", "112"),
            "add {q}, {q}, #128
             3: cmp {x}, {end}
             bne 2b
             add {end}, {x}, {rest}
             b 5f
             4: ",
            widen_quad!("0", "16"),
            "add {q}, {q}, #32
             5: cmp {x}, {end}
             bne 4b
             add {x}, {x}, {skip}
             subs {rows}, {rows}, #1
             bne 1b",
            x = inout(reg) source.as_ptr() => _,
            q = inout(reg) quads.as_mut_ptr().cast::<u32>().wrapping_add(LANE) => _,
            rows = inout(reg) rows => _,
            main = in(reg) 4 * (row_quads & !3),
            rest = in(reg) 4 * (row_quads & 3),
            skip = in(reg) line.wrapping_sub(4 * row_quads),
            end = out(reg) _, even = out(reg) _, odd = out(reg) _,
            options(nostack)
        )
    }
}
