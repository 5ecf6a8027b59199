//! The blocks of [`super::planes`] as assembly. That module checks that slices fit together; it is the only caller.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use super::cpu;
use super::planes::{Kernel, Pixels, Walk};

/// Two pixels of four channels (r7, r8) become a word in each of four planes: r2 is the place in the first, r3 the bytes
/// from plane to plane, r4 the place in the fourth.
macro_rules! split_pair {
    () => {
        "pkhbt r9, r7, r8, lsl #16
         pkhtb r10, r8, r7, asr #16
         sxtb16 r11, r9
         sxtb16 r9, r9, ror #8
         sxtb16 r12, r10
         sxtb16 r10, r10, ror #8
         str r9, [r2, r3]
         str r12, [r2, r3, lsl #1]
         str r11, [r2], #4
         str r10, [r4], #4
        "
    };
}

pub fn split(pixels: &Pixels, source: &[i8], planes: &mut [u32]) {
    let Pixels { count, step, odd, padding, lines, line, line_words, plane_words } = *pixels;
    let head = usize::from(odd);
    let rest = count.wrapping_sub(head);
    let padding = u32::from_ne_bytes([padding as u8; 4]);
    let (mut source, mut planes) = (source.as_ptr(), planes.as_mut_ptr());
    for _ in 0..lines {
        // SAFETY: the caller has checked that from the last line on `source` holds `count` (> 0) words `step` bytes apart, and
        // `planes` the words of head, pairs and tail in each plane.
        unsafe { split_naked(source, step, planes, plane_words * 4, head, rest / 2, rest % 2, padding) };
        (source, planes) = (source.wrapping_add(line), planes.wrapping_add(line_words));
    }
}

/// # Safety
/// See the only caller. Stack: saved registers, head 36, pairs 40, tail 44, padding 48.
#[unsafe(naked)]
unsafe extern "C" fn split_naked(
    source: *const i8,
    step: usize,
    planes: *mut u32,
    plane_bytes: usize,
    head: usize,
    pairs: usize,
    tail: usize,
    padding: u32,
) {
    naked_asm!(
        cpu!(),
        "push {{r4, r5, r6, r7, r8, r9, r10, r11, lr}}
         add r4, r2, r3
         add r4, r4, r3, lsl #1
         ldr r5, [sp, #36]
         cmp r5, #0
         beq 1f
         ldr r7, [sp, #48]
         ldr r8, [r0]
         add r0, r0, r1",
        split_pair!(),
        "1: ldr r5, [sp, #40]
         cmp r5, #0
         beq 3f
         2: ldr r7, [r0]
         ldr r8, [r0, r1]
         add r0, r0, r1, lsl #1",
        split_pair!(),
        "subs r5, #1
         bne 2b
         3: ldr r5, [sp, #44]
         cmp r5, #0
         beq 4f
         ldr r7, [r0]
         ldr r8, [sp, #48]",
        split_pair!(),
        "4: pop {{r4, r5, r6, r7, r8, r9, r10, r11, pc}}"
    )
}

/// One sum to int8: multiplier in r8, rounding constant in r9, right shift in r10. See `quantized::requantize_bounded`.
macro_rules! requantize {
    ($($sum:literal),*) => {
        concat!($(
            "add r12, r9, ", $sum, ", asr #31
             smmlar ", $sum, ", ", $sum, ", r8, r12
             asr ", $sum, ", ", $sum, ", r10
             ssat ", $sum, ", #8, ", $sum, "
            "
        ),*)
    };
}

/// The numbers of the lane (r1) that [`requantize`] wants.
macro_rules! load_requantization {
    () => {
        "ldrd r8, r9, [r1, #16]
         ldr r10, [r1, #24]
        "
    };
}

/// Four outputs (r4 to r7) to r3 and on, r11 bytes apart.
macro_rules! store_four {
    () => {
        "strb r4, [r3]
         strb r5, [r3, r11]
         add r3, r3, r11, lsl #1
         strb r6, [r3]
         strb r7, [r3, r11]
         add r3, r3, r11, lsl #1
        "
    };
}

/// A kernel line of `lr` pairs of words, four outputs at stride 1.
macro_rules! any_at_1 {
    () => {
        "ldr r8, [r0], #4
         4: ldr r9, [r0], #4
         ldrd r10, r12, [r2], #8
         subs lr, #1
         smlad r4, r8, r10, r4
         smlad r5, r8, r12, r5
         smlad r6, r9, r10, r6
         smlad r7, r9, r12, r7
         mov r8, r9
         bne 4b
        "
    };
}

/// The same at stride 2.
macro_rules! any_at_2 {
    () => {
        "4: ldr r11, [r2], #8
         ldm r0, {{r8, r9, r10, r12}}
         add r0, r0, #4
         subs lr, #1
         smlad r4, r8, r11, r4
         smlad r5, r9, r11, r5
         smlad r6, r10, r11, r6
         smlad r7, r12, r11, r7
         bne 4b
        "
    };
}

/// All of [`convolve`]. Offsets from sp: words 0, output 4, outputs left 8, pairs of words per line 12, bytes
/// from the end of one kernel line to the next 16, back to the next four outputs 20, outputs 24, output step 28, lines 32,
/// bytes to the next line's words 36 and outputs 40, end of the weights behind r1 44.
macro_rules! any {
    ($line:ident) => {
        naked_asm!(
            cpu!(),
            "push {{r4, r5, r6, r7, r8, r9, r10, r11, lr}}
             ldm r3, {{r4, r5, r6, r7, r8, r9, r10, r11, r12}}
             add r12, r12, r1
             push {{r0, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12}}
             1: ldrd r0, r3, [sp]
             ldr r12, [sp, #24]
             str r12, [sp, #8]
             2: ldm r1, {{r4, r5, r6, r7}}
             add r2, r1, #28
             3: ldr lr, [sp, #12]",
            $line!(),
            "ldr r12, [sp, #16]
             ldr r8, [sp, #44]
             add r0, r0, r12
             cmp r2, r8
             bne 3b
             ldr r12, [sp, #20]
             sub r0, r0, r12",
            load_requantization!(),
            requantize!("r4", "r5", "r6", "r7"),
            "ldr r11, [sp, #28]
             ldr r12, [sp, #8]
             cmp r12, #4
             blt 5f",
            store_four!(),
            "subs r12, #4
             str r12, [sp, #8]
             bne 2b
             b 6f
             5: strb r4, [r3]
             cmp r12, #2
             blt 6f
             strb r5, [r3, r11]
             beq 6f
             strb r6, [r3, r11, lsl #1]
             6: ldrd r0, r3, [sp]
             ldrd r4, r5, [sp, #36]
             add r0, r0, r4
             add r3, r3, r5
             strd r0, r3, [sp]
             ldr r4, [sp, #32]
             subs r4, #1
             str r4, [sp, #32]
             bne 1b
             add sp, #48
             pop {{r4, r5, r6, r7, r8, r9, r10, r11, pc}}"
        )
    };
}

/// # Safety
/// See [`convolve`].
#[unsafe(naked)]
unsafe extern "C" fn any_at_1(_: *const u32, _: *const u32, _: *mut i8, _: &[usize; 9]) {
    any!(any_at_1)
}

/// # Safety
/// See [`convolve`].
#[unsafe(naked)]
unsafe extern "C" fn any_at_2(_: *const u32, _: *const u32, _: *mut i8, _: &[usize; 9]) {
    any!(any_at_2)
}

pub fn convolve(walk: &Walk, planes: &[u32], lanes: &[u32], output: &mut [i8]) {
    let Walk { stride, line, outputs, step, lines, next_line, next_output, .. } = *walk;
    let Kernel { lines: kernel_lines, taps } = walk.kernel;
    // At stride 1 a line begins with one word more.
    let skip = (line * 4).wrapping_sub((taps + 2 - stride) * 4);
    let back = kernel_lines.wrapping_mul(line * 4).wrapping_sub(8 * stride);
    let weights = super::planes::LANE_HEAD * 4 + kernel_lines * taps * 8;
    let numbers = [taps, skip, back, outputs, step, lines, next_line * 4, next_output, weights];
    let block: unsafe extern "C" fn(_, _, _, _) = if stride == 1 { any_at_1 } else { any_at_2 };
    let (mut x, mut lane, mut y) = (planes.as_ptr(), lanes.as_ptr(), output.as_mut_ptr());
    for _ in 0..walk.planes {
        // SAFETY: the caller has checked that from the last plane, lane and output on there are all words under whole blocks of the last
        // line, all weights, and the last output; and that there is at least one line, output, kernel line and pair of words.
        unsafe { block(x, lane, y, &numbers) };
        (x, lane, y) =
            (x.wrapping_add(walk.plane_words), lane.wrapping_add(walk.kernel.lane_words()), y.wrapping_add(1));
    }
}
