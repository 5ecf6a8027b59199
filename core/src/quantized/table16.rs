//! Logistic and tanh of int16 by a table with interpolation, as TFLite Micro and CMSIS-NN have them.
//!
//! Both come from one table of the logistic at multiples of 1/24, since tanh(x) = 2 logistic(2 x) - 1, and both are computed on
//! the magnitude. Source: TFLite `reference_integer_ops::Logistic` and `Tanh` for int16.

use crate::arch::dsp::cell::interpolated;

/// 65536 / (1 + e^(-i / 24)), the specification's own numbers: not all are the nearest ones.
pub const LOGISTIC: [u16; 256] = [
    32768, 33451, 34133, 34813, 35493, 36169, 36843, 37513, 38180, 38841, 39498, 40149, 40794, 41432, 42064, 42688,
    43304, 43912, 44511, 45102, 45683, 46255, 46817, 47369, 47911, 48443, 48964, 49475, 49975, 50464, 50942, 51409,
    51865, 52311, 52745, 53169, 53581, 53983, 54374, 54755, 55125, 55485, 55834, 56174, 56503, 56823, 57133, 57433,
    57724, 58007, 58280, 58544, 58800, 59048, 59288, 59519, 59743, 59959, 60168, 60370, 60565, 60753, 60935, 61110,
    61279, 61441, 61599, 61750, 61896, 62036, 62172, 62302, 62428, 62549, 62666, 62778, 62886, 62990, 63090, 63186,
    63279, 63368, 63454, 63536, 63615, 63691, 63765, 63835, 63903, 63968, 64030, 64090, 64148, 64204, 64257, 64308,
    64357, 64405, 64450, 64494, 64536, 64576, 64614, 64652, 64687, 64721, 64754, 64786, 64816, 64845, 64873, 64900,
    64926, 64950, 64974, 64997, 65019, 65039, 65060, 65079, 65097, 65115, 65132, 65149, 65164, 65179, 65194, 65208,
    65221, 65234, 65246, 65258, 65269, 65280, 65291, 65301, 65310, 65319, 65328, 65337, 65345, 65352, 65360, 65367,
    65374, 65381, 65387, 65393, 65399, 65404, 65410, 65415, 65420, 65425, 65429, 65433, 65438, 65442, 65445, 65449,
    65453, 65456, 65459, 65462, 65465, 65468, 65471, 65474, 65476, 65479, 65481, 65483, 65485, 65488, 65489, 65491,
    65493, 65495, 65497, 65498, 65500, 65501, 65503, 65504, 65505, 65507, 65508, 65509, 65510, 65511, 65512, 65513,
    65514, 65515, 65516, 65517, 65517, 65518, 65519, 65520, 65520, 65521, 65522, 65522, 65523, 65523, 65524, 65524,
    65525, 65525, 65526, 65526, 65526, 65527, 65527, 65528, 65528, 65528, 65529, 65529, 65529, 65529, 65530, 65530,
    65530, 65530, 65531, 65531, 65531, 65531, 65531, 65532, 65532, 65532, 65532, 65532, 65532, 65533, 65533, 65533,
    65533, 65533, 65533, 65533, 65533, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65535,
];

/// Per place of the table: its value less one half in the upper 16 bits, the step to the next place in the lower ones. The last
/// place has no step: it stands for everything beyond.
const STEPS: [u32; 256] = {
    let mut steps = [0; 256];
    let mut i = 0;
    while i < 256 {
        let step = if i < 255 { LOGISTIC[i + 1] - LOGISTIC[i] } else { 0 };
        steps[i] = ((LOGISTIC[i] - 0x8000) as u32) << 16 | step as u32;
        i += 1;
    }
    steps
};

/// 1 / (1 + e^-x) with 15 fractional bits for x with 12 fractional bits.
#[inline(always)]
pub fn logistic(x: i16) -> i16 {
    logistic_of(3 * i32::from(x))
}

/// The same of x / 3.
#[inline(always)]
pub(crate) fn logistic_of(x: i32) -> i16 {
    // What is above one half, in 2^-25. Of -x it is that of x inverted, which makes ties of both round upwards.
    (interpolated::<9>(&STEPS, x).wrapping_add((1 << 24) + (1 << 9)) >> 10) as i16
}

/// tanh(x) with 15 fractional bits for x with 15 - `BITS` fractional bits, brought to 12 with `factor` = 3 * 2^left and
/// `right` as [`tanh_scale`] gives them.
#[inline(always)]
pub fn tanh(x: i16, factor: i32, right: u32) -> i16 {
    let rounding = 1i32.wrapping_shl(right) >> 1;
    tanh_of(i32::from(x).wrapping_mul(factor).wrapping_add(rounding).wrapping_shr(right))
}

/// tanh(x / 3) with 15 fractional bits for x with 12 fractional bits.
#[inline(always)]
pub(crate) fn tanh_of(x: i32) -> i16 {
    (interpolated::<8>(&STEPS, x).wrapping_add(1 << 7) >> 8) as i16
}

/// What [`tanh`] multiplies and shifts by for an input with `integer_bits` (0 to 6) before the point.
#[inline(always)]
pub const fn tanh_scale(integer_bits: u32) -> (i32, u32) {
    if integer_bits >= 3 { (3 << (integer_bits - 3), 0) } else { (3, 3 - integer_bits) }
}
