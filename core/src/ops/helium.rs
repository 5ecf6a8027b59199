//! What convolution and fully connected share on Armv8.1-M MVE: columns times all channels, in the Helium layout.

use super::{Weighted, parts, parts_mut};
use crate::arch::mve::product::{self, BLOCK, Columns, Weights4};

/// The outputs of `columns`, one row of all channels each.
#[inline]
pub(crate) fn multiply(weighted: &Weighted<'_>, columns: Columns<'_>, zero_point: i32, output: &mut [i8]) {
    let (outputs, weights) = (weighted.channels.len(), weighted.weights.as_chunks::<BLOCK>().0.as_chunks::<4>().0);
    let depth = weights.len().checked_div(outputs.div_ceil(4)).unwrap_or(0);
    let mut done = 0;
    if weighted.is_bounded() {
        let groups = weighted.channels.as_chunks::<4>().0;
        let weights = weights.get(..groups.len() * depth).unwrap_or(&[]);
        let narrow = weighted.narrow;
        product::requantized(columns, weights, groups, narrow, weighted.activation, output, outputs);
        done = groups.len();
    }
    if 4 * done < outputs {
        finish(weighted, columns, parts(weights, depth), done, zero_point, output);
    }
}

/// Groups of channels from number `first` on by the general way: any shift and rounding, a last group that is not full.
fn finish<'w>(
    weighted: &Weighted<'_>,
    columns: Columns<'_>,
    groups: impl Iterator<Item = &'w [Weights4]> + Clone,
    first: usize,
    zero_point: i32,
    output: &mut [i8],
) {
    for (i, pixel) in parts_mut(output, weighted.channels.len()).enumerate().take(columns.count) {
        let column = columns.bytes.get(i * columns.step..).unwrap_or(&[]);
        let groups = pixel.chunks_mut(4).zip(weighted.channels.chunks(4)).zip(groups.clone()).skip(first);
        for ((values, channels), weights) in groups {
            let sums = product::sums(column, weights);
            for ((value, sum), channel) in values.iter_mut().zip(sums).zip(channels) {
                *value = weighted.finish_fast(sum.wrapping_add(channel.bias), channel, zero_point);
            }
        }
    }
}
