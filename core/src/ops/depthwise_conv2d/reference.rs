//! The formula as it is written, one element at a time.

use super::DepthwiseConv2d;
use super::ring::{self, Ring};
use crate::InOut;
use crate::ops::Sides;

/// Writes the output, NHWC, of input NHWC; `scratch` holds the rows under one row of outputs.
pub fn run(conv: &DepthwiseConv2d<'_>, sides: Sides<'_>, mut data: InOut<'_>, scratch: &mut [i16]) {
    let (Some([n, h, w, c]), Some([_, oh, ow, oc])) = (sides.input.nhwc(), sides.output.nhwc()) else { return };
    let rows = ring::rows(&conv.window, h) * w * c;
    let Some(rows) = bytemuck::cast_slice_mut(scratch).get_mut(..rows) else { return };
    for image in 0..n {
        let mut ring = Ring::new(rows, w * c);
        for y in 0..oh {
            ring.advance(data.input().get(image * h * w * c..(image + 1) * h * w * c).unwrap_or(&[]), conv.rows_end(y));
            let row = (image * oh + y) * ow * oc;
            for (at, value) in data.output().iter_mut().skip(row).take(ow * oc).enumerate() {
                let (o, x) = (at % oc, at / oc);
                let Some(channel) = conv.weighted.channels.get(o) else { return };
                let sum = channel.bias.wrapping_add(products(conv, sides, &ring, [y, x, o]));
                *value = conv.weighted.finish(sum, channel, sides.output.zero_point());
            }
        }
    }
}

/// The sum over all taps for output element `y, x, o`.
fn products(conv: &DepthwiseConv2d<'_>, sides: Sides<'_>, ring: &Ring<'_>, [y, x, o]: [usize; 3]) -> i32 {
    let Some([_, h, w, c]) = sides.input.nhwc() else { return 0 };
    let window = &conv.window;
    let mut sum = 0i32;
    for ky in 0..window.kernel[0] {
        let iy = (y * window.stride[0] + ky * window.dilation[0]).checked_sub(window.padding[0]).filter(|i| *i < h);
        for kx in 0..window.kernel[1] {
            let column = x * window.stride[1] + kx * window.dilation[1];
            let ix = column.checked_sub(window.padding[1]).filter(|i| *i < w);
            let at = |(iy, ix)| ring.get(iy).get(ix * c + o / conv.multiplier.max(1));
            let q = iy.zip(ix).and_then(at).map_or(sides.input.zero_point(), |q| i32::from(*q));
            let tap = (ky * window.kernel[1] + kx) * conv.weighted.channels.len() + o;
            let weight = conv.weighted.weights.get(tap).copied().unwrap_or(0);
            sum = sum.wrapping_add(q.wrapping_mul(i32::from(weight)));
        }
    }
    sum
}
