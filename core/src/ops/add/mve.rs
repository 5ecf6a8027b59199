//! For Armv8.1-M MVE, four elements at a time.

use super::Add;
use crate::Pair;
use crate::arch::mve::elementwise::{self, Sum};
use crate::blob::Activation;
use crate::ops::Sides;
use crate::quantized::{is_bounded_shift, rounding_constant};

/// Tensors of one shape, element by element.
pub fn run(add: &Add, minus: bool, sides: Sides<'_>, mut data: Pair<'_>, scratch: &mut [i16]) {
    if minus || !is_bounded_shift(add.output.shift) {
        return super::portable::run(add, minus, sides, data, scratch);
    }
    let sum = Sum {
        zero_points: [sides.input.zero_point(), sides.others[0].map_or(0, |tensor| tensor.zero_point())],
        inputs: add.inputs,
        output: add.output,
        rounding: rounding_constant(add.output.shift, sides.output.zero_point()),
    };
    elementwise::add(&sum, &mut data);
    if add.activation != Activation::NONE {
        elementwise::clamp(data.output(), add.activation);
    }
}
