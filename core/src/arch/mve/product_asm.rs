//! The products as assembly. Slices are checked to fit together by [`super::product`], the only caller.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use super::cpu::cpu;
use super::product::{BLOCK, Columns, Weights4};
use crate::blob::{Activation, Channel};

/// What the naked functions work on; they address it by position.
#[repr(C)]
struct Job {
    columns: [*const i8; 2],
    /// Blocks before the first full turn of the unrolled loop.
    rest: usize,
    /// Full turns of the unrolled loop.
    turns: usize,
    channels: *const [Channel; 4],
    stride: usize,
    row_end: *mut i8,
    weights: *const Weights4,
    channels_start: *const [Channel; 4],
    pair_step: usize,
    pairs: usize,
    row_step: usize,
    row: usize,
    output: *mut i8,
    min: i32,
    max: i32,
}

/// Blocks in the unrolled loop. The first block of a group stands outside of it.
const UNROLLED: usize = 8;

/// 16 taps of two columns (r3, r5) and four channels (r9): sums of the first in r0, r2, r4, r6, of the second in r8, r10,
/// r12, lr. `$multiply` sets them (VMLADAV) or adds to them (VMLADAVA).
macro_rules! block_2x4 {
    ($multiply:literal) => {
        concat!(
            "vldrb.u8 q4, [r3], #16
             vldrw.u32 q0, [r9], #16
             ",
            $multiply,
            ".s8 r0, q4, q0
             vldrb.u8 q5, [r5], #16
             ",
            $multiply,
            ".s8 r8, q5, q0
             vldrw.u32 q1, [r9], #16
             ",
            $multiply,
            ".s8 r2, q4, q1
             vldrw.u32 q0, [r9], #16
             ",
            $multiply,
            ".s8 r10, q5, q1
             vldrw.u32 q1, [r9], #16
             ",
            $multiply,
            ".s8 r4, q4, q0
             ",
            $multiply,
            ".s8 r12, q5, q0
             ",
            $multiply,
            ".s8 r6, q4, q1
             ",
            $multiply,
            ".s8 lr, q5, q1
            "
        )
    };
}

/// The same of one column.
macro_rules! block_1x4 {
    ($multiply:literal) => {
        concat!(
            "vldrb.u8 q4, [r3], #16
             vldrw.u32 q0, [r9], #16
             ",
            $multiply,
            ".s8 r0, q4, q0
             vldrw.u32 q1, [r9], #16
             ",
            $multiply,
            ".s8 r2, q4, q1
             vldrw.u32 q0, [r9], #16
             ",
            $multiply,
            ".s8 r4, q4, q0
             vldrw.u32 q1, [r9], #16
             ",
            $multiply,
            ".s8 r6, q4, q1
            "
        )
    };
}

/// All blocks of a group: the first, a jump (r7) to where the rest begins, then r11 turns of the unrolled loop.
macro_rules! all_blocks {
    ($block:ident) => {
        concat!(
            $block!("vmladav"),
            "bx r7
             5: ",
            $block!("vmladava"),
            $block!("vmladava"),
            $block!("vmladava"),
            $block!("vmladava"),
            $block!("vmladava"),
            $block!("vmladava"),
            $block!("vmladava"),
            $block!("vmladava"),
            "6: subs r11, #1
             bge 5b
            "
        )
    };
}

/// Address of the unrolled loop's end in r7 minus r7 blocks of `$bytes`, as a branch wants it.
macro_rules! entry {
    ($bytes:literal) => {
        concat!(
            "movs r0, #",
            $bytes,
            "
             mul r7, r7, r0
             adr.w r0, 6f
             sub r7, r0, r7
             orr r7, r7, #1
            "
        )
    };
}

pub fn requantized(
    columns: Columns<'_>,
    depth: usize,
    weights: &[Weights4],
    channels: &[[Channel; 4]],
    activation: Activation,
    output: &mut [i8],
    stride: usize,
) {
    let column = columns.bytes.as_ptr();
    let (row, pairs) = (4 * channels.len(), columns.count / 2);
    let mut job = Job {
        columns: [column, column.wrapping_add(columns.step)],
        rest: (depth - 1) % UNROLLED,
        turns: (depth - 1) / UNROLLED,
        channels: channels.as_ptr(),
        stride,
        row_end: output.as_mut_ptr().wrapping_add(row),
        weights: weights.as_ptr(),
        channels_start: channels.as_ptr(),
        pair_step: 2 * columns.step,
        pairs,
        row_step: 2 * stride,
        row,
        output: output.as_mut_ptr(),
        min: i32::from(activation.min),
        max: i32::from(activation.max),
    };
    // SAFETY: the caller has checked that there is a column and a group, that `weights` holds `depth` (> 0) entries per group,
    // that `columns` holds `depth` blocks from the start of the last column, and `output` one row at the last multiple of
    // `stride`; the first function takes pairs of columns, the second a last one alone.
    unsafe {
        if pairs > 0 {
            requantized_2x4(&job);
        }
        if columns.count % 2 == 1 {
            job.columns[0] = column.wrapping_add((columns.count - 1) * columns.step);
            job.output = job.output.wrapping_add((columns.count - 1) * stride);
            requantized_1x4(&job);
        }
    }
}

pub fn sums(column: &[i8], weights: &[Weights4]) -> [i32; 4] {
    let mut sums = [0; 4];
    let (rest, turns) = ((weights.len() - 1) % UNROLLED, (weights.len() - 1) / UNROLLED);
    // SAFETY: the caller has checked that there is a block of weights and that the column has one for each.
    unsafe { sums_1x4(column.as_ptr(), weights.as_ptr(), rest, turns, &mut sums) };
    sums
}

