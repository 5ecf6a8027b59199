//! The formula as it is written.

use super::{Add, LEFT_SHIFT};
use crate::ops::Sides;

/// Any shape, element by element.
pub fn run(add: &Add, sides: Sides<'_>, [a, b]: [&[i8]; 2], output: &mut [i8]) {
    let zero_points = [sides.input.zero_point(), sides.others[0].map_or(0, |tensor| tensor.zero_point())];
    let scaled = |at: usize, q: i8| add.inputs[at].apply((i32::from(q) - zero_points[at]) << LEFT_SHIFT);
    for ((a, b), y) in a.iter().zip(b).zip(output) {
        let sum = add.output.apply(scaled(0, *a).wrapping_add(scaled(1, *b)));
        *y = add.activation.clamp(sum.wrapping_add(sides.output.zero_point()));
    }
}
