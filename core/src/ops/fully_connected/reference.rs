//! The formula as it is written, one element at a time.

use super::FullyConnected;
use crate::ops::{Sides, parts, parts_mut};

/// Writes one output row per input row.
pub fn run(dense: &FullyConnected<'_>, sides: Sides<'_>, input: &[i8], output: &mut [i8]) {
    let weighted = &dense.weighted;
    for (x, y) in parts(input, dense.inputs).zip(parts_mut(output, weighted.channels.len())) {
        for (o, (value, channel)) in y.iter_mut().zip(weighted.channels).enumerate() {
            let mut sum = channel.bias;
            for (i, q) in x.iter().enumerate() {
                let weight = weighted.weight(dense.quads(), [o, 0, i]);
                sum = sum.wrapping_add(i32::from(*q) * weight);
            }
            *value = weighted.finish(sum, channel, sides.output.zero_point());
        }
    }
}
