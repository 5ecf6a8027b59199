//! The way of a sum to int8, and the header of naked functions: text that the blocks of assembly share.

/// Naked functions do not see the target's CPU: the assembler takes the triple's, and on Armv8-M that is without DSP.
#[cfg(armv8m)]
macro_rules! cpu {
    () => {
        ".cpu cortex-m33"
    };
}

#[cfg(not(armv8m))]
macro_rules! cpu {
    () => {
        ""
    };
}

/// A doubled sum to int8: multiplier in `$m`, rounding constant in `$k`, right shift in `$r`; `$t` is free. See `quantized`.
macro_rules! requantize_wide {
    ($sum:literal, $t:literal, $m:literal, $k:literal, $r:literal) => {
        concat!(
            "add ",
            $t,
            ", ",
            $k,
            ", ",
            $sum,
            ", asr #31
             smmlar ",
            $sum,
            ", ",
            $sum,
            ", ",
            $m,
            ", ",
            $t,
            "
             asr ",
            $sum,
            ", ",
            $sum,
            ", ",
            $r,
            "
             ssat ",
            $sum,
            ", #8, ",
            $sum,
            "
            "
        )
    };
}

macro_rules! requantize_narrow {
    ($sum:literal, $t:literal, $m:literal, $k:literal, $r:literal) => {
        concat!("lsl ", $sum, ", ", $sum, ", #1\n", requantize_wide!($sum, $t, $m, $k, $r))
    };
}

/// The shift of a record as it is stored, made one to the right.
macro_rules! shift_wide {
    ($r:literal) => {
        ""
    };
}

macro_rules! shift_narrow {
    ($r:literal) => {
        concat!("rsb ", $r, ", ", $r, ", #0\n")
    };
}

pub(super) use {cpu, requantize_narrow, requantize_wide, shift_narrow, shift_wide};
