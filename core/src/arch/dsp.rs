//! Armv7E-M DSP instructions (Cortex-M4, M7; M33 with the DSP extension), and the [`blocks`], [`planes`], [`strips`] and [`bytes`] made of
//! them.
//!
//! On a target without them each function is the same arithmetic in plain Rust, so that whatever is built on top
//! (packing, tails, layout) is tested on any machine.

pub mod blocks;
pub mod bytes;
#[cfg(simd_dsp)]
mod bytes_asm;
#[cfg(not(simd_dsp))]
mod emulated;
#[cfg(simd_dsp)]
mod four_pixels_asm;
#[cfg(simd_dsp)]
mod gather_asm;
#[cfg(simd_dsp)]
mod macros_asm;
#[cfg(simd_dsp)]
mod one_pixel_asm;
pub mod planes;
#[cfg(simd_dsp)]
mod planes_asm;
pub mod rows;
#[cfg(simd_dsp)]
mod rows_asm;
#[cfg(simd_dsp)]
mod split_asm;
pub mod strips;
#[cfg(simd_dsp)]
mod sweep_asm;

#[cfg(simd_dsp)]
use macros_asm::{cpu, requantize_narrow, requantize_wide, shift_narrow, shift_wide};

/// One instruction on registers, the result first.
#[cfg(simd_dsp)]
macro_rules! instruction {
    ($text:literal, $($operand:expr),*) => {{
        let result;
        // SAFETY: one arithmetic instruction on registers; the build probe found the assembler to know it.
        #[allow(unsafe_code)]
        unsafe {
            core::arch::asm!($text, lateout(reg) result, $(in(reg) $operand,)*
                options(pure, nomem, nostack, preserves_flags))
        };
        result
    }};
}

pub mod cell;

/// SMMLAR: `sum` + the upper 32 bits of `a * b`, rounded to nearest, ties upwards.
#[inline(always)]
pub fn smmlar(a: i32, b: i32, sum: i32) -> i32 {
    #[cfg(simd_dsp)]
    return instruction!("smmlar {}, {}, {}, {}", a, b, sum);
    #[cfg(not(simd_dsp))]
    return sum.wrapping_add(((i64::from(a) * i64::from(b) + (1 << 31)) >> 32) as i32);
}

/// SXTB16: bytes 0 and 2 of `x`, each sign-extended to 16 bits (low half: byte 0).
#[inline(always)]
pub fn sxtb16(x: u32) -> u32 {
    #[cfg(simd_dsp)]
    return instruction!("sxtb16 {}, {}", x);
    #[cfg(not(simd_dsp))]
    {
        let [a, _, b, _] = x.to_le_bytes();
        halves(i16::from(a as i8), i16::from(b as i8))
    }
}

/// SXTB16 of `x` rotated right by 8: bytes 1 and 3.
#[inline(always)]
pub fn sxtb16_ror8(x: u32) -> u32 {
    #[cfg(simd_dsp)]
    return instruction!("sxtb16 {}, {}, ror #8", x);
    #[cfg(not(simd_dsp))]
    return sxtb16(x.rotate_right(8));
}

/// SADD16: sums of the low and of the high halves.
#[inline(always)]
pub fn sadd16(a: u32, b: u32) -> u32 {
    #[cfg(simd_dsp)]
    return instruction!("sadd16 {}, {}, {}", a, b);
    #[cfg(not(simd_dsp))]
    return (a & 0xffff).wrapping_add(b) & 0xffff | (a >> 16).wrapping_add(b >> 16) << 16;
}

/// Two 16-bit numbers in one word.
#[inline(always)]
pub fn halves(low: i16, high: i16) -> u32 {
    u32::from(low as u16) | u32::from(high as u16) << 16
}

/// SMLAD: `sum` + product of the low halves + product of the high halves.
#[inline(always)]
pub fn smlad(a: u32, b: u32, sum: i32) -> i32 {
    #[cfg(simd_dsp)]
    return instruction!("smlad {}, {}, {}, {}", a, b, sum);
    #[cfg(not(simd_dsp))]
    smlad_emulated(a, b, sum)
}

#[cfg(not(simd_dsp))]
fn smlad_emulated(a: u32, b: u32, sum: i32) -> i32 {
    let product = |shift: u32| i32::from((a >> shift) as i16) * i32::from((b >> shift) as i16);
    sum.wrapping_add(product(0)).wrapping_add(product(16))
}
