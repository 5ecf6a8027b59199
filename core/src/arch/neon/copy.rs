//! Copies of few bytes: into columns (im2col).

#![allow(unsafe_code)]

use core::arch::asm;

/// Copies the bytes of a register of `$size` and steps.
macro_rules! step {
    ($register:literal, $from:expr, $to:expr) => {
        // SAFETY: the caller of `copy` has checked that both sides have the bytes.
        unsafe {
            asm!(concat!("ldr {v:", $register, "}, [{from}]"), concat!("str {v:", $register, "}, [{to}]"),
                v = out(vreg) _, from = in(reg) $from, to = in(reg) $to, options(nostack, preserves_flags))
        }
    };
}

/// As many bytes as both have. Pieces overlap where the length is no multiple of their size.
#[inline(always)]
pub fn copy(source: &[i8], to: &mut [i8]) {
    let length = source.len().min(to.len());
    let (from, to) = (source.as_ptr(), to.as_mut_ptr());
    let (end, to_end) = (from.wrapping_add(length), to.wrapping_add(length));
    match length {
        16.. => {
            for at in (0..length - 15).step_by(16) {
                step!("q", from.wrapping_add(at), to.wrapping_add(at));
            }
            if !length.is_multiple_of(16) {
                step!("q", end.wrapping_sub(16), to_end.wrapping_sub(16));
            }
        }
        8.. => {
            step!("d", from, to);
            step!("d", end.wrapping_sub(8), to_end.wrapping_sub(8));
        }
        4.. => {
            step!("s", from, to);
            step!("s", end.wrapping_sub(4), to_end.wrapping_sub(4));
        }
        2.. => {
            step!("h", from, to);
            step!("h", end.wrapping_sub(2), to_end.wrapping_sub(2));
        }
        1 => step!("b", from, to),
        0 => {}
    }
}
