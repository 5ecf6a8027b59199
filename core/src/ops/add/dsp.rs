//! Sums for Armv7E-M DSP: by table, in one block of assembly.

use super::{Add, portable, tables};
use crate::arch::dsp::bytes;
use crate::ops::Sides;
use crate::ops::dot_dsp::clamp;

/// Sum, or difference, of inputs of the output's shape.
pub fn run(add: &Add, minus: bool, sides: Sides<'_>, inputs: [&[i8]; 2], output: &mut [i8], scratch: &mut [i16]) {
    let Some((tables, channel)) = tables::fill(add, minus, sides, scratch) else {
        return portable::short(add, minus, sides, inputs, output);
    };
    bytes::add(inputs[0], inputs[1], tables, &channel, output);
    clamp(add.activation, output);
}
