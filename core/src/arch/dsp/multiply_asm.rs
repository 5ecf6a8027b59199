//! Products and requantization as assembly. Slices are checked to fit together by [`super::blocks`], the only caller.
//!
//! Loops over quads are unrolled; what does not fill the last round is done first, by entering the loop further behind.
#![allow(unsafe_code)]

use core::arch::{asm, naked_asm};

use super::blocks::{Narrow2, Pairs, Quad1, Quad4};
use super::cpu;
use crate::blob::Channel;

/// One word of four pixels (r0) and two channels (r1), wide: to sums of a in r4 to r7, of b in r8 to r11, from those in
/// the registers named. 40 bytes.
macro_rules! wide_word {
    ($a4:literal, $a5:literal, $a6:literal, $b8:literal, $b9:literal, $b10:literal) => {
        concat!("ldm.w r1!, {{r12, lr}}\n", products!($a4, $a5, $a6, $b8, $b9, $b10))
    };
}

/// The same, narrow. 48 bytes.
macro_rules! narrow_word {
    ($a4:literal, $a5:literal, $a6:literal, $b8:literal, $b9:literal, $b10:literal) => {
        concat!(
            "ldr.w r12, [r1], #4
             sxtb16 lr, r12, ror #8
             sxtb16 r12, r12
            ",
            products!($a4, $a5, $a6, $b8, $b9, $b10)
        )
    };
}

macro_rules! products {
    ($a4:literal, $a5:literal, $a6:literal, $b8:literal, $b9:literal, $b10:literal) => {
        concat!(
            "ldm.n r0!, {{r2, r3}}
             smlad r4, r2, r12, ",
            $a4,
            "
             smlad r8, r2, lr, ",
            $b8,
            "
             smlad r5, r3, r12, ",
            $a5,
            "
             smlad r9, r3, lr, ",
            $b9,
            "
             ldm.n r0!, {{r2, r3}}
             smlad r6, r2, r12, ",
            $a6,
            "
             smlad r10, r2, lr, ",
            $b10,
            "
             smlad r7, r3, r12, r7
             smlad r11, r3, lr, r11
            "
        )
    };
}

/// The first word of a pair's sums: from the biases in r7 and r11.
macro_rules! first_word {
    ($word:ident) => {
        $word!("r7", "r7", "r7", "r11", "r11", "r11")
    };
}

macro_rules! words4 {
    ($word:ident) => {
        concat!(
            $word!("r4", "r5", "r6", "r8", "r9", "r10"),
            $word!("r4", "r5", "r6", "r8", "r9", "r10"),
            $word!("r4", "r5", "r6", "r8", "r9", "r10"),
            $word!("r4", "r5", "r6", "r8", "r9", "r10")
        )
    };
}

macro_rules! words16 {
    ($word:ident) => {
        concat!(words4!($word), words4!($word), words4!($word), words4!($word))
    };
}

macro_rules! words32 {
    ($word:ident) => {
        concat!(words16!($word), words16!($word))
    };
}

/// A doubled sum to int8: multiplier in `$m`, rounding constant in `$k`, right shift in `$r`; `$t` is free. See `quantized`.
macro_rules! requantize_wide {
    ($sum:literal, $t:literal, $m:literal, $k:literal, $r:literal) => {
        concat!(
            "add ",
            $t,
            ", ",
            $k,
            ", ",
            $sum,
            ", asr #31
             smmlar ",
            $sum,
            ", ",
            $sum,
            ", ",
            $m,
            ", ",
            $t,
            "
             asr ",
            $sum,
            ", ",
            $sum,
            ", ",
            $r,
            "
             ssat ",
            $sum,
            ", #8, ",
            $sum,
            "
            "
        )
    };
}

macro_rules! requantize_narrow {
    ($sum:literal, $t:literal, $m:literal, $k:literal, $r:literal) => {
        concat!("lsl ", $sum, ", ", $sum, ", #1\n", requantize_wide!($sum, $t, $m, $k, $r))
    };
}

/// The shift of a record as it is stored, made one to the right.
macro_rules! shift_wide {
    ($r:literal) => {
        ""
    };
}

