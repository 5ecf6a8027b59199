//! The Armv7E-M DSP inner loop: columns of quads times the weights of every output channel, two channels at a time.

use super::{Weighted, parts_mut};
use crate::arch::dsp::blocks::{self, Pairs, Quad1, Quad4};
use crate::blob::{Activation, Channel, Layout};

/// The weights of an operator in a DSP layout; those of another are none.
pub(crate) fn pairs<'m>(weighted: &Weighted<'m>) -> Pairs<'m> {
    match weighted.layout {
        Layout::DspWide => Pairs::Wide(bytemuck::try_cast_slice(weighted.weights).unwrap_or(&[]).as_chunks().0),
        Layout::Dsp => Pairs::Narrow(weighted.weights.as_chunks().0),
        _ => Pairs::Narrow(&[]),
    }
}

/// All channels of four pixels, one after the other in `output`. Clamped to int8 only.
pub(crate) fn four_pixels(weighted: &Weighted<'_>, columns: &[Quad4], zero_point: i32, output: &mut [i8]) {
    let (channels, weights) = (weighted.channels, pairs(weighted));
    let mut done = 0;
    if weighted.bounded {
        let (whole, _) = channels.as_chunks::<2>();
        blocks::requantized_4x2(columns, weights, whole, output, channels.len());
        done = whole.len();
    }
    for (pair, channels) in channels.chunks(2).enumerate().skip(done) {
        let weights = weights.pair(pair, columns.len());
        let mut values = [0; 8];
        if weighted.bounded {
            blocks::requantized_4x2(columns, weights, &[both(channels)], &mut values, 2);
        } else {
            let [a, b] = blocks::sums_4x2(columns, weights);
            let sums = [a[0], b[0], a[1], b[1], a[2], b[2], a[3], b[3]];
            for ((value, sum), channel) in values.iter_mut().zip(sums).zip(channels.iter().cycle()) {
                *value = weighted.finish(sum.wrapping_add(channel.bias), channel, zero_point);
            }
        }
        for (pixel, values) in parts_mut(output, weighted.channels.len()).zip(values.as_chunks::<2>().0) {
            pixel.iter_mut().skip(pair * 2).zip(values).for_each(|(to, from)| *to = *from);
        }
    }
}

/// All channels of one pixel.
pub(crate) fn one_pixel(weighted: &Weighted<'_>, column: &[Quad1], zero_point: i32, output: &mut [i8]) {
    let (channels, weights) = (weighted.channels, pairs(weighted));
    let mut done = 0;
    if weighted.bounded {
        let (whole, _) = channels.as_chunks::<2>();
        blocks::requantized_1x2(column, weights, whole, output);
        done = whole.len();
    }
    let rest = channels.chunks(2).zip(output.chunks_mut(2)).enumerate().skip(done);
    for (pair, (channels, output)) in rest {
        let weights = weights.pair(pair, column.len());
        let mut values = [0; 2];
        if weighted.bounded {
            blocks::requantized_1x2(column, weights, &[both(channels)], &mut values);
        } else {
            let sums = blocks::sums_1x2(column, weights);
            for ((value, sum), channel) in values.iter_mut().zip(sums).zip(channels) {
                *value = weighted.finish(sum.wrapping_add(channel.bias), channel, zero_point);
            }
        }
        output.iter_mut().zip(values).for_each(|(to, from)| *to = from);
    }
}

/// A pair of which the second may be missing.
fn both(channels: &[Channel]) -> [Channel; 2] {
    let at = |i: usize| channels.get(i).copied().unwrap_or_default();
    [at(0), at(1)]
}

/// The blocks clamp to int8 only; a narrower activation is applied here.
pub(crate) fn clamp(activation: Activation, output: &mut [i8]) {
    if activation != Activation::NONE {
        crate::arch::dsp::bytes::clamp(activation, output);
    }
}
