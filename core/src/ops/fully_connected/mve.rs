//! Fully connected for Armv8.1-M MVE, Helium layout: rows that are whole blocks are read where they lie, others are copied.

use super::FullyConnected;
use crate::arch::mve::gather;
use crate::arch::mve::product::{BLOCK, Columns};
use crate::ops::{Sides, helium, parts, parts_mut};

/// Writes one output row per input row; `scratch` holds one input row.
pub fn run(dense: &FullyConnected<'_>, sides: Sides<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i16]) {
    let zero_point = sides.output.zero_point();
    if dense.inputs.is_multiple_of(BLOCK) {
        let count = input.len().checked_div(dense.inputs).unwrap_or(0);
        helium::multiply(&dense.weighted, Columns { bytes: input, step: dense.inputs, count }, zero_point, output);
        return;
    }
    let Some(column) = bytemuck::cast_slice_mut(scratch).get_mut(..dense.inputs.next_multiple_of(BLOCK)) else {
        return;
    };
    for (x, y) in parts(input, dense.inputs).zip(parts_mut(output, dense.weighted.channels.len())) {
        gather::copy(x, column);
        helium::multiply(&dense.weighted, Columns { bytes: column, step: 0, count: 1 }, zero_point, y);
    }
}
