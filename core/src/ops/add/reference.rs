//! The formula as it is written.

use super::{Add, LEFT_SHIFT, LEFT_SHIFT_INT16};
use crate::Pair;
use crate::blob::Element;
use crate::ops::{Sides, elementwise};

impl Add {
    /// `a + b`, or `a - b`, of one element, not clamped.
    pub(crate) fn combination(&self, sides: Sides<'_>, minus: bool) -> impl Fn(i32, i32) -> i32 {
        let zero_points = [sides.input.zero_point(), sides.others[0].map_or(0, |tensor| tensor.zero_point())];
        let (add, zero_point, sign) = (*self, sides.output.zero_point(), if minus { -1i32 } else { 1 });
        let left = if sides.input.element() == Element::Int16 { LEFT_SHIFT_INT16 } else { LEFT_SHIFT };
        let scaled = move |at: usize, q: i32| add.inputs[at].apply((q - zero_points[at]).wrapping_shl(left));
        move |a, b| {
            let sum = scaled(0, a).wrapping_add(sign.wrapping_mul(scaled(1, b)));
            add.output.apply(sum).wrapping_add(zero_point)
        }
    }
}

/// int8 inputs of the output's shape, element by element.
pub fn run(add: &Add, minus: bool, sides: Sides<'_>, mut data: Pair<'_>) {
    let sum = add.combination(sides, minus);
    data.pieces(|[a, b], output| {
        for ((a, b), y) in a.iter().zip(b).zip(output) {
            *y = add.activation.clamp(sum(i32::from(*a), i32::from(*b)));
        }
    });
}

/// Any shapes: dimensions of 1 are repeated.
pub fn broadcast(add: &Add, minus: bool, sides: Sides<'_>, inputs: [&[i8]; 2], output: &mut [i8]) {
    elementwise::run_clamped(sides, inputs, output, add.activation, add.combination(sides, minus));
}
