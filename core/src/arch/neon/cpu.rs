//! Loads and numbers in registers.
#![allow(unsafe_code)]

use core::arch::aarch64::{int8x8_t, int8x16_t, int32x4_t};
use core::arch::asm;

/// Sixteen bytes.
///
/// # Safety
/// They can be read.
#[inline(always)]
pub unsafe fn load(from: *const i8) -> int8x16_t {
    let value;
    // SAFETY: one load of what the caller says can be read.
    unsafe { asm!("ldr {:q}, [{}]", out(vreg) value, in(reg) from, options(pure, readonly, nostack, preserves_flags)) };
    value
}

/// Eight bytes.
///
/// # Safety
/// They can be read.
#[inline(always)]
pub unsafe fn load8(from: *const i8) -> int8x8_t {
    let value;
    // SAFETY: one load of what the caller says can be read.
    unsafe { asm!("ldr {:d}, [{}]", out(vreg) value, in(reg) from, options(pure, readonly, nostack, preserves_flags)) };
    value
}

/// Sixty-four bytes.
///
/// # Safety
/// They can be read.
#[inline(always)]
pub unsafe fn load4(from: *const i8) -> [int8x16_t; 4] {
    let (a, b, c, d);
    // SAFETY: two loads of what the caller says can be read.
    unsafe {
        asm!("ldp {:q}, {:q}, [{from}]", "ldp {:q}, {:q}, [{from}, #32]",
            out(vreg) a, out(vreg) b, lateout(vreg) c, lateout(vreg) d, from = in(reg) from,
            options(pure, readonly, nostack, preserves_flags))
    };
    [a, b, c, d]
}

/// Four numbers at a multiple of 4.
#[inline(always)]
pub fn numbers(from: [i32; 4]) -> int32x4_t {
    // SAFETY: both are sixteen bytes of numbers.
    unsafe { core::mem::transmute(from) }
}