macro_rules! shift_narrow {
    ($r:literal) => {
        concat!("rsb ", $r, ", ", $r, ", #0\n")
    };
}

/// Where in the loop (of `round` words, of `bytes` each) the words after the first begin: bytes before its end.
const fn entry(words: usize, round: usize, bytes: usize) -> usize {
    words.wrapping_sub(1) % round * bytes
}

/// Words per round of the loop over four pixels, and bytes of code for each.
const WIDE: [usize; 2] = [32, 40];
const NARROW: [usize; 2] = [16, 48];

type Four = unsafe extern "C" fn(
    *mut i8,
    usize,
    usize,
    *const i8,
    *const [Channel; 2],
    *const Quad4,
    *const Quad4,
    *const u8,
    usize,
);

pub fn requantized_4x2(
    columns: &[Quad4],
    weights: Pairs<'_>,
    pairs: &[[Channel; 2]],
    output: &mut [i8],
    stride: usize,
) {
    let (kernel, [round, bytes], weights): (Four, _, *const u8) = match weights {
        Pairs::Wide(weights) => (wide_4x2, WIDE, weights.as_ptr().cast()),
        Pairs::Narrow(weights) => (narrow_4x2, NARROW, weights.as_ptr().cast()),
    };
    let columns = columns.as_ptr_range();
    let words = (columns.end as usize - columns.start as usize) / 16;
    let end = output.as_ptr().wrapping_add(2 * pairs.len());
    // SAFETY: the caller has checked that there are a pair and a quad, that the weights hold as many quads per pair as
    // the columns, and that the output holds the last byte written, 3 * stride + 2 * pairs.len(). Columns are read from
    // start to end once per pair.
    unsafe {
        kernel(
            output.as_mut_ptr(),
            stride,
            stride * 3,
            end,
            pairs.as_ptr(),
            columns.start,
            columns.end,
            weights,
            entry(words, round, bytes),
        )
    }
}

