//! The loops as assembly. Slices are checked to fit together by [`super::elementwise`], the only caller.
#![allow(unsafe_code)]

use core::arch::{asm, naked_asm};

use super::cpu::cpu;
use super::elementwise::Sum;
use crate::Pair;
use crate::blob::Activation;
use crate::ops::add::LEFT_SHIFT;
use crate::quantized::Multiplier;

pub fn clamp(values: &mut [i8], activation: Activation) {
    // SAFETY: reads and writes as many bytes as the slice has, predicated.
    unsafe {
        asm!(
            "vdup.8 q1, {min}
             vdup.8 q2, {max}
             wlstp.8 lr, {count}, 2f
             1: vldrb.u8 q0, [{y}]
             vmax.s8 q0, q0, q1
             vmin.s8 q0, q0, q2
             vstrb.8 q0, [{y}], #16
             letp lr, 1b
             2:",
            y = inout(reg) values.as_mut_ptr() => _,
            count = in(reg) values.len(),
            min = in(reg) i32::from(activation.min),
            max = in(reg) i32::from(activation.max),
            out("lr") _, out("q0") _, out("q1") _, out("q2") _,
            options(nostack)
        )
    }
}

/// One input of a sum.
#[repr(C)]
struct Term {
    zero_point: i32,
    half: i32,
    multiplier: i32,
    shift: i32,
}

/// What the naked function loads, in this order.
#[repr(C)]
struct Job {
    /// For each input whether its last rounding has ties: -1 or 0.
    ties: [i32; 2],
    rounding: i32,
    count: usize,
    a: *const i8,
    b: *const i8,
    output: *mut i8,
    terms: [Term; 2],
    multiplier: i32,
    /// To the left, 24 more than to the output.
    shift: i32,
}

pub fn add(sum: &Sum, data: &mut Pair<'_>) {
    let term = |zero_point: i32, Multiplier { multiplier, shift }: Multiplier| {
        // Without a second rounding there are neither ties nor a half to add.
        let half = if shift == 0 { 0 } else { 1i32.wrapping_shl(shift.wrapping_neg().wrapping_sub(1) as u32) };
        Term { zero_point: zero_point << LEFT_SHIFT, half, multiplier, shift }
    };
    let ([a, b], output, count) = data.pointers();
    let job = Job {
        ties: sum.inputs.map(|input| if input.shift == 0 { 0 } else { -1 }),
        rounding: sum.rounding,
        count,
        a,
        b,
        output,
        terms: [term(sum.zero_points[0], sum.inputs[0]), term(sum.zero_points[1], sum.inputs[1])],
        multiplier: sum.output.multiplier,
        shift: sum.output.shift.wrapping_add(24),
    };
    if count > 0 {
        // SAFETY: a pair's inputs and output are equally long; loads and stores are predicated to their elements. Where an input is the
        // output, elements are read before they are written.
        unsafe { add_naked(&job) };
    }
}

/// An input (r0 or r1) to the common scale.
macro_rules! scaled {
    ($from:literal, $x:literal, $y:literal, $ties:literal, $zero:literal, $half:literal, $multiplier:literal, $shift:literal) => {
        concat!(
            "vldrb.s32 ",
            $x,
            ", [",
            $from,
            "], #4
             vshl.i32 ",
            $x,
            ", ",
            $x,
            ", #20
             vsub.i32 ",
            $x,
            ", ",
            $x,
            ", ",
            $zero,
            "
             vshr.s32 ",
            $y,
            ", ",
            $x,
            ", #31
             vand ",
            $y,
            ", ",
            $y,
            ", ",
            $ties,
            "
             vadd.i32 ",
            $y,
            ", ",
            $y,
            ", ",
            $half,
            "
             vqrdmlah.s32 ",
            $y,
            ", ",
            $x,
            ", ",
            $multiplier,
            "
             vshl.s32 ",
            $y,
            ", ",
            $shift,
            "
            "
        )
    };
}

/// # Safety
/// See the only caller.
#[unsafe(naked)]
unsafe extern "C" fn add_naked(job: *const Job) {
    // The common scale as in `Multiplier::apply_short`, the output as in `quantized::requantize_bounded`; the last shifts saturate
    // to int8.
    naked_asm!(
        cpu!(),
        "vpush {{d8-d15}}
         push {{r4-r12, lr}}
         ldm r0!, {{r1-r4}}
         vdup.32 q4, r1
         vdup.32 q5, r2
         vdup.32 q6, r3
         mov lr, r4
         ldm r0, {{r0-r12}}
         dlstp.32 lr, lr
         1:",
        scaled!("r0", "q0", "q1", "q4", "r3", "r4", "r5", "r6"),
        scaled!("r1", "q2", "q3", "q5", "r7", "r8", "r9", "r10"),
        "vadd.i32 q1, q1, q3
         vshr.s32 q0, q1, #31
         vadd.i32 q0, q0, q6
         vqrdmlah.s32 q0, q1, r11
         vqshl.s32 q0, r12
         vshr.s32 q0, q0, #24
         vstrb.32 q0, [r2], #4
         letp lr, 1b
         pop {{r4-r12, lr}}
         vpop {{d8-d15}}
         bx lr"
    )
}

const _: () = assert!(size_of::<Job>() == 4 * 17 && LEFT_SHIFT == 20);
