//! Fully connected for any machine, natural layout.

use super::FullyConnected;
use crate::ops::dot::dot_channels;
use crate::ops::{Sides, parts, parts_mut};

/// Writes one output row per input row; `scratch` holds one input row.
pub fn run(dense: &FullyConnected<'_>, sides: Sides<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i16]) {
    let Some(column) = scratch.get_mut(..dense.inputs) else { return };
    let outputs = dense.weighted.channels.len();
    for (x, y) in parts(input, dense.inputs).zip(parts_mut(output, outputs)) {
        for (q, wide) in x.iter().zip(column.iter_mut()) {
            *wide = i16::from(*q);
        }
        dot_channels(&dense.weighted, column, sides.output.zero_point(), y);
    }
}
