//! The same by table where there is scratch for it, else with short multiplications: all numbers are below 2^29 and all
//! multipliers below one.

use super::{Add, LEFT_SHIFT, tables};
use crate::Pair;
use crate::arch::dsp::bytes::Tables;
use crate::blob::Channel;
use crate::ops::Sides;
use crate::quantized::requantize_doubled_bounded;

/// Sum, or difference, of inputs of the output's shape.
pub fn run(add: &Add, minus: bool, sides: Sides<'_>, mut data: Pair<'_>, scratch: &mut [i16]) {
    match tables::fill(add, minus, sides, scratch) {
        Some((tables, channel)) => data.pieces(|inputs, output| by_table(add, tables, &channel, inputs, output)),
        None => short(add, minus, sides, data),
    }
}

fn by_table(add: &Add, [left, right]: &Tables, channel: &Channel, [a, b]: [&[i8]; 2], output: &mut [i8]) {
    for ((a, b), y) in a.iter().zip(b).zip(output) {
        let sum = left[usize::from(*a as u8)].wrapping_add(right[usize::from(*b as u8)]);
        *y = add.activation.clamp(requantize_doubled_bounded(sum, channel));
    }
}

/// Element by element.
pub(crate) fn short(add: &Add, minus: bool, sides: Sides<'_>, mut data: Pair<'_>) {
    let zero_points = [sides.input.zero_point(), sides.others[0].map_or(0, |tensor| tensor.zero_point())];
    let [zero_a, zero_b] = zero_points.map(|zero_point| zero_point << LEFT_SHIFT);
    let ([scale_a, scale_b], scale) = (add.inputs.map(|input| input.apply_short()), add.output.apply_short());
    let (zero_point, sign) = (sides.output.zero_point(), if minus { -1 } else { 1 });
    data.pieces(|[a, b], output| {
        for ((a, b), y) in a.iter().zip(b).zip(output) {
            let a = scale_a((i32::from(*a) << LEFT_SHIFT).wrapping_sub(zero_a));
            let b = scale_b((i32::from(*b) << LEFT_SHIFT).wrapping_sub(zero_b)).wrapping_mul(sign);
            *y = add.activation.clamp(scale(a.wrapping_add(b)).wrapping_add(zero_point));
        }
    });
}
