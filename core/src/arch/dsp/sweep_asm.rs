//! The kernel that slides down strips as assembly. [`super::strips`] checks that slices fit together; it is the only caller.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use super::cpu;
use super::strips::{LINE, Lane, Walk};

/// A kernel line (r1, lr) of four outputs over the words r2, r3, r12, the sums a register each, `from` the bias where they begin (if that is
/// one of the sums' registers, the last).
macro_rules! four {
    ($a:literal, $b:literal, $c:literal, $d:literal, from $bias:literal) => {
        four!($a, $b, $c, $d, $bias, $bias, $bias, $bias)
    };
    ($a:literal, $b:literal, $c:literal, $d:literal) => {
        four!($a, $b, $c, $d, $a, $b, $c, $d)
    };
    ($a:literal, $b:literal, $c:literal, $d:literal, $from_a:literal, $from_b:literal, $from_c:literal, $from_d:literal) => {
        concat!(
            two!($a, $b, $from_a, $from_b, "r2", "r3", "r1", "lr"),
            two!($c, $d, $from_c, $from_d, "r3", "r12", "r1", "lr")
        )
    };
}

/// A kernel line of two outputs over two words at stride 1.
macro_rules! two {
    ($a:literal, $b:literal, $from_a:literal, $from_b:literal, $x:literal, $next:literal, $w01:literal, $w12:literal) => {
        concat!(
            "smlad ",
            $a,
            ", ",
            $x,
            ", ",
            $w01,
            ", ",
            $from_a,
            "
             smlatb ",
            $b,
            ", ",
            $x,
            ", ",
            $w01,
            ", ",
            $from_b,
            "
             smlabt ",
            $a,
            ", ",
            $next,
            ", ",
            $w12,
            ", ",
            $a,
            "
             smlad ",
            $b,
            ", ",
            $next,
            ", ",
            $w12,
            ", ",
            $b,
            "
            "
        )
    };
}

/// A kernel line of one output over two words at stride 2.
macro_rules! one {
    ($a:literal, $from:literal, $x:literal, $next:literal, $w01:literal, $w12:literal) => {
        concat!(
            "smlad ",
            $a,
            ", ",
            $x,
            ", ",
            $w01,
            ", ",
            $from,
            "
             smlabt ",
            $a,
            ", ",
            $next,
            ", ",
            $w12,
            ", ",
            $a,
            "
            "
        )
    };
}

/// Kernel line 0, 1 or 2 of two outputs at stride 1 over r2, r3.
macro_rules! near {
    ($a:literal, $b:literal, 0) => {
        two!($a, $b, "r7", "r7", "r2", "r3", "r1", "lr")
    };
    ($a:literal, $b:literal, 1) => {
        two!($a, $b, $a, $b, "r2", "r3", "r8", "r9")
    };
    ($a:literal, $b:literal, 2) => {
        two!($a, $b, $a, $b, "r2", "r3", "r10", "r11")
    };
}

/// The same at stride 2 over r2, r3, r12.
macro_rules! apart {
    ($a:literal, $b:literal, 0) => {
        concat!(one!($a, "r7", "r2", "r3", "r1", "lr"), one!($b, "r7", "r3", "r12", "r1", "lr"))
    };
    ($a:literal, $b:literal, 1) => {
        concat!(one!($a, $a, "r2", "r3", "r8", "r9"), one!($b, $b, "r3", "r12", "r8", "r9"))
    };
    ($a:literal, $b:literal, 2) => {
        concat!(one!($a, $a, "r2", "r3", "r10", "r11"), one!($b, $b, "r3", "r12", "r10", "r11"))
    };
}

/// Doubled sums to int8 with multiplier, rounding constant and right shift in the last registers named, all but the shift. See `quantized`.
macro_rules! scale {
    ($($sum:literal),*; $m:literal, $k:literal, $t:literal) => {
        concat!($(
            "add ", $t, ", ", $k, ", ", $sum, ", asr #31
             smmlar ", $sum, ", ", $sum, ", ", $m, ", ", $t, "
            "
        ),*)
    };
}

/// [`scale`] where the sign does not matter.
macro_rules! direct {
    ($($sum:literal),*; $m:literal, $k:literal) => {
        concat!($("smmlar ", $sum, ", ", $sum, ", ", $m, ", ", $k, "\n"),*)
    };
}

macro_rules! shift {
    ($($sum:literal),*; $r:literal) => {
        concat!($(
            "asr ", $sum, ", ", $sum, ", ", $r, "
             ssat ", $sum, ", #8, ", $sum, "
            "
        ),*)
    };
}

