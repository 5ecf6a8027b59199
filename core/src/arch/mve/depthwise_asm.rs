//! Depthwise convolution as assembly. Slices are checked to fit together by [`super::depthwise`], the only caller.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use super::cpu::cpu;
use super::depthwise::{Outputs, Row, Word};
use crate::blob::Channel;

/// 16 words of a strip at a time; returns how many words it has written.
pub fn interleave(rows: [Row<'_>; 4], strip: &mut [Word]) -> usize {
    let padding = rows.map(|row| [if let Row::Padding(byte) = row { byte } else { 0 }; 16]);
    let mut job =
        Interleave { rows: [core::ptr::null(); 4], steps: [0; 4], strip: strip.as_mut_ptr(), blocks: strip.len() / 16 };
    for (((pointer, step), row), padding) in job.rows.iter_mut().zip(&mut job.steps).zip(&rows).zip(&padding) {
        (*pointer, *step) = match row {
            Row::Bytes(bytes) => (bytes.as_ptr(), 16),
            Row::Padding(_) => (padding.as_ptr(), 0),
        };
    }
    if job.blocks > 0 {
        // SAFETY: rows hold at least as many bytes as the strip has words, padding is 16 bytes read in place; `strip` takes 16
        // words per block.
        unsafe { interleave_naked(&job) };
    }
    job.blocks * 16
}

#[repr(C)]
struct Interleave {
    rows: [*const i8; 4],
    steps: [usize; 4],
    strip: *mut Word,
    blocks: usize,
}

/// # Safety
/// See the only caller.
#[unsafe(naked)]
unsafe extern "C" fn interleave_naked(job: *const Interleave) {
    naked_asm!(
        cpu!(),
        "push {{r4-r10, lr}}
         ldm r0, {{r0-r9}}
         dls lr, r9
         1: vldrb.u8 q0, [r0]
         vldrb.u8 q1, [r1]
         vldrb.u8 q2, [r2]
         vldrb.u8 q3, [r3]
         add r0, r4
         vst40.8 {{q0, q1, q2, q3}}, [r8]
         add r1, r5
         vst41.8 {{q0, q1, q2, q3}}, [r8]
         add r2, r6
         vst42.8 {{q0, q1, q2, q3}}, [r8]
         add r3, r7
         vst43.8 {{q0, q1, q2, q3}}, [r8]!
         le lr, 1b
         pop {{r4-r10, pc}}"
    )
}

/// What the naked functions work on, addressed by position; they step through channels in the first five.
#[repr(C)]
struct Job {
    input: *const Word,
    output: *mut i8,
    kernels: *const Word,
    channels: *const Channel,
    count: usize,
    /// Whole tiles of a row.
    tiles: usize,
    /// Bytes of input and output by which a last tile begins earlier than it would; 0: there is none.
    back: [usize; 2],
    /// By how many bits the kernel of the second row is shifted.
    shift: usize,
    /// Bytes of input and output from tile to tile.
    steps: [usize; 2],
    /// Bytes from column to column of the strip.
    column: usize,
    /// Where the four outputs of a tile go.
    targets: [usize; 4],
    /// Where the patches of the last three outputs begin (stride 2).
    patches: [usize; 3],
}

pub fn requantized(strip: &[Word], kernels: &[Word], channels: &[Channel], outputs: Outputs, output: &mut [i8]) {
    let (count, Outputs { width, second_row, stride }) = (channels.len(), outputs);
    let second = second_row.unwrap_or(0);
    // Outputs beside each other in a tile; where a row has fewer, the last is computed several times.
    let beside = if stride == 1 { 2 } else { 4 };
    let x = |i: usize| i.min(width - 1);
    let back = if width < beside { 0 } else { width.wrapping_neg() % beside };
    let mut job = Job {
        input: strip.as_ptr(),
        output: output.as_mut_ptr(),
        kernels: kernels.as_ptr(),
        channels: channels.as_ptr(),
        count,
        tiles: (width / beside).max(1),
        back: [back * stride * 4 * count, back * count],
        shift: if second_row.is_some() { 8 } else { 0 },
        steps: [beside * stride * 4 * count, beside * count],
        column: 4 * count,
        targets: if stride == 1 { [0, count, second, second + count] } else { [0, 1, 2, 3].map(|i| x(i) * count) },
        patches: [1, 2, 3].map(|i| 8 * count * x(i)),
    };
    // SAFETY: the caller has checked that `strip` holds all columns of all channels, `kernels` four columns, and `output` the
    // last output; tiles end with the last output of a row, and a missing second row repeats the first.
    unsafe {
        if stride == 1 {
            stride_1(&mut job);
        } else {
            stride_2(&mut job);
        }
    }
}

/// Saves registers, r0 (the job) at sp, and makes q6 (four columns) and q7 (targets).
macro_rules! enter {
    () => {
        "vpush {{d8-d15}}
         push {{r4-r11, lr}}
         push {{r0}}
         ldr r1, [r0, #44]
         movs r2, #0
         lsl r3, r1, #1
         add r4, r1, r3
         vmov q6[2], q6[0], r2, r3
         vmov q6[3], q6[1], r1, r4
         ldrd r1, r2, [r0, #48]
         ldrd r3, r4, [r0, #56]
         vmov q7[2], q7[0], r1, r3
         vmov q7[3], q7[1], r2, r4
         ldrd r10, r11, [r0, #36]
        "
    };
}

/// The next channel: its kernel in q0, its record in r1, r3, r5, r7 (ready for VQSHL), input in r8, output in r9; r12: the job.
macro_rules! next_channel {
    () => {
        "3: ldr r12, [sp]
         ldrd r8, r9, [r12]
         ldrd r0, r2, [r12, #8]
         vldrw.u32 q0, [r0, q6]
         ldm r2!, {{r1, r3, r5, r7}}
         add r4, r8, #4
         add r6, r9, #1
         adds r0, #4
         strd r4, r6, [r12]
         strd r0, r2, [r12, #8]
         adds r7, #24
        "
    };
}

/// Sums in r0, r2, r4, r6 become outputs; then the next tile, a last tile further back, the next channel, or the end.
///
/// `quantized::requantize_bounded` four at a time; the shift is `24 - r` to the left, which saturates to int8, and 24 back.
macro_rules! finish_tile {
    () => {
        "vmov q5[2], q5[0], r0, r4
         vmov q5[3], q5[1], r2, r6
         vadd.i32 q5, q5, r1
         vshr.s32 q4, q5, #31
         vadd.i32 q4, q4, r5
         vqrdmlah.s32 q4, q5, r3
         vqshl.s32 q4, r7
         vshr.s32 q4, q4, #24
         vstrb.32 q4, [r9, q7]
         add r8, r10
         add r9, r11
         le lr, 1b
         cmp r12, #0
         beq 2f
         ldr r0, [sp]
         ldr r0, [r0, #28]
         sub r8, r8, r12
         sub r9, r9, r0
         mov r12, #0
         mov lr, #1
         b 1b
         2: ldr r12, [sp]
         ldr r0, [r12, #16]
         subs r0, #1
         str r0, [r12, #16]
         bne 3b
         pop {{r0}}
         pop {{r4-r11, lr}}
         vpop {{d8-d15}}
         bx lr
        "
    };
}

/// # Safety
/// See the only caller.
#[unsafe(naked)]
unsafe extern "C" fn stride_1(job: *mut Job) {
    naked_asm!(
        cpu!(),
        enter!(),
        next_channel!(),
        // q1: one row down, q2: one column on, q3: both.
        "ldr r4, [r12, #32]
         vmov q1, q0
         vshl.s32 q1, r4
         vmov q2, q0
         movs r6, #0
         vshlc q2, r6, #32
         vmov q3, q2
         vshl.s32 q3, r4
         ldrd lr, r12, [r12, #20]
         1: vldrw.u32 q4, [r8, q6]
         vmladav.s8 r0, q4, q0
         vmladav.s8 r2, q4, q2
         vmladav.s8 r4, q4, q1
         vmladav.s8 r6, q4, q3",
        finish_tile!(),
    )
}

/// # Safety
/// See the only caller.
#[unsafe(naked)]
unsafe extern "C" fn stride_2(job: *mut Job) {
    naked_asm!(
        cpu!(),
        enter!(),
        // q1 to q3: the patches of the other outputs.
        "ldrd r1, r2, [r0, #64]
         ldr r3, [r0, #72]
         vadd.i32 q1, q6, r1
         vadd.i32 q2, q6, r2
         vadd.i32 q3, q6, r3",
        next_channel!(),
        "ldrd lr, r12, [r12, #20]
         1: vldrw.u32 q4, [r8, q6]
         vldrw.u32 q5, [r8, q1]
         vmladav.s8 r0, q4, q0
         vldrw.u32 q4, [r8, q2]
         vmladav.s8 r2, q5, q0
         vldrw.u32 q5, [r8, q3]
         vmladav.s8 r4, q4, q0
         vmladav.s8 r6, q5, q0",
        finish_tile!(),
    )
}

const _: () = assert!(size_of::<Job>() == 76 && size_of::<Interleave>() == 40);
