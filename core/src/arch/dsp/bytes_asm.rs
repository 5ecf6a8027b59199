//! The blocks of [`super::bytes`] as assembly. That module checks that slices fit together; it is the only caller.
#![allow(unsafe_code)]

use core::arch::{asm, naked_asm};

use super::bytes::{Tables, Taps};
use super::cpu;
use crate::Pair;
use crate::blob::{Activation, Channel};

/// Two elements of [`add`].
macro_rules! add_two {
    () => {
        "ldrb r8, [r0], #1
         ldrb r9, [r1], #1
         ldrb r10, [r0], #1
         ldrb r11, [r1], #1
         ldr r8, [r2, r8, lsl #2]
         ldr r9, [r4, r9, lsl #2]
         ldr r10, [r2, r10, lsl #2]
         ldr r11, [r4, r11, lsl #2]
         add r8, r8, r9
         add r10, r10, r11
         add r9, r6, r8, asr #31
         add r11, r6, r10, asr #31
         smmlar r8, r8, r5, r9
         smmlar r10, r10, r5, r11
         asr r8, r8, r7
         asr r10, r10, r7
         ssat r8, #8, r8
         ssat r10, #8, r10
         strb r8, [r3], #1
         strb r10, [r3], #1
        "
    };
}

pub fn add(data: &mut Pair<'_>, tables: &Tables, channel: &Channel) {
    let ([a, b], output, count) = data.pointers();
    let (blocks, end) = (a.wrapping_add(count & !3), a.wrapping_add(count));
    // SAFETY: a pair's inputs and output are equally long, and an element is read before it is written where an input is the output; bytes
    // are indices into the tables of 256.
    unsafe { add_naked(a, b, tables, output, blocks, end, channel) }
}

/// # Safety
/// See the only caller. Stack: saved registers, end of blocks of four 36, end 40, channel 44.
#[unsafe(naked)]
unsafe extern "C" fn add_naked(
    a: *const i8,
    b: *const i8,
    tables: &Tables,
    output: *mut i8,
    blocks: *const i8,
    end: *const i8,
    channel: &Channel,
) {
    naked_asm!(
        cpu!(),
        "push {{r4, r5, r6, r7, r8, r9, r10, r11, lr}}
         ldr r12, [sp, #44]
         add r4, r2, #1024
         ldr r5, [r12, #4]
         ldr r6, [r12, #8]
         ldr r7, [r12, #12]
         ldr r12, [sp, #36]
         ldr lr, [sp, #40]
         cmp r0, r12
         beq 2f
         1: ",
        add_two!(),
        add_two!(),
        "cmp r0, r12
         bne 1b
         2: cmp r0, lr
         beq 4f
         3: ldrb r8, [r0], #1
         ldrb r9, [r1], #1
         ldr r8, [r2, r8, lsl #2]
         ldr r9, [r4, r9, lsl #2]
         add r8, r8, r9
         add r9, r6, r8, asr #31
         smmlar r8, r8, r5, r9
         asr r8, r8, r7
         ssat r8, #8, r8
         strb r8, [r3], #1
         cmp r0, lr
         bne 3b
         4: pop {{r4, r5, r6, r7, r8, r9, r10, r11, pc}}"
    )
}

pub fn clamp(activation: Activation, values: &mut [i8]) {
    let [min, max] = [activation.min, activation.max].map(|q| u32::from_ne_bytes([q as u8; 4]));
    if values.is_empty() {
        return;
    }
    // SAFETY: the caller has cut the values to a multiple of four, read and written word by word to their end.
    unsafe {
        asm!(
            "2: ldr {x}, [{at}]
             ssub8 {t}, {x}, {min}
             sel {x}, {x}, {min}
             ssub8 {t}, {max}, {x}
             sel {x}, {x}, {max}
             str {x}, [{at}], #4
             cmp {at}, {end}
             bne 2b",
            at = inout(reg) values.as_mut_ptr() => _,
            end = in(reg) values.as_ptr_range().end,
            min = in(reg) min, max = in(reg) max,
            x = out(reg) _, t = out(reg) _,
            options(nostack)
        )
    }
}

/// The loops over rows and columns around what is done with a word `{w}`.
macro_rules! each_word {
    ($($step:literal),*) => {
        concat!(
            "2: mov {n}, {columns}
             3: ldr {w}, [{x}]
             add {x}, {x}, {step}
             ",
            $($step, "\n",)*
            "subs {n}, {n}, #1
             bne 3b
             add {x}, {x}, {skip}
             subs {rows}, {rows}, #1
             bne 2b"
        )
    };
}

pub fn sums(source: &[i8], taps: &Taps) -> [u32; 2] {
    let (mut even, mut odd) = (0, 0);
    // SAFETY: the caller has checked that a word can be read at every tap, and that there is one.
    unsafe {
        asm!(
            each_word!("sxtab16 {even}, {even}, {w}", "sxtab16 {odd}, {odd}, {w}, ror #8"),
            x = inout(reg) source.as_ptr() => _,
            rows = inout(reg) taps.rows => _,
            columns = in(reg) taps.columns,
            step = in(reg) taps.step,
            skip = in(reg) taps.line.wrapping_sub(taps.columns.wrapping_mul(taps.step)),
            n = out(reg) _, w = out(reg) _,
            even = inout(reg) even, odd = inout(reg) odd,
            options(nostack, readonly)
        )
    };
    [even, odd]
}

pub fn maxima(source: &[i8], taps: &Taps) -> [i8; 4] {
    let mut largest = u32::from_ne_bytes([i8::MIN as u8; 4]);
    // SAFETY: as in `sums`.
    unsafe {
        asm!(
            each_word!("ssub8 {t}, {m}, {w}", "sel {m}, {m}, {w}"),
            x = inout(reg) source.as_ptr() => _,
            rows = inout(reg) taps.rows => _,
            columns = in(reg) taps.columns,
            step = in(reg) taps.step,
            skip = in(reg) taps.line.wrapping_sub(taps.columns.wrapping_mul(taps.step)),
            n = out(reg) _, w = out(reg) _, t = out(reg) _,
            m = inout(reg) largest,
            options(nostack, readonly)
        )
    };
    largest.to_le_bytes().map(|byte| byte as i8)
}
