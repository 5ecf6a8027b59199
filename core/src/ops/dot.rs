//! The portable inner loop: one int16 column times the int8 weights of every output channel, natural layout.

use super::Weighted;
use crate::blob::Channel;

/// Requantized dot products of `column` with each channel's weights.
pub(crate) fn dot_channels(weighted: &Weighted<'_>, column: &[i16], zero_point: i32, output: &mut [i8]) {
    let finish =
        |sum: i32, channel: &Channel| weighted.finish_fast(sum.wrapping_add(channel.bias), channel, zero_point);
    let row = |o: usize| weighted.weights.get(o * column.len()..(o + 1) * column.len()).unwrap_or(&[]);
    let (blocks, rest) = output.as_chunks_mut::<4>();
    let (channel_blocks, channel_rest) = weighted.channels.as_chunks::<4>();
    let mut o = 0;
    for (block, channels) in blocks.iter_mut().zip(channel_blocks) {
        let sums = dot4(column, [row(o), row(o + 1), row(o + 2), row(o + 3)]);
        for ((value, sum), channel) in block.iter_mut().zip(sums).zip(channels) {
            *value = finish(sum, channel);
        }
        o += 4;
    }
    for ((value, channel), o) in rest.iter_mut().zip(channel_rest).zip(o..) {
        *value = finish(dot(column, row(o)), channel);
    }
}

#[inline(always)]
fn dot(column: &[i16], weights: &[i8]) -> i32 {
    column.iter().zip(weights).fold(0i32, |sum, (x, w)| sum.wrapping_add(i32::from(*x) * i32::from(*w)))
}

/// Four channels at once, so that each load of the column serves four products.
#[inline(always)]
pub(crate) fn dot4(column: &[i16], [a, b, c, d]: [&[i8]; 4]) -> [i32; 4] {
    let mut sums = [0i32; 4];
    for ((((x, a), b), c), d) in column.iter().zip(a).zip(b).zip(c).zip(d) {
        let x = i32::from(*x);
        let products = [x * i32::from(*a), x * i32::from(*b), x * i32::from(*c), x * i32::from(*d)];
        for (sum, product) in sums.iter_mut().zip(products) {
            *sum = sum.wrapping_add(product);
        }
    }
    sums
}
