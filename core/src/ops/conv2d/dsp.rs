//! Convolution for Armv7E-M DSP: the input under four output pixels is widened to int16 and interleaved (im2col), then
//! meets all output channels, two at a time, in one block of assembly. DSP layout.

use super::Conv2d;
use crate::arch::dsp::blocks::{self, Quad4, Weights2};
use crate::arch::dsp::halves;
use crate::blob::{Activation, Channel};
use crate::ops::{Sides, parts, parts_mut};

/// Writes the output, NHWC, of input NHWC; `scratch` holds four columns.
pub fn run(conv: &Conv2d<'_>, sides: Sides<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i16]) {
    let (Some([_, h, w, c]), Some([_, oh, ow, oc])) = (sides.input.nhwc(), sides.output.nhwc()) else { return };
    let Ok(words) = bytemuck::try_cast_slice_mut::<i16, u32>(scratch) else { return };
    let quads = conv.window.kernel[0] * conv.row().div_ceil(4);
    let Some(columns) = words.as_chunks_mut().0.get_mut(..quads) else { return };
    let zero_point = sides.output.zero_point();
    for (image, result) in parts(input, h * w * c).zip(parts_mut(output, oh * ow * oc)) {
        let source = Source { conv, image, shape: [h, w, c], padding: sides.input.zero_point() as i16 };
        let pixels = oh * ow;
        // A last block that is not full begins earlier and computes some pixels again.
        for first in (0..pixels).step_by(4).map(|p| p.min(pixels.saturating_sub(4))) {
            let lanes = [0, 1, 2, 3].map(|lane| (first + lane).min(pixels - 1));
            source.gather::<0>([lanes[0] / ow, lanes[0] % ow], columns);
            source.gather::<1>([lanes[1] / ow, lanes[1] % ow], columns);
            source.gather::<2>([lanes[2] / ow, lanes[2] % ow], columns);
            source.gather::<3>([lanes[3] / ow, lanes[3] % ow], columns);
            let end = (first + 4).min(pixels) * oc;
            let Some(block) = result.get_mut(first * oc..end) else { return };
            multiply(conv, columns, block, oc, zero_point);
        }
    }
    clamp(conv.weighted.activation, output);
}

/// All channels of up to four pixels, `oc` apart in `output`.
fn multiply(conv: &Conv2d<'_>, columns: &[Quad4], output: &mut [i8], oc: usize, zero_point: i32) {
    let weights = conv.weighted.weights.as_chunks::<8>().0;
    let (pairs, _) = conv.weighted.channels.as_chunks::<2>();
    let mut done = 0;
    if conv.weighted.bounded && output.len() == 4 * oc {
        blocks::requantized_4x2(columns, weights, pairs, output, oc);
        done = pairs.len();
    }
    let rest = conv.weighted.channels.chunks(2).zip(parts(weights, columns.len())).enumerate().skip(done);
    for (pair, (channels, weights)) in rest {
        finish(conv, columns, weights, channels, [pair * 2, oc], zero_point, output);
    }
}

/// One or two channels by the general way: any shift, any number of pixels, an odd last channel.
fn finish(
    conv: &Conv2d<'_>,
    columns: &[Quad4],
    weights: &[Weights2],
    channels: &[Channel],
    [first, oc]: [usize; 2],
    zero_point: i32,
    output: &mut [i8],
) {
    let sums = blocks::sums_4x2(columns, weights);
    for ((channel, sums), at) in channels.iter().zip(sums).zip(first..) {
        for (pixel, sum) in parts_mut(output, oc).zip(sums) {
            if let Some(value) = pixel.get_mut(at) {
                *value = conv.weighted.finish_fast(sum.wrapping_add(channel.bias), channel, zero_point);
            }
        }
    }
}

/// The block clamps to int8 only; a narrower activation is applied here.
fn clamp(activation: Activation, output: &mut [i8]) {
    if activation != Activation::NONE {
        for value in output {
            *value = activation.clamp(i32::from(*value));
        }
    }
}

/// What a column is gathered from.
struct Source<'a> {
    conv: &'a Conv2d<'a>,
    image: &'a [i8],
    shape: [usize; 3],
    padding: i16,
}

impl Source<'_> {
    /// The input under output pixel `y, x` into lane `LANE`.
    ///
    /// A window inside of the input is widened row by row as it lies there; up to three elements after each row are read
    /// with it and meet zero weights.
    #[inline(always)]
    fn gather<const LANE: usize>(&self, [y, x]: [usize; 2], columns: &mut [Quad4]) {
        let (window, [h, w, c]) = (&self.conv.window, self.shape);
        let quads = self.conv.row().div_ceil(4);
        let (top, left) = (y * window.stride[0], x * window.stride[1]);
        let first = top.checked_sub(window.padding[0]).zip(left.checked_sub(window.padding[1]));
        let inside = first.filter(|(iy, ix)| {
            iy + (window.kernel[0] - 1) * window.dilation[0] < h
                && ix + window.kernel[1] <= w
                && window.dilation[1] == 1
        });
        let source = inside.and_then(|(iy, ix)| self.image.get((iy * w + ix) * c..));
        if source.is_some_and(|source| blocks::widen::<LANE>(source, window.dilation[0] * w * c, quads, columns)) {
            return;
        }
        for (ky, row) in parts_mut(columns, quads).enumerate() {
            let iy = (top + ky * window.dilation[0]).checked_sub(window.padding[0]).filter(|iy| *iy < h);
            match iy {
                None => fill::<LANE>(row, self.padding),
                Some(iy) => self.taps::<LANE>(iy * w * c, left, row),
            }
        }
    }

    /// Any kernel row, element by element: taps outside of the input, or apart by dilation.
    fn taps<const LANE: usize>(&self, line: usize, left: usize, quads: &mut [Quad4]) {
        let (window, [_, w, c]) = (&self.conv.window, self.shape.map(|d| d.max(1)));
        let tap = |i: usize| {
            let column = (left + i / c * window.dilation[1]).checked_sub(window.padding[1]).filter(|ix| *ix < w);
            column.and_then(|ix| self.image.get(line + ix * c + i % c)).map_or(self.padding, |q| i16::from(*q))
        };
        for (quad, i) in quads.iter_mut().zip((0..).step_by(4)) {
            (quad[LANE], quad[LANE + 4]) = (halves(tap(i), tap(i + 2)), halves(tap(i + 1), tap(i + 3)));
        }
    }
}

fn fill<const LANE: usize>(quads: &mut [Quad4], padding: i16) {
    for quad in quads {
        (quad[LANE], quad[LANE + 4]) = (halves(padding, padding), halves(padding, padding));
    }
}
