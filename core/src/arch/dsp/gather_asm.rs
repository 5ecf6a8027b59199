//! Widening and copying as assembly. Slices are checked to fit together by [`super::blocks`], the only caller.
#![allow(unsafe_code)]

use core::arch::{asm, naked_asm};

use super::blocks::{Gather, Quad4};
use super::cpu;

/// One quad of four pixels (r0 to r3), to r12. 52 bytes.
macro_rules! quad {
    () => {
        "ldr.w r4, [r0], #4
         ldr.w r5, [r1], #4
         ldr.w r6, [r2], #4
         ldr.w r7, [r3], #4
         sxtb16 r8, r4, ror #8
         sxtb16 r9, r5, ror #8
         sxtb16 r10, r6, ror #8
         sxtb16 r11, r7, ror #8
         sxtb16 r4, r4
         sxtb16 r5, r5
         sxtb16 r6, r6
         sxtb16 r7, r7
         stm.w r12!, {{r4, r5, r6, r7, r8, r9, r10, r11}}
        "
    };
}

/// Where in its loop (of four quads, of 52 bytes of code each) a row of `quads` whole quads begins: bytes before its end.
pub const fn entry(quads: usize) -> usize {
    quads % 4 * 52
}

/// Three elements at the end of a row of one pixel: words to `$even` and `$odd`.
macro_rules! three {
    ($from:literal, $even:literal, $odd:literal) => {
        concat!(
            "ldrsb ",
            $even,
            ", [",
            $from,
            "]
             ldrsb lr, [",
            $from,
            ", #2]
             ldrsb ",
            $odd,
            ", [",
            $from,
            ", #1]
             pkhbt ",
            $even,
            ", ",
            $even,
            ", lr, lsl #16
            "
        )
    };
}

/// Two elements at the end of a row of one pixel: a word to `$word`.
macro_rules! two {
    ($from:literal, $word:literal) => {
        concat!(
            "ldrsb ",
            $word,
            ", [",
            $from,
            "]
             ldrsb lr, [",
            $from,
            ", #1]
             pkhbt ",
            $word,
            ", ",
            $word,
            ", lr, lsl #16
            "
        )
    };
}

pub fn gather(how: &Gather, source: &[i8], starts: [usize; 4], columns: &mut [Quad4]) {
    let [a, b, c, d] = starts.map(|start| source.as_ptr().wrapping_add(start));
    // SAFETY: the caller has checked that `source` holds a window from each start on, and that the columns hold all quads;
    // `how` has been made for windows whose rows do not overlap and for rows that the columns have.
    unsafe { gather_naked(a, b, c, d, columns.as_mut_ptr(), how) }
}

/// # Safety
/// See the only caller. Stack: the fields of `how` as the function changes them (0 to 28), saved registers, columns 68, `how` 72.
#[unsafe(naked)]
unsafe extern "C" fn gather_naked(
    a: *const i8,
    b: *const i8,
    c: *const i8,
    d: *const i8,
    columns: *mut Quad4,
    how: *const Gather,
) {
    naked_asm!(
        cpu!(),
        "push {{r4, r5, r6, r7, r8, r9, r10, r11, lr}}
         ldrd r12, r4, [sp, #36]
         ldm r4, {{r5, r6, r7, r8, r9, r10, r11, lr}}
         adr.w r4, 3f
         adds r4, #1
         subs r6, r4, r6
         add r11, r11, r12
         add r12, r12, r10
         push {{r5, r6, r7, r8, r9, r10, r11, lr}}
         1: ldr lr, [sp]
         add lr, lr, r0
         ldr pc, [sp, #4]
         2: ",
        quad!(),
        quad!(),
        quad!(),
        quad!(),
        "3: cmp r0, lr
         bne.w 2b
         ldr r4, [sp, #16]
         tbb [pc, r4]
         4: .byte (8f - 4b) / 2
         .byte (5f - 4b) / 2
         .byte (6f - 4b) / 2
         .byte (7f - 4b) / 2
         5: ldrd r8, r9, [sp, #24]
         ldrsb r4, [r0]
         ldrsb r5, [r1]
         ldrsb r6, [r2]
         ldrsb r7, [r3]
         strh r4, [r8]
         strh r5, [r8, #4]
         strh r6, [r8, #8]
         strh r7, [r8, #12]
         add r8, r8, r9
         eor r9, r9, #12
         strd r8, r9, [sp, #24]
         b 8f
         6: ldr r8, [sp, #24]",
        two!("r0", "r4"),
        two!("r1", "r5"),
        two!("r2", "r6"),
        two!("r3", "r7"),
        "stm r8!, {{r4, r5, r6, r7}}
         str r8, [sp, #24]
         b 8f
         7: ",
        three!("r0", "r4", "r8"),
        three!("r1", "r5", "r9"),
        three!("r2", "r6", "r10"),
        three!("r3", "r7", "r11"),
        "stm r12!, {{r4, r5, r6, r7, r8, r9, r10, r11}}
         8: ldr r4, [sp, #12]
         subs r4, #1
         beq 9f
         str r4, [sp, #12]
         ldr r4, [sp, #8]
         add r0, r4
         add r1, r4
         add r2, r4
         add r3, r4
         b 1b
         9: add sp, #32
         pop {{r4, r5, r6, r7, r8, r9, r10, r11, pc}}"
    )
}

/// Copies as much as both hold, 16 bytes at a time.
pub fn copy(from: &[i8], to: &mut [i8]) {
    let bytes = from.len().min(to.len());
    let (Some(from), Some(to)) = (from.get(..bytes), to.get_mut(..bytes)) else { return };
    let (from, from_rest) = from.as_chunks::<16>();
    let (to, to_rest) = to.as_chunks_mut::<16>();
    let blocks = from.len();
    if blocks > 0 {
        // SAFETY: both hold `blocks` times 16 bytes. LDR and STR need no alignment.
        unsafe {
            asm!(
                "2: ldr {a}, [{x}], #4
                 ldr {b}, [{x}], #4
                 ldr {c}, [{x}], #4
                 ldr {d}, [{x}], #4
                 str {a}, [{y}], #4
                 str {b}, [{y}], #4
                 str {c}, [{y}], #4
                 str {d}, [{y}], #4
                 cmp {x}, {end}
                 bne 2b",
                x = inout(reg) from.as_ptr() => _,
                y = inout(reg) to.as_mut_ptr() => _,
                end = in(reg) from.as_ptr().wrapping_add(blocks),
                a = out(reg) _, b = out(reg) _, c = out(reg) _, d = out(reg) _,
                options(nostack)
            )
        };
    }
    from_rest.iter().zip(to_rest).for_each(|(from, to)| *to = *from);
}
