//! Armv7E-M DSP instructions (Cortex-M4, M7; M33 with the DSP extension).

/// SMMULR: the upper 32 bits of `a * b`, rounded to nearest, ties upwards.
#[inline(always)]
pub fn smmulr(a: i32, b: i32) -> i32 {
    #[cfg(simd_dsp)]
    {
        let result;
        // SAFETY: one arithmetic instruction on registers; the build probe found the assembler to know it.
        #[allow(unsafe_code)]
        unsafe {
            core::arch::asm!("smmulr {}, {}, {}", out(reg) result, in(reg) a, in(reg) b,
                options(pure, nomem, nostack, preserves_flags))
        };
        result
    }
    #[cfg(not(simd_dsp))]
    {
        ((i64::from(a) * i64::from(b) + (1 << 31)) >> 32) as i32
    }
}
