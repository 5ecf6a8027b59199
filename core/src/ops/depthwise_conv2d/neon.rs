//! For AArch64: rows are copied into a ring, and pixels whose windows lie inside go in one run. Weights in natural order;
//! portable where the short requantization does not serve, or for few channels, large kernels, several outputs per channel.

use super::DepthwiseConv2d;
use super::portable;
use super::ring::{self, Ring};
use crate::InOut;
use crate::arch::neon::depthwise::{self, Depthwise, LANES};
use crate::ops::{Sides, parts_mut};

/// Most taps.
const MAX_TAPS: usize = 32;

/// Writes the output, NHWC, of input NHWC; `scratch` holds a pixel of zero points and the rows under one row of outputs.
pub fn run(conv: &DepthwiseConv2d<'_>, sides: Sides<'_>, mut data: InOut<'_>, scratch: &mut [i16]) {
    let (Some([n, h, w, c]), Some([_, oh, ow, _])) = (sides.input.nhwc(), sides.output.nhwc()) else { return };
    let weighted = &conv.weighted;
    if conv.multiplier != 1 || conv.taps() > MAX_TAPS || c < LANES || !weighted.bounded {
        return portable::run(conv, sides, data, scratch);
    }
    let Some((zeros, rest)) = scratch.split_at_mut_checked(2 * c) else { return };
    let zeros: &mut [i8] = bytemuck::cast_slice_mut(zeros);
    zeros.fill(sides.input.zero_point() as i8);
    let Some(rows) = bytemuck::cast_slice_mut(rest).get_mut(..ring::rows(&conv.window, h) * w * c) else { return };
    let job = Depthwise {
        weights: weighted.weights,
        channels: weighted.channels,
        narrow: weighted.narrow,
        activation: weighted.activation,
    };
    let step = conv.window.stride[1] * c;
    let [inside, after] = interior(conv, w, ow);
    for image in 0..n {
        let mut ring = Ring::new(rows, w * c);
        for y in 0..oh {
            ring.advance(data.input().get(image * h * w * c..(image + 1) * h * w * c).unwrap_or(&[]), conv.rows_end(y));
            let Some(row) = data.output().get_mut((image * oh + y) * ow * c..) else { return };
            let mut pixels = 0..ow;
            while let Some(x) = pixels.next() {
                let run = if x == inside && inside < after && conv.sees_only(y, h) { after - inside } else { 1 };
                let mut taps: [&[i8]; MAX_TAPS] = [zeros; MAX_TAPS];
                find(conv, &ring, [h, w, c], [y, x], &mut taps);
                let Some(output) = row.get_mut(x * c..(x + run) * c) else { return };
                depthwise::run(&job, taps.get(..conv.taps()).unwrap_or(&[]), step, output);
                pixels = x + run..ow;
            }
        }
    }
}

impl DepthwiseConv2d<'_> {
    /// Whether output row `y` sees only rows of an input of `height`.
    fn sees_only(&self, y: usize, height: usize) -> bool {
        y * self.window.stride[0] >= self.window.padding[0] && self.rows_end(y) <= height
    }
}

/// The output columns whose windows lie inside the input, `first..end`.
fn interior(conv: &DepthwiseConv2d<'_>, width: usize, outputs: usize) -> [usize; 2] {
    let window = &conv.window;
    let (stride, padding) = (window.stride[1].max(1), window.padding[1]);
    let reach = (window.kernel[1].saturating_sub(1)).saturating_mul(window.dilation[1]);
    let end = (width + padding).checked_sub(reach + 1).map_or(0, |last| last / stride + 1);
    [padding.div_ceil(stride), end.min(outputs)]
}

/// Where each tap of output pixel `y, x` is, from there to the end of its row. Those outside are left alone.
fn find<'r>(
    conv: &DepthwiseConv2d<'_>,
    ring: &'r Ring<'_>,
    [h, w, c]: [usize; 3],
    [y, x]: [usize; 2],
    taps: &mut [&'r [i8]],
) {
    let window = &conv.window;
    for (ky, taps) in parts_mut(taps, window.kernel[1]).enumerate().take(window.kernel[0]) {
        let iy = (y * window.stride[0] + ky * window.dilation[0]).checked_sub(window.padding[0]).filter(|iy| *iy < h);
        let Some(row) = iy.map(|iy| ring.get(iy)) else { continue };
        for (kx, tap) in taps.iter_mut().enumerate() {
            let ix = (x * window.stride[1] + kx * window.dilation[1]).checked_sub(window.padding[1]);
            if let Some(inside) = ix.filter(|ix| *ix < w).and_then(|ix| row.get(ix * c..)) {
                *tap = inside;
            }
        }
    }
}
