//! Splitting pixels into strips as assembly. [`super::strips`] checks that slices fit together; it is the only caller.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use super::cpu;
use super::strips::{LINE, Pixels};

/// Two pixels of four channels become a word of each channel: of channels 0 to 3 in r11, r9, r12, r10.
macro_rules! pair {
    ($first:literal, $second:literal) => {
        concat!(
            "pkhbt r9, ",
            $first,
            ", ",
            $second,
            ", lsl #16
             pkhtb r10, ",
            $second,
            ", ",
            $first,
            ", asr #16
             sxtb16 r11, r9
             sxtb16 r9, r9, ror #8
             sxtb16 r12, r10
             sxtb16 r10, r10, ror #8
            "
        )
    };
}

/// The words of four channels to the strip's line at r2: the first, second or third word.
macro_rules! store {
    (first) => {
        "str r11, [r2]
         str r9, [r2, #12]
         str r12, [r2, #24]
         str r10, [r2, #36]
        "
    };
    (second) => {
        "str r11, [r2, #4]
         str r9, [r2, #16]
         str r12, [r2, #28]
         str r10, [r2, #40]
        "
    };
    (third) => {
        "str r11, [r2, #8]
         str r9, [r2, #20]
         str r12, [r2, #32]
         str r10, [r2, #44]
        "
    };
}

/// What [`split_naked`] reads, in this order.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Split {
    step: usize,
    strip_bytes: usize,
    /// Strips that are followed by another one and whose second and third word are whole.
    whole: usize,
    three_steps: usize,
    padding: u32,
    odd: usize,
    /// Pixels after those, at most four.
    rest: usize,
    /// Bytes to where the third word stands again: the next strip's first word, or where it is already.
    again: usize,
    line: usize,
    lines: usize,
}

impl Split {
    pub fn new(pixels: &Pixels) -> Self {
        let Pixels { count, step, odd, padding, lines, line, strips: [strips, room] } = *pixels;
        let odd = usize::from(odd);
        let behind_first = count.wrapping_sub(2 - odd);
        let whole = (behind_first / 4).min(strips.wrapping_sub(1));
        let strip_bytes = room * LINE * 4;
        Self {
            step,
            strip_bytes,
            whole,
            three_steps: step * 3,
            padding: u32::from_ne_bytes([padding as u8; 4]),
            odd,
            rest: behind_first.wrapping_sub(whole * 4),
            again: if whole + 1 < strips { strip_bytes } else { 8 },
            line,
            lines,
        }
    }

    pub fn run(&self, source: &[i8], words: &mut [u32]) {
        // SAFETY: the caller has checked that `source` holds the pixels' words of four bytes in each line (there is one), that these are, with what
        // comes before the first, at least one pair and at most as many as the strips have words, and that `words` holds all lines in the last
        // strip. So `rest` is at most four, and three or four only where the strip has a third word.
        unsafe { split_naked(source.as_ptr(), words.as_mut_ptr(), self.lines, self) }
    }
}

/// # Safety
/// See the only caller. Stack: source 0, strips 4, lines 8, how 12.
#[unsafe(naked)]
unsafe extern "C" fn split_naked(source: *const i8, words: *mut u32, lines: usize, how: &Split) {
    naked_asm!(
        cpu!(),
        "push {{r4, r5, r6, r7, r8, r9, r10, r11, lr}}
         push {{r0, r1, r2, r3}}
         1: ldrd r0, r2, [sp]
         ldr r4, [sp, #12]
         ldm r4, {{r1, r3, r5, r6, r7, r8}}
         cmp r8, #0
         beq 2f
         ldr r8, [r0]
         add r0, r0, r1
         b 3f
         2: ldr r7, [r0]
         ldr r8, [r0, r1]
         add r0, r0, r1, lsl #1
         3: ",
        pair!("r7", "r8"),
        store!(first),
        "cmp r5, #0
         beq 5f
         4: ldr r7, [r0]
         ldr r8, [r0, r1]
         ldr r4, [r0, r1, lsl #1]
         ldr lr, [r0, r6]",
        pair!("r7", "r8"),
        store!(second),
        pair!("r4", "lr"),
        store!(third),
        "add r2, r2, r3
         add r0, r0, r1, lsl #2",
        store!(first),
        "subs r5, #1
         bne 4b
         5: ldr r4, [sp, #12]
         ldrd r5, r3, [r4, #24]
         ldr lr, [r4, #16]
         cmp r5, #1
         blt 6f
         ldr r7, [r0]
         ite gt
         ldrgt r8, [r0, r1]
         movle r8, lr",
        pair!("r7", "r8"),
        store!(second),
        "cmp r5, #3
         blt 6f
         ldr r7, [r0, r1, lsl #1]
         ite gt
         ldrgt r8, [r0, r6]
         movle r8, lr",
        pair!("r7", "r8"),
        store!(third),
        "add r2, r2, r3
         ldr r5, [sp, #8]",
        store!(first),
        "6: ldrd r0, r2, [sp]
         ldr r4, [sp, #12]
         ldr r5, [sp, #8]
         ldr r4, [r4, #32]
         add r2, r2, #48
         add r0, r0, r4
         subs r5, #1
         strd r0, r2, [sp]
         str r5, [sp, #8]
         bne 1b
         add sp, #16
         pop {{r4, r5, r6, r7, r8, r9, r10, r11, pc}}"
    )
}
