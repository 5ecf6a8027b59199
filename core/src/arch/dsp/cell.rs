//! What the cells of recurrent operators are made of: saturating sums, and interpolation in a table.

/// `table[|x| >> BITS]`, where the last place serves for everything beyond, with its step to the next place taken as far as the
/// lower bits of |x| say: the upper 16 bits of an entry, times 2^`BITS`, plus these bits times the lower 16 bits. Negative x give
/// the result with all bits inverted. The upper half of an entry is below 2^15, as are `BITS` bits of x.
#[inline(always)]
pub fn interpolated<const BITS: u32>(table: &[u32; 256], x: i32) -> i32 {
    const { assert!(BITS < 15) };
    #[cfg(simd_dsp)]
    {
        let result;
        // SAFETY: reads one of 256 entries, since the place is saturated to 8 bits.
        #[allow(unsafe_code)]
        unsafe {
            core::arch::asm!(
                "eor {a}, {x}, {x}, asr #31
                 sub {a}, {a}, {x}, asr #31
                 usat {place}, #8, {a}, asr #{bits}
                 ldr {place}, [{table}, {place}, lsl #2]
                 ubfx {a}, {a}, #0, #{bits}
                 smulbb {a}, {a}, {place}
                 lsr {place}, {place}, #16
                 add {a}, {a}, {place}, lsl #{bits}
                 eor {a}, {a}, {x}, asr #31",
                x = in(reg) x, table = in(reg) table.as_ptr(), bits = const BITS,
                a = out(reg) result, place = out(reg) _,
                options(pure, readonly, nostack)
            )
        };
        result
    }
    #[cfg(not(simd_dsp))]
    {
        let sign = x >> 31;
        let magnitude = (x ^ sign).wrapping_sub(sign);
        let entry = table[(magnitude >> BITS).clamp(0, 255) as usize];
        let within = magnitude & ((1 << BITS) - 1);
        (((entry >> 16) << BITS) as i32).wrapping_add(within.wrapping_mul((entry & 0xffff) as i32)) ^ sign
    }
}

/// `factor` times the saturated sums of `a` and `b`.
#[inline(always)]
pub fn scaled_sums(a: [i16; 4], b: [i16; 4], factor: i16) -> [i32; 4] {
    #[cfg(simd_dsp)]
    {
        let factor = factor as u16 as u32;
        let ([a, b], [c, d]): ([u32; 2], [u32; 2]) = (bytemuck::cast(a), bytemuck::cast(b));
        let (x, y): (u32, u32) = (instruction!("qadd16 {}, {}, {}", a, c), instruction!("qadd16 {}, {}, {}", b, d));
        let low = |word: u32| instruction!("smulbb {}, {}, {}", word, factor);
        let high = |word: u32| instruction!("smultb {}, {}, {}", word, factor);
        [low(x), high(x), low(y), high(y)]
    }
    #[cfg(not(simd_dsp))]
    {
        let mut sums = [0; 4];
        let pairs = a.iter().zip(b);
        sums.iter_mut().zip(pairs).for_each(|(sum, (a, b))| *sum = i32::from(a.saturating_add(b)) * i32::from(factor));
        sums
    }
}