/// Two outputs of two lines (r4, r5 and r6, r7) to int8 and to memory, the second line first: a line that does not exist is written
/// over, and so are outputs. Then on to the next two lines.
macro_rules! finish_two {
    () => {
        concat!(
            "ldrd r2, r3, [sp, #52]\n",
            scale!("r4", "r5", "r6", "r7"; "r2", "r3", "r12"),
            "ldr r2, [sp, #60]\n",
            shift!("r4", "r5", "r6", "r7"; "r2"),
            "ldm sp, {{r2, r3, r12}}
             strb r7, [r2, r3]
             sub r7, r2, r12
             strb r6, [r2]
             strb r5, [r7, r3]
             add r2, r2, r12, lsl #1
             strb r4, [r7]
             ldr r3, [sp, #20]
             str r2, [sp]
             cmp r0, r3
            "
        )
    };
}

/// The same of four (r4 to r7 and r8 to r11).
macro_rules! finish_four {
    () => {
        concat!(
            "ldr r3, [sp, #60]
             ldrd r1, r2, [sp, #52]
             tst r3, #256
             beq 13f
            ",
            direct!("r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11"; "r1", "r2"),
            "14: ",
            shift!("r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11"; "r3"),
            "ldm sp, {{r1, r2, r3, r12, lr}}
             strb r11, [r1, lr]
             sub r11, r1, r3
             strb r10, [r1, r12]
             strb r9, [r1, r2]
             strb r8, [r1]
             add r1, r1, r3, lsl #1
             strb r7, [r11, lr]
             strb r6, [r11, r12]
             strb r5, [r11, r2]
             strb r4, [r11]
             ldr r2, [sp, #20]
             str r1, [sp]
             cmp r0, r2
            "
        )
    };
}

/// The weights of a channel to r1, lr and r8 to r11.
macro_rules! load_weights {
    () => {
        "ldrd r1, lr, [sp, #24]
         ldrd r8, r9, [sp, #32]
         ldrd r10, r11, [sp, #40]
        "
    };
}

/// What [`convolve_naked`] reads, in this order.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Sweep {
    /// Strips of which all outputs exist; outputs after them.
    whole: usize,
    rest: usize,
    /// Bytes from the end of a strip to the beginning of the next, in words and in output.
    next_words: usize,
    next_strip: usize,
    /// Bytes of words under all pairs of lines of outputs.
    pairs: usize,
    /// 1 where a last line goes with the one before it once more, which begins so many bytes before the end of the pairs.
    odd: usize,
    back: usize,
    stride: usize,
    next_output: usize,
    step: usize,
}

impl Sweep {
    pub fn new(walk: &Walk) -> Self {
        let Walk { room, stride, outputs, step, lines, next_output } = *walk;
        let pair = 2 * stride * LINE * 4;
        let shift = 3usize.wrapping_sub(stride) & 3;
        // A single line takes the place of both.
        let (pairs, odd, next_output) =
            if lines == 1 { (pair, 0, 0) } else { (lines / 2 * pair, lines % 2, next_output) };
        Self {
            whole: outputs >> shift,
            rest: outputs & ((1 << shift) - 1),
            next_words: (room * LINE * 4).wrapping_sub(pairs + odd * pair / 2),
            next_strip: (step << shift).wrapping_sub(lines * next_output),
            pairs,
            odd,
            back: pair / 2,
            stride,
            next_output,
            step,
        }
    }

    /// One channel.
    pub fn run(&self, words: &[u32], lane: &Lane, output: &mut [i8]) {
        // SAFETY: the caller has checked that `words` holds the lines under all lines of outputs (two at least) in the last strip, that there is an
        // output, and that `output` holds the last one.
        unsafe { convolve_naked(words.as_ptr(), lane, output.as_mut_ptr(), self) };
    }
}

/// Stack, from the arguments; then to the first strip, if there is a whole one.
macro_rules! start {
    () => {
        "push {{r4, r5, r6, r7, r8, r9, r10, r11, lr}}
         ldm r3!, {{r4, r5, r6, r7, r8, r9, r10, r11}}
         cmp r11, #2
         beq 1f
         adr.w lr, 4f
         mov r11, lr
         cmp r5, #3
         bge 2f
         adr.w r11, 5f
         b 2f
         1: adr.w lr, 6f
         mov r11, lr
         2: orr lr, lr, #1
         orr r11, r11, #1
         ldrd r3, r12, [r3]
         push {{r4, r5, r6, r7, r8, r9, r10, r11, lr}}
         ldm r1, {{r1, r4, r5, r6, r7, r8, r9, r10, r11, lr}}
         push {{r1, r4, r5, r6, r7, r8, r9, r10, r11, lr}}
         ldr r9, [sp, #56]
         ldr r1, [sp, #40]
         add r4, r2, r3
         mov r5, r12
         mov r6, r3
         lsl r7, r12, #1
         add r8, r7, r12
         add r9, r9, r0
         push {{r4, r5, r6, r7, r8, r9}}
         cmp r1, #0
         it ne
         ldrne pc, [sp, #96]
        "
    };
}

/// What is left of a strip: outputs that do not exist get the first one's place.
macro_rules! rest {
    () => {
        "3: ldr r3, [sp, #68]
         cmp r3, #0
         beq 9f
         movs r2, #0
         movs r1, #1
         str r2, [sp, #68]
         str r2, [sp, #16]
         cmp r3, #2
         it le
         strle r2, [sp, #12]
         it lt
         strlt r2, [sp, #4]
         ldr r2, [sp, #92]
         str r1, [sp, #64]
         str r2, [sp, #96]
         bx r2
        "
    };
}

/// Two lines of four outputs at stride 1, down a strip.
macro_rules! lines_of_four {
    () => {
        concat!(
            "4: ldr r11, [sp, #48]
             ldm r0, {{r2, r3, r12}}
             ldrd r1, lr, [sp, #24]
             add r0, r0, #48\n",
            four!("r4", "r5", "r6", "r7", from "r11"),
            "ldm r0, {{r2, r3, r12}}
             add r0, r0, #48\n",
            four!("r8", "r9", "r10", "r11", from "r11"),
            "ldrd r1, lr, [sp, #32]\n",
            four!("r4", "r5", "r6", "r7"),
            "ldm r0, {{r2, r3, r12}}
             add r0, r0, #48\n",
            four!("r8", "r9", "r10", "r11"),
            "ldrd r1, lr, [sp, #40]\n",
            four!("r4", "r5", "r6", "r7"),
            "ldm r0, {{r2, r3, r12}}
             sub r0, r0, #48\n",
            four!("r8", "r9", "r10", "r11"),
            finish_four!(),
            "bne 4b
            "
        )
    };
}

/// The end of a strip: once more for an odd line, then on to the next.
macro_rules! next_strip {
    () => {
        "8: ldr r1, [sp, #84]
         rsbs r1, r1, #0
         str r1, [sp, #84]
         bmi 10f
         ldr r1, [sp, #64]
         ldr r12, [sp]
         ldr lr, [sp, #80]
         subs r1, #1
         ldrd r2, r3, [sp, #72]
         str r1, [sp, #64]
         add r0, r0, r2
         add r12, r12, r3
         add lr, lr, r0
         str r12, [sp]
         str lr, [sp, #20]
         it ne
         ldrne pc, [sp, #96]
         b 3b
         10: ldr r1, [sp, #88]
         ldr r2, [sp, #8]
         ldr r3, [sp]
         ldr r12, [sp, #20]
         sub r0, r0, r1
         sub r3, r3, r2
         add r12, r12, r1
         str r3, [sp]
         str r12, [sp, #20]
         ldr pc, [sp, #96]
        "
    };
}

/// Two lines of two outputs at stride 1, down a strip.
macro_rules! lines_of_two {
    () => {
        concat!(
            "5: \n",
            load_weights!(),
            "11: ldr r7, [sp, #48]
             ldrd r2, r3, [r0], #48\n",
            near!("r4", "r5", 0),
            "ldrd r2, r3, [r0], #48\n",
            near!("r4", "r5", 1),
            near!("r6", "r7", 0),
            "ldrd r2, r3, [r0], #48\n",
            near!("r4", "r5", 2),
            near!("r6", "r7", 1),
            "ldrd r2, r3, [r0], #-48\n",
            near!("r6", "r7", 2),
            finish_two!(),
            "bne 11b
             b 8b
            "
        )
    };
}

/// The same at stride 2.
macro_rules! lines_apart {
    () => {
        concat!(
            "6: \n",
            load_weights!(),
            "7: ldr r7, [sp, #48]
             ldm r0, {{r2, r3, r12}}
             add r0, r0, #48\n",
            apart!("r4", "r5", 0),
            "ldm r0, {{r2, r3, r12}}
             add r0, r0, #48\n",
            apart!("r4", "r5", 1),
            "ldm r0, {{r2, r3, r12}}
             add r0, r0, #48\n",
            apart!("r4", "r5", 2),
            apart!("r6", "r7", 0),
            "ldm r0, {{r2, r3, r12}}
             add r0, r0, #48\n",
            apart!("r6", "r7", 1),
            "ldm r0, {{r2, r3, r12}}\n",
            apart!("r6", "r7", 2),
            finish_two!(),
            "bne 7b
             b 8b
            "
        )
    };
}

/// Stack. The pair of lines of outputs: output of the second line 0, offset of the second output 4, from line to line 8, offsets of the third and
/// fourth output 12, end of words 20; the lane 24: weights, bias 48, multiplier 52, rounding constant 56, shift 60; then the first fields of
/// [`Sweep`] from 64 on, and the code for what is left of a strip 92 and for the present one 96.
///
/// # Safety
/// See the only caller.
#[unsafe(naked)]
unsafe extern "C" fn convolve_naked(words: *const u32, lane: &Lane, output: *mut i8, sweep: &Sweep) {
    naked_asm!(
        cpu!(),
        start!(),
        rest!(),
        lines_of_four!(),
        next_strip!(),
        "13: ",
        scale!("r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11"; "r1", "r2", "r12"),
        "b 14b",
        lines_of_two!(),
        lines_apart!(),
        "9: add sp, #100
         pop {{r4, r5, r6, r7, r8, r9, r10, r11, pc}}"
    )
}
