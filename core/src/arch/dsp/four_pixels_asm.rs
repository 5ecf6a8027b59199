//! Four pixels times two channels as assembly. Slices are checked to fit together by [`super::blocks`], the only caller.
//!
//! Loops over quads are unrolled; what does not fill the last round is done first, by entering the loop further behind.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use super::blocks::{Narrow2, Pairs, Product4, Quad4};
use super::{cpu, requantize_narrow, requantize_wide, shift_narrow, shift_wide};
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

/// Where in the loop (of `round` words, of `bytes` each) the words after the first begin: bytes before its end.
const fn entry(words: usize, round: usize, bytes: usize) -> usize {
    words.wrapping_sub(1) % round * bytes
}

/// Words per round of the loop over four pixels, and bytes of code for each.
const WIDE: [usize; 2] = [16, 40];
const NARROW: [usize; 2] = [16, 48];

type Four = unsafe extern "C" fn(*mut i8, *const Quad4, *const Plan);

/// What the kernels read, in this order.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Plan {
    stride: usize,
    three_strides: usize,
    /// Bytes of output of one pixel.
    outputs: usize,
    /// Bytes of the columns.
    bytes: usize,
    channels: *const [Channel; 2],
    unused: usize,
    /// Where in the loop the second word is.
    entry: usize,
    weights: *const u8,
}

impl Plan {
    pub fn new(weights: Pairs<'_>, pairs: &[[Channel; 2]], quads: usize, stride: usize) -> Self {
        let ([round, code], weights) = match weights {
            Pairs::Wide(weights) => (WIDE, weights.as_ptr().cast()),
            Pairs::Narrow(weights) => (NARROW, weights.as_ptr().cast()),
        };
        let three_strides = stride.wrapping_mul(3);
        let bytes = quads.wrapping_mul(size_of::<Quad4>());
        let entry = entry(quads.wrapping_mul(2), round, code);
        let (outputs, channels) = (pairs.len() * 2, pairs.as_ptr());
        Self { stride, three_strides, outputs, bytes, channels, unused: 0, entry, weights }
    }
}

#[inline(always)]
pub fn requantized_4x2(product: &Product4<'_>, columns: &[Quad4], output: &mut [i8]) {
    let (weights, _, _, plan) = product.parts();
    let kernel: Four = match weights {
        Pairs::Wide(_) if Pairs::WIDE => wide_4x2,
        Pairs::Narrow(_) if Pairs::NARROW => narrow_4x2,
        _ => return,
    };
    // SAFETY: `Product4::new` has checked that there are a pair and a quad, and that the weights hold the planned quads for
    // every pair; the caller, that there are as many columns and that the output holds the last byte written.
    unsafe { kernel(output.as_mut_ptr(), columns.as_ptr(), plan) }
}

/// Four pixels of all pairs. Stack: output 0, stride 4, three strides 8, end of output 12, end of columns 16, channels 20, columns
/// 24, entry 28, saved registers.
macro_rules! four_pixels {
    ($name:ident, $word:ident, $words:ident, $requantize:ident, $shift:ident) => {
        /// # Safety
        /// See the only caller.
        #[unsafe(naked)]
        unsafe extern "C" fn $name(output: *mut i8, columns: *const Quad4, plan: *const Plan) {
            naked_asm!(
                cpu!(),
                "push {{r4, r5, r6, r7, r8, r9, r10, r11, lr}}
                 ldm r2, {{r3, r4, r5, r6, r7, r8, r9, r10}}
                 adr.w r2, 3f
                 adds r2, #1
                 subs r2, r2, r9
                 mov r9, r2
                 add r5, r5, r0
                 add r6, r6, r1
                 mov r8, r1
                 mov r12, r7
                 push {{r0, r3, r4, r5, r6, r7, r8, r9}}
                 mov r1, r10
                 1: ldr r7, [r12]
                 ldr r11, [r12, #16]
                 ldr r0, [sp, #24]",
                first_word!($word),
                "ldr pc, [sp, #28]
                 2: ",
                $words!($word),
                "3: ldrd r2, r12, [sp, #16]
                 cmp r0, r2
                 bne.w 2b
                 ldm r12!, {{r0, r2, r3, lr}}",
                $shift!("lr"),
                $requantize!("r4", "r0", "r2", "r3", "lr"),
                $requantize!("r5", "r0", "r2", "r3", "lr"),
                $requantize!("r6", "r0", "r2", "r3", "lr"),
                $requantize!("r7", "r0", "r2", "r3", "lr"),
                "ldm r12!, {{r0, r2, r3, lr}}
                 str r12, [sp, #20]",
                $shift!("lr"),
                $requantize!("r8", "r0", "r2", "r3", "lr"),
                $requantize!("r9", "r0", "r2", "r3", "lr"),
                $requantize!("r10", "r0", "r2", "r3", "lr"),
                $requantize!("r11", "r0", "r2", "r3", "lr"),
                "ldm sp, {{r0, r2, r3, lr}}
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
                 cmp r0, lr
                 bne.w 1b
                 add sp, #32
                 pop {{r4, r5, r6, r7, r8, r9, r10, r11, pc}}"
            )
        }
    };
}

four_pixels!(wide_4x2, wide_word, words16, requantize_wide, shift_wide);
four_pixels!(narrow_4x2, narrow_word, words16, requantize_narrow, shift_narrow);

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
