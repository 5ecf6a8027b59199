//! The copies as assembly. Slices are checked to fit together by [`super::gather`], the only caller.
#![allow(unsafe_code)]

use core::arch::{asm, naked_asm};

use super::cpu::cpu;

/// What [`scatter_naked`] loads, in this order.
#[repr(C)]
struct Scatter {
    source: *const i8,
    to: *mut i8,
    /// Scatters of `bytes` bytes.
    groups: usize,
    bytes: usize,
    to_step: usize,
    /// Bytes of a last one.
    rest: usize,
    offsets: [u8; 16],
}

/// `together` pixels of `pixel` bytes at a time, which go `step` bytes apart.
pub fn scatter(source: &[i8], [together, pixel, step]: [usize; 3], offsets: &[u8; 16], count: usize, to: &mut [i8]) {
    let groups = count.checked_div(together).unwrap_or(0);
    let job = Scatter {
        source: source.as_ptr(),
        to: to.as_mut_ptr(),
        groups,
        bytes: together * pixel,
        to_step: together * step,
        rest: (count - groups * together) * pixel,
        offsets: *offsets,
    };
    // SAFETY: the caller has checked that `source` holds `count` pixels without gaps, and `to` as many `step` apart; loads and
    // stores are predicated to the bytes of pixels, which the offsets put in their places.
    unsafe { scatter_naked(&job) };
}

/// # Safety
/// See the only caller.
#[unsafe(naked)]
unsafe extern "C" fn scatter_naked(job: *const Scatter) {
    naked_asm!(
        cpu!(),
        "push {{r4-r6, lr}}
         ldm r0!, {{r1-r6}}
         vldrb.u8 q0, [r0]
         vctp.8 r4
         wls lr, r3, 2f
         1: vpstt
         vldrbt.u8 q1, [r1]
         vstrbt.8 q1, [r2, q0]
         add r1, r4
         add r2, r5
         le lr, 1b
         2: vctp.8 r6
         vpstt
         vldrbt.u8 q1, [r1]
         vstrbt.8 q1, [r2, q0]
         pop {{r4-r6, pc}}"
    )
}

/// Pixels of `pixel` (> 0) bytes; those of more than 16 in pieces, the last of which may overlap the one before.
pub fn pixels(source: &[i8], pixel: usize, steps: [usize; 2], count: usize, to: &mut [i8]) {
    let (mut at, bytes) = (0, pixel.min(16));
    loop {
        // SAFETY: the caller has checked that both slices hold `count` (> 0) pixels at multiples of their steps; a piece of
        // `bytes` bytes lies within a pixel, and loads and stores are predicated to it.
        unsafe { pieces(source.as_ptr().wrapping_add(at), to.as_mut_ptr().wrapping_add(at), bytes, count, &steps) };
        let next = (at + 16).min(pixel - bytes);
        if next == at {
            return;
        }
        at = next;
    }
}

/// # Safety
/// See the only caller.
#[unsafe(naked)]
unsafe extern "C" fn pieces(source: *const i8, to: *mut i8, bytes: usize, count: usize, steps: &[usize; 2]) {
    naked_asm!(
        cpu!(),
        "push {{r4, lr}}
         ldr r12, [sp, #8]
         ldrd r4, r12, [r12]
         dls lr, r3
         cmp r2, #16
         bne 2f
         1: vldrb.u8 q0, [r0]
         add r0, r4
         vstrb.8 q0, [r1]
         add r1, r12
         le lr, 1b
         pop {{r4, pc}}
         2: vctp.8 r2
         3: vpstt
         vldrbt.u8 q0, [r0]
         vstrbt.8 q0, [r1]
         add r0, r4
         add r1, r12
         le lr, 3b
         pop {{r4, pc}}"
    )
}

pub fn copy(source: &[i8], to: &mut [i8]) {
    // SAFETY: reads and writes as many bytes as both slices have, predicated.
    unsafe {
        asm!(
            "wlstp.8 lr, {count}, 2f
             1: vldrb.8 q0, [{x}], #16
             vstrb.8 q0, [{y}], #16
             letp lr, 1b
             2:",
            x = inout(reg) source.as_ptr() => _,
            y = inout(reg) to.as_mut_ptr() => _,
            count = in(reg) source.len().min(to.len()),
            out("lr") _, out("q0") _,
            options(nostack)
        )
    }
}

pub fn fill(to: &mut [i8], value: i8) {
    // SAFETY: writes as many bytes as the slice has, predicated.
    unsafe {
        asm!(
            "vdup.8 q0, {value}
             wlstp.8 lr, {count}, 2f
             1: vstrb.8 q0, [{y}], #16
             letp lr, 1b
             2:",
            y = inout(reg) to.as_mut_ptr() => _,
            count = in(reg) to.len(),
            value = in(reg) i32::from(value),
            out("lr") _, out("q0") _,
            options(nostack)
        )
    }
}

const _: () = assert!(size_of::<Scatter>() == 40);
