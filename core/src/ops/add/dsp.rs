//! Sums for Armv7E-M DSP: by table, in one block of assembly.

use super::{Add, portable, tables};
use crate::Pair;
use crate::arch::dsp::bytes;
use crate::ops::Sides;
use crate::ops::dot_dsp::clamp;

/// Sum, or difference, of inputs of the output's shape.
pub fn run(add: &Add, minus: bool, sides: Sides<'_>, mut data: Pair<'_>, scratch: &mut [i16]) {
    let Some((tables, channel)) = tables::fill(add, minus, sides, scratch) else {
        return portable::short(add, minus, sides, data);
    };
    bytes::add(&mut data, tables, &channel);
    clamp(add.activation, data.output());
}
