//! The portable inner loop: one int16 column times the int8 weights of every output channel, natural layout.

use super::Weighted;
use crate::blob::Channel;

/// Requantized dot products of `column` with each channel's weights.
pub(crate) fn dot_channels(weighted: &Weighted<'_>, column: &[i16], zero_point: i32, output: &mut [i8]) {
    let taps = column.len();
    let finish =
        |sum: i32, channel: &Channel| weighted.finish_fast(sum.wrapping_add(channel.bias), channel, zero_point);
    let (blocks, rest) = output.as_chunks_mut::<4>();
    let done = blocks.len() * 4;
    let weights = weighted.weights.chunks_exact((taps * 4).max(1));
    for ((block, channels), weights) in blocks.iter_mut().zip(weighted.channels.as_chunks::<4>().0).zip(weights) {
        let sums = dot4(column, weights);
        for ((value, sum), channel) in block.iter_mut().zip(sums).zip(channels) {
            *value = finish(sum, channel);
        }
    }
    let weights = weighted.weights.chunks_exact(taps.max(1)).skip(done);
    for ((value, channel), weights) in rest.iter_mut().zip(weighted.channels.iter().skip(done)).zip(weights) {
        *value = finish(dot(column, weights), channel);
    }
}

#[inline(always)]
fn dot(column: &[i16], weights: &[i8]) -> i32 {
    column.iter().zip(weights).fold(0i32, |sum, (x, w)| sum.wrapping_add(i32::from(*x) * i32::from(*w)))
}

/// Four channels at once, so that each load of the column serves four products.
#[inline(always)]
fn dot4(column: &[i16], weights: &[i8]) -> [i32; 4] {
    let mut rows = weights.chunks_exact(column.len().max(1));
    let mut next = || rows.next().unwrap_or(&[]);
    let (a, b, c, d) = (next(), next(), next(), next());
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
