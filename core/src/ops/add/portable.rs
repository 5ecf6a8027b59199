//! The same with short multiplications: all numbers are below 2^29 and all multipliers below one.

use super::{Add, LEFT_SHIFT};
use crate::ops::Sides;

/// Any shape, element by element.
pub fn run(add: &Add, sides: Sides<'_>, [a, b]: [&[i8]; 2], output: &mut [i8]) {
    let zero_points = [sides.input.zero_point(), sides.others[0].map_or(0, |tensor| tensor.zero_point())];
    let [zero_a, zero_b] = zero_points.map(|zero_point| zero_point << LEFT_SHIFT);
    let ([scale_a, scale_b], scale) = (add.inputs.map(|input| input.apply_short()), add.output.apply_short());
    let zero_point = sides.output.zero_point();
    for ((a, b), y) in a.iter().zip(b).zip(output) {
        let a = scale_a((i32::from(*a) << LEFT_SHIFT).wrapping_sub(zero_a));
        let b = scale_b((i32::from(*b) << LEFT_SHIFT).wrapping_sub(zero_b));
        *y = add.activation.clamp(scale(a.wrapping_add(b)).wrapping_add(zero_point));
    }
}
