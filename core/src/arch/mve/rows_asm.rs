//! The rows as assembly. Slices are checked to fit together by [`super::rows`], the only caller.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use super::cpu::cpu;
use crate::ops::{RowScale, Rows};

/// What the naked function loads, in this order.
#[repr(C)]
struct Job {
    x: *const i8,
    columns: usize,
    output: *mut [i16; 4],
    weights: *const i8,
    rows: *const Rows,
    /// From the last block of 16 columns of a row to the next row.
    back: usize,
    rows_end: *const Rows,
}

pub fn requantized(x: &[i8], weights: &[i8], rows: &[Rows], output: &mut [[i16; 4]]) {
    let range = rows.as_ptr_range();
    let job = Job {
        x: x.as_ptr(),
        columns: x.len(),
        output: output.as_mut_ptr(),
        weights: weights.as_ptr(),
        rows: range.start,
        back: x.len().wrapping_sub(x.len().next_multiple_of(16)),
        rows_end: range.end,
    };
    // SAFETY: the caller has checked that neither `x` nor `rows` is empty, that `weights` holds four rows of `x.len()` bytes for
    // each of `rows`, and `output` an entry; loads are predicated to the columns.
    unsafe { requantized_naked(&job) };
}

/// # Safety
/// See the only caller.
#[unsafe(naked)]
unsafe extern "C" fn requantized_naked(job: *const Job) {
    // r1: vector, r5: columns, r7: output, r8 to r11: four rows of weights, r12: their constants. Stack: the last two of the job.
    // q4 to q6: multipliers, rounding constants and shifts within the constants. The last as in `quantized::scale_bounded`.
    naked_asm!(
        cpu!(),
        "push {{r4-r11, lr}}
         sub sp, #4
         vpush {{d8-d13}}
         ldr r1, [r0]
         ldrd r5, r7, [r0, #4]
         ldrd r8, r12, [r0, #12]
         ldrd r2, r3, [r0, #20]
         push {{r2, r3}}
         movs r0, #0
         vidup.u32 q4, r0, #4
         movs r2, #12
         vmul.i32 q4, q4, r2
         vshr.u32 q4, q4, #2
         movs r2, #16
         vadd.i32 q4, q4, r2
         movs r2, #4
         vadd.i32 q5, q4, r2
         vadd.i32 q6, q5, r2
         1: mov r3, r1
         ldm r12, {{r0, r2, r4, r6}}
         add r9, r8, r5
         add r10, r9, r5
         add r11, r10, r5
         dlstp.8 lr, r5
         2: vldrb.8 q0, [r3], #16
         vldrb.8 q1, [r8], #16
         vmladava.s8 r0, q0, q1
         vldrb.8 q2, [r9], #16
         vmladava.s8 r2, q0, q2
         vldrb.8 q1, [r10], #16
         vmladava.s8 r4, q0, q1
         vldrb.8 q2, [r11], #16
         vmladava.s8 r6, q0, q2
         letp lr, 2b
         vmov q0[2], q0[0], r0, r4
         vmov q0[3], q0[1], r2, r6
         vldrw.u32 q1, [r12, q4]
         vldrw.u32 q2, [r12, q5]
         vldrw.u32 q3, [r12, q6]
         vqrdmulh.s32 q0, q0, q1
         vshr.s32 q1, q0, #31
         vadd.i32 q0, q0, q1
         vadd.i32 q0, q0, q2
         vneg.s32 q3, q3
         vshl.s32 q0, q0, q3
         vqmovnb.s32 q0, q0
         vstrh.32 q0, [r7], #8
         ldrd r0, r2, [sp]
         add r8, r11, r0
         adds r12, #64
         cmp r12, r2
         bne 1b
         add sp, #8
         vpop {{d8-d13}}
         add sp, #4
         pop {{r4-r11, pc}}"
    )
}

const _: () = assert!(size_of::<Job>() == 28 && size_of::<Rows>() == 64 && size_of::<RowScale>() == 12);
