//! The formula as it is written.

use super::{Add, LEFT_SHIFT};
use crate::ops::{Sides, elementwise};

/// One element.
fn sum(add: &Add, sides: Sides<'_>) -> impl Fn(i32, i32) -> i8 {
    let zero_points = [sides.input.zero_point(), sides.others[0].map_or(0, |tensor| tensor.zero_point())];
    let (add, zero_point) = (*add, sides.output.zero_point());
    let scaled = move |at: usize, q: i32| add.inputs[at].apply((q - zero_points[at]) << LEFT_SHIFT);
    move |a, b| {
        let sum = add.output.apply(scaled(0, a).wrapping_add(scaled(1, b)));
        add.activation.clamp(sum.wrapping_add(zero_point))
    }
}

/// Inputs of the output's shape, element by element.
pub fn run(add: &Add, sides: Sides<'_>, [a, b]: [&[i8]; 2], output: &mut [i8]) {
    let sum = sum(add, sides);
    for ((a, b), y) in a.iter().zip(b).zip(output) {
        *y = sum(i32::from(*a), i32::from(*b));
    }
}

/// Any shapes: dimensions of 1 are repeated.
pub fn broadcast(add: &Add, sides: Sides<'_>, inputs: [&[i8]; 2], output: &mut [i8]) {
    elementwise::run(sides, inputs, output, sum(add, sides));
}