/// Four pixels of all pairs. Stack: output 0, stride 4, three strides 8, end of output 12, saved registers, channels 52,
/// columns 56, their end 60, weights 64, entry 68.
macro_rules! four_pixels {
    ($name:ident, $word:ident, $words:ident, $requantize:ident, $shift:ident) => {
        /// # Safety
        /// See the only caller.
        #[unsafe(naked)]
        unsafe extern "C" fn $name(
            output: *mut i8,
            stride: usize,
            three_strides: usize,
            output_end: *const i8,
            channels: *const [Channel; 2],
            columns: *const Quad4,
            end: *const Quad4,
            weights: *const u8,
            entry: usize,
        ) {
            naked_asm!(
                cpu!(),
                "push {{r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, lr}}
                 ldr r1, [sp, #64]
                 ldr r2, [sp, #68]
                 adr.w r3, 3f
                 adds r3, #1
                 subs r3, r3, r2
                 str r3, [sp, #68]
                 1: ldrd r2, r0, [sp, #52]
                 ldr r7, [r2]
                 ldr r11, [r2, #16]",
                first_word!($word),
                "ldr pc, [sp, #68]
                 2: ",
                $words!($word),
                "3: ldr r2, [sp, #60]
                 cmp r0, r2
                 bne.w 2b
                 ldr r0, [sp, #52]
                 ldm r0!, {{r2, r3, r12, lr}}",
                $shift!("lr"),
                $requantize!("r4", "r2", "r3", "r12", "lr"),
                $requantize!("r5", "r2", "r3", "r12", "lr"),
                $requantize!("r6", "r2", "r3", "r12", "lr"),
                $requantize!("r7", "r2", "r3", "r12", "lr"),
                "ldm r0!, {{r2, r3, r12, lr}}
                 str r0, [sp, #52]",
                $shift!("lr"),
                $requantize!("r8", "r2", "r3", "r12", "lr"),
                $requantize!("r9", "r2", "r3", "r12", "lr"),
                $requantize!("r10", "r2", "r3", "r12", "lr"),
                $requantize!("r11", "r2", "r3", "r12", "lr"),
                "ldm sp, {{r0, r2, r3, r12}}
                 bfi r4, r8, #8, #8
                 bfi r5, r9, #8, #8
                 bfi r6, r10, #8, #8
                 bfi r7, r11, #8, #8
                 strh r4, [r0]
                 strh r5, [r0, r2]
                 strh r6, [r0, r2, lsl #1]
                 strh r7, [r0, r3]
                 adds r0, #2
                 str r0, [sp]
                 cmp r0, r12
                 bne.w 1b
                 pop {{r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, pc}}"
            )
        }
    };
}

four_pixels!(wide_4x2, wide_word, words32, requantize_wide, shift_wide);
four_pixels!(narrow_4x2, narrow_word, words16, requantize_narrow, shift_narrow);

/// Two quads of one pixel (r0) and two channels (r1), wide: to the sums in r4 and r5. 40 bytes.
macro_rules! wide_quads {
    () => {
        "ldm.w r0!, {{r8, r9, r10, r11}}
         ldm.n r1!, {{r2, r3, r6, r7}}
         smlad r4, r8, r2, r4
         smlad r5, r8, r3, r5
         smlad r4, r9, r6, r4
         smlad r5, r9, r7, r5
         ldm.n r1!, {{r2, r3, r6, r7}}
         smlad r4, r10, r2, r4
         smlad r5, r10, r3, r5
         smlad r4, r11, r6, r4
         smlad r5, r11, r7, r5
        "
    };
}

macro_rules! wide_quad {
    () => {
        "ldm.w r0!, {{r8, r9}}
         ldm.n r1!, {{r2, r3, r6, r7}}
         smlad r4, r8, r2, r4
         smlad r5, r8, r3, r5
         smlad r4, r9, r6, r4
         smlad r5, r9, r7, r5
        "
    };
}

/// The products of one quad whose words are in the registers named, narrow. 34 bytes.
macro_rules! narrow_products {
    ($first:literal, $second:literal) => {
        concat!(
            "ldm.n r1!, {{r6, r7}}
             sxtb16 r2, r6
             sxtb16 r3, r6, ror #8
             smlad r4, ",
            $first,
            ", r2, r4
             smlad r5, ",
            $first,
            ", r3, r5
             sxtb16 r2, r7
             sxtb16 r3, r7, ror #8
             smlad r4, ",
            $second,
            ", r2, r4
             smlad r5, ",
            $second,
            ", r3, r5
            "
        )
    };
}

/// 72 bytes.
macro_rules! narrow_quads {
    () => {
        concat!("ldm.w r0!, {{r8, r9, r10, r11}}\n", narrow_products!("r8", "r9"), narrow_products!("r10", "r11"))
    };
}

macro_rules! narrow_quad {
    () => {
        concat!("ldm.w r0!, {{r8, r9}}\n", narrow_products!("r8", "r9"))
    };
}

macro_rules! quads8 {
    ($quads:ident) => {
        concat!($quads!(), $quads!(), $quads!(), $quads!(), $quads!(), $quads!(), $quads!(), $quads!())
    };
}

/// Bytes of code for two quads of one pixel, of which the loop has eight.
const WIDE_QUADS: usize = 40;
const NARROW_QUADS: usize = 72;

type One =
    unsafe extern "C" fn(*const Quad1, *const u8, *const [Channel; 2], *mut i8, *const i8, *const Quad1, usize, usize);

pub fn requantized_1x2(column: &[Quad1], weights: Pairs<'_>, pairs: &[[Channel; 2]], output: &mut [i8]) {
    let (kernel, bytes, weights): (One, _, *const u8) = match weights {
        Pairs::Wide(weights) => (wide_1x2, WIDE_QUADS, weights.as_ptr().cast()),
        Pairs::Narrow(weights) => (narrow_1x2, NARROW_QUADS, weights.as_ptr().cast()),
    };
    let (quads, column) = (column.len(), column.as_ptr_range());
    let end = output.as_ptr().wrapping_add(2 * pairs.len());
    // SAFETY: the caller has checked that there are a pair and a quad, that the weights hold as many quads per pair as
    // the column, and that the output holds 2 * pairs.len() bytes. The column is read from start to end once per pair.
    unsafe {
        kernel(
            column.start,
            weights,
            pairs.as_ptr(),
            output.as_mut_ptr(),
            end,
            column.end,
            quads / 2 % 8 * bytes,
            quads % 2,
        )
    }
}

/// One pixel of all pairs; r12 runs over the channels, lr over the output. Stack: column 0, saved registers, end of output 40, of
/// the column 44, entry 48, whether a single quad comes first 52.
macro_rules! one_pixel {
    ($name:ident, $quad:ident, $quads:ident, $requantize:ident, $shift:ident) => {
        /// # Safety
        /// See the only caller.
        #[unsafe(naked)]
        unsafe extern "C" fn $name(
            column: *const Quad1,
            weights: *const u8,
            channels: *const [Channel; 2],
            output: *mut i8,
            output_end: *const i8,
            end: *const Quad1,
            entry: usize,
            single: usize,
        ) {
            naked_asm!(
                cpu!(),
                "push {{r0, r4, r5, r6, r7, r8, r9, r10, r11, lr}}
                 mov r12, r2
                 mov lr, r3
                 ldr r2, [sp, #48]
                 adr.w r3, 3f
                 adds r3, #1
                 subs r3, r3, r2
                 str r3, [sp, #48]
                 1: ldr r0, [sp]
                 ldr r4, [r12]
                 ldr r5, [r12, #16]
                 ldr r2, [sp, #52]
                 cbz r2, 4f",
                $quad!(),
                "4: ldr pc, [sp, #48]
                 2: ",
                quads8!($quads),
                "3: ldr r2, [sp, #44]
                 cmp r0, r2
                 bne.w 2b
                 ldm r12!, {{r2, r3, r6, r7}}",
                $shift!("r7"),
                $requantize!("r4", "r2", "r3", "r6", "r7"),
                "ldm r12!, {{r2, r3, r6, r7}}",
                $shift!("r7"),
                $requantize!("r5", "r2", "r3", "r6", "r7"),
                "strb r4, [lr], #1
                 strb r5, [lr], #1
                 ldr r2, [sp, #40]
                 cmp lr, r2
                 bne.w 1b
                 pop {{r0, r4, r5, r6, r7, r8, r9, r10, r11, pc}}"
            )
        }
    };
}

one_pixel!(wide_1x2, wide_quad, wide_quads, requantize_wide, shift_wide);
one_pixel!(narrow_1x2, narrow_quad, narrow_quads, requantize_narrow, shift_narrow);

pub fn sums_4x2(columns: &[Quad4], weights: &[Narrow2]) -> [[i32; 4]; 2] {
    let mut sums = [[0; 4]; 2];
    let columns = columns.as_ptr_range();
    // SAFETY: both slices have the same length, not 0; `sums` takes the eight results.
    unsafe { narrow_sums(columns.start, weights.as_ptr(), columns.end, &mut sums) };
    sums
}

/// # Safety
/// See the only caller. Stack: end 0, sums 4.
#[unsafe(naked)]
unsafe extern "C" fn narrow_sums(
    columns: *const Quad4,
    weights: *const Narrow2,
    end: *const Quad4,
    sums: *mut [[i32; 4]; 2],
) {
    naked_asm!(
        cpu!(),
        "push {{r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, lr}}
         movs r7, #0
         mov r11, r7",
        first_word!(narrow_word),
        "b 3f
         2: ",
        narrow_word!("r4", "r5", "r6", "r8", "r9", "r10"),
        "3: ",
        narrow_word!("r4", "r5", "r6", "r8", "r9", "r10"),
        "ldr r2, [sp]
         cmp r0, r2
         bne 2b
         ldr r0, [sp, #4]
         stm r0, {{r4, r5, r6, r7, r8, r9, r10, r11}}
         pop {{r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, pc}}"
    )
}

pub fn sums_1x2(column: &[Quad1], weights: &[Narrow2]) -> [i32; 2] {
    let (mut a, mut b) = (0i32, 0i32);
    // SAFETY: both slices have the same length, not 0, and are read once to their end.
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
