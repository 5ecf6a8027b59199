//! One pixel times two channels as assembly. Slices are checked to fit together by [`super::blocks`], the only caller.
#![allow(unsafe_code)]

use core::arch::{asm, naked_asm};

use super::blocks::{Narrow2, Pairs, Quad1};
use super::{cpu, requantize_narrow, requantize_wide, shift_narrow, shift_wide};
use crate::blob::Channel;

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
        Pairs::Wide(weights) if Pairs::WIDE => (wide_1x2, WIDE_QUADS, weights.as_ptr().cast()),
        Pairs::Narrow(weights) if Pairs::NARROW => (narrow_1x2, NARROW_QUADS, weights.as_ptr().cast()),
        _ => return,
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