/// # Safety
/// See the only caller.
#[unsafe(naked)]
unsafe extern "C" fn requantized_2x4(job: *const Job) {
    // Stack: the first 12 words of the job. r1: output. q6, q7: activation.
    naked_asm!(
        cpu!(),
        "vpush {{d8-d15}}
         push {{r4-r12, lr}}
         mov lr, r0
         ldrd r0, r1, [lr, #48]
         ldrd r2, r3, [lr, #56]
         vdup.32 q6, r2
         vdup.32 q7, r3
         push {{r0, r1}}
         ldm lr, {{r0, r2-r12}}
         push {{r0, r2-r12}}
         ldr r7, [sp, #8]",
        entry!("56"),
        "str r7, [sp, #8]
         1: ldrd r9, r0, [sp, #28]
         str r0, [sp, #16]
         2: ldrd r3, r5, [sp]
         ldrd r7, r11, [sp, #8]",
        all_blocks!(block_2x4),
        "ldr r11, [sp, #16]
         vld40.32 {{q0, q1, q2, q3}}, [r11]
         vld41.32 {{q0, q1, q2, q3}}, [r11]
         vld42.32 {{q0, q1, q2, q3}}, [r11]
         vld43.32 {{q0, q1, q2, q3}}, [r11]!
         str r11, [sp, #16]
         vmov q4[2], q4[0], r0, r4
         vmov q4[3], q4[1], r2, r6
         vmov q5[2], q5[0], r8, r12
         vmov q5[3], q5[1], r10, lr
         vadd.i32 q4, q4, q0
         vadd.i32 q5, q5, q0
         vqrdmulh.s32 q4, q4, q1
         vqrdmulh.s32 q5, q5, q1
         vshr.s32 q0, q4, #31
         vshr.s32 q1, q5, #31
         vadd.i32 q4, q4, q0
         vadd.i32 q5, q5, q1
         vadd.i32 q4, q4, q2
         vadd.i32 q5, q5, q2
         vshl.s32 q4, q4, q3
         vshl.s32 q5, q5, q3
         vmax.s32 q4, q4, q6
         vmax.s32 q5, q5, q6
         vmin.s32 q4, q4, q7
         vmin.s32 q5, q5, q7
         ldrd r7, r0, [sp, #20]
         add r7, r1
         vstrb.32 q5, [r7]
         vstrb.32 q4, [r1], #4
         cmp r1, r0
         bne 2b
         ldrd r3, r5, [sp]
         ldrd r2, r4, [sp, #36]
         ldrd r6, r8, [sp, #44]
         add r3, r2
         add r5, r2
         strd r3, r5, [sp]
         sub r1, r1, r8
         add r1, r1, r6
         add r0, r1, r8
         str r0, [sp, #24]
         subs r4, #1
         str r4, [sp, #40]
         bne 1b
         add sp, #56
         pop {{r4-r12, lr}}
         vpop {{d8-d15}}
         bx lr"
    )
}

/// # Safety
/// See the only caller.
#[unsafe(naked)]
unsafe extern "C" fn requantized_1x4(job: *const Job) {
    // r8: column, r7, r12: the jump and the turns, r5: channels, r1, r10: output and its end. q6, q7: activation.
    naked_asm!(
        cpu!(),
        "vpush {{d8-d15}}
         push {{r4-r12, lr}}
         ldr r8, [r0]
         ldrd r7, r12, [r0, #8]
         ldr r5, [r0, #16]
         ldr r9, [r0, #28]
         ldrd r10, r1, [r0, #48]
         add r10, r1
         ldrd r3, r4, [r0, #56]
         vdup.32 q6, r3
         vdup.32 q7, r4",
        entry!("36"),
        "2: mov r3, r8
         mov r11, r12",
        all_blocks!(block_1x4),
        "vld40.32 {{q0, q1, q2, q3}}, [r5]
         vld41.32 {{q0, q1, q2, q3}}, [r5]
         vld42.32 {{q0, q1, q2, q3}}, [r5]
         vld43.32 {{q0, q1, q2, q3}}, [r5]!
         vmov q4[2], q4[0], r0, r4
         vmov q4[3], q4[1], r2, r6
         vadd.i32 q4, q4, q0
         vqrdmulh.s32 q4, q4, q1
         vshr.s32 q0, q4, #31
         vadd.i32 q4, q4, q0
         vadd.i32 q4, q4, q2
         vshl.s32 q4, q4, q3
         vmax.s32 q4, q4, q6
         vmin.s32 q4, q4, q7
         vstrb.32 q4, [r1], #4
         cmp r1, r10
         bne 2b
         pop {{r4-r12, lr}}
         vpop {{d8-d15}}
         bx lr"
    )
}

/// # Safety
/// See the only caller.
#[unsafe(naked)]
unsafe extern "C" fn sums_1x4(
    column: *const i8,
    weights: *const Weights4,
    rest: usize,
    turns: usize,
    sums: *mut [i32; 4],
) {
    naked_asm!(
        cpu!(),
        "vpush {{d8-d9}}
         push {{r4-r11}}
         mov r9, r1
         mov r7, r2
         mov r11, r3
         mov r3, r0",
        entry!("36"),
        all_blocks!(block_1x4),
        "ldr r1, [sp, #48]
         stm r1, {{r0, r2, r4, r6}}
         pop {{r4-r11}}
         vpop {{d8-d9}}
         bx lr"
    )
}

const _: () = assert!(BLOCK == 16 && size_of::<Job>() == 64);
