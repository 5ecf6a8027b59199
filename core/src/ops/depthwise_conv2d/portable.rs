//! For any machine: the sums of all channels of one pixel grow tap by tap, in loops over neighbouring channels that
//! compilers vectorize.

use super::DepthwiseConv2d;
use super::ring::{self, Ring};
use crate::InOut;
use crate::ops::{Sides, parts, parts_mut};

/// Writes the output, NHWC, of input NHWC; `scratch` holds one sum per output channel and the rows under one row of outputs.
pub fn run(conv: &DepthwiseConv2d<'_>, sides: Sides<'_>, mut data: InOut<'_>, scratch: &mut [i16]) {
    let (Some([n, h, w, c]), Some([_, oh, ow, oc])) = (sides.input.nhwc(), sides.output.nhwc()) else { return };
    let rows = ring::rows(&conv.window, h) * w * c;
    let Some((sums, rest)) = scratch.split_at_mut_checked(2 * oc) else { return };
    let (Ok(sums), Some(rows)) = (bytemuck::try_cast_slice_mut(sums), bytemuck::cast_slice_mut(rest).get_mut(..rows))
    else {
        return;
    };
    for image in 0..n {
        let mut ring = Ring::new(rows, w * c);
        for y in 0..oh {
            ring.advance(data.input().get(image * h * w * c..(image + 1) * h * w * c).unwrap_or(&[]), conv.rows_end(y));
            let Some(row) = data.output().get_mut((image * oh + y) * ow * oc..) else { return };
            for (x, pixel) in parts_mut(row, oc).take(ow).enumerate() {
                self::pixel(conv, sides, &ring, [y, x], sums, pixel);
            }
        }
    }
}

/// All channels of output pixel `y, x`.
fn pixel(
    conv: &DepthwiseConv2d<'_>,
    sides: Sides<'_>,
    ring: &Ring<'_>,
    at: [usize; 2],
    sums: &mut [i32],
    pixel: &mut [i8],
) {
    let (weighted, zero_point) = (&conv.weighted, sides.output.zero_point());
    for (sum, channel) in sums.iter_mut().zip(weighted.channels) {
        *sum = channel.bias;
    }
    add_taps(conv, sides, ring, at, sums);
    for ((value, sum), channel) in pixel.iter_mut().zip(sums.iter()).zip(weighted.channels) {
        *value = weighted.finish_fast(*sum, channel, zero_point);
    }
}

/// Adds what all taps of output pixel `y, x` give to all channels.
fn add_taps(conv: &DepthwiseConv2d<'_>, sides: Sides<'_>, ring: &Ring<'_>, [y, x]: [usize; 2], sums: &mut [i32]) {
    let Some([_, h, w, c]) = sides.input.nhwc() else { return };
    let window = &conv.window;
    let mut taps = parts(conv.weighted.weights, sums.len());
    for ky in 0..window.kernel[0] {
        let iy = (y * window.stride[0] + ky * window.dilation[0]).checked_sub(window.padding[0]).filter(|i| *i < h);
        let row = iy.map(|iy| ring.get(iy));
        for kx in 0..window.kernel[1] {
            let column = x * window.stride[1] + kx * window.dilation[1];
            let ix = column.checked_sub(window.padding[1]).filter(|i| *i < w);
            let Some(weights) = taps.next() else { return };
            let inside = row.zip(ix).and_then(|(row, ix)| row.get(ix * c..)?.get(..c));
            match inside {
                Some(pixel) if conv.multiplier == 1 => add_products(sums, weights, pixel.iter()),
                Some(pixel) => spread(sums, weights, pixel, conv.multiplier),
                None => {
                    let zero = sides.input.zero_point() as i8;
                    add_products(sums, weights, core::iter::repeat(&zero));
                }
            }
        }
    }
}

/// One input channel meets `multiplier` neighbouring output channels.
fn spread(sums: &mut [i32], weights: &[i8], pixel: &[i8], multiplier: usize) {
    for ((sums, weights), q) in parts_mut(sums, multiplier).zip(parts(weights, multiplier)).zip(pixel) {
        add_products(sums, weights, core::iter::repeat(q));
    }
}

#[inline(always)]
fn add_products<'q>(sums: &mut [i32], weights: &[i8], pixel: impl Iterator<Item = &'q i8>) {
    for ((sum, weight), q) in sums.iter_mut().zip(weights).zip(pixel) {
        *sum = sum.wrapping_add(i32::from(*weight) * i32::from(*q));
    }
}
