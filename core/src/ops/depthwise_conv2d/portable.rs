//! For any machine: the sums of all channels of one pixel grow tap by tap, in loops over neighbouring channels that
//! compilers vectorize.

use super::DepthwiseConv2d;
use crate::ops::{Sides, parts, parts_mut};

/// Writes the output, NHWC, of input NHWC; `scratch` holds one sum per output channel.
pub fn run(conv: &DepthwiseConv2d<'_>, sides: Sides<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i16]) {
    let (Some([_, h, w, c]), Some([_, oh, ow, oc])) = (sides.input.nhwc(), sides.output.nhwc()) else { return };
    let Ok(sums) = bytemuck::try_cast_slice_mut::<i16, i32>(scratch) else { return };
    let Some(sums) = sums.get_mut(..oc) else { return };
    let (weighted, zero_point) = (&conv.weighted, sides.output.zero_point());
    for (image, result) in parts(input, h * w * c).zip(parts_mut(output, oh * ow * oc)) {
        for (position, pixel) in result.chunks_exact_mut(oc).enumerate() {
            for (sum, channel) in sums.iter_mut().zip(weighted.channels) {
                *sum = channel.bias;
            }
            add_taps(conv, sides, image, [position / ow, position % ow], sums);
            for ((value, sum), channel) in pixel.iter_mut().zip(sums.iter()).zip(weighted.channels) {
                *value = weighted.finish_fast(*sum, channel, zero_point);
            }
        }
    }
}

/// Adds what all taps of output pixel `y, x` give to all channels.
fn add_taps(conv: &DepthwiseConv2d<'_>, sides: Sides<'_>, image: &[i8], [y, x]: [usize; 2], sums: &mut [i32]) {
    let Some([_, h, w, c]) = sides.input.nhwc() else { return };
    let window = &conv.window;
    let mut taps = parts(conv.weighted.weights, sums.len());
    for ky in 0..window.kernel[0] {
        let iy = (y * window.stride[0] + ky * window.dilation[0]).checked_sub(window.padding[0]).filter(|i| *i < h);
        for kx in 0..window.kernel[1] {
            let column = x * window.stride[1] + kx * window.dilation[1];
            let ix = column.checked_sub(window.padding[1]).filter(|i| *i < w);
            let Some(weights) = taps.next() else { return };
            let inside = iy.zip(ix).and_then(|(iy, ix)| image.get((iy * w + ix) * c..)?.get(..c));
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
