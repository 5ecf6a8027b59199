//! For Armv8.1-M MVE: kernels of up to 3 x 3 taps, stride 1 or 2, one output per input channel. One or two rows of outputs at a
//! time, from a strip of four input rows in scratch (`arch::mve::depthwise`); so the outputs may lie over the input.

use super::DepthwiseConv2d;
use crate::InOut;
use crate::arch::mve::depthwise::{self, Outputs, Row, Word};
use crate::arch::mve::{elementwise, gather};
use crate::blob::{Activation, Window};
use crate::ops::{Sides, parts};

/// Whether [`run`] can: else another version must.
pub fn suits(conv: &DepthwiseConv2d<'_>, sides: Sides<'_>) -> bool {
    let width = sides.output.nhwc().map_or(0, |[_, _, width, _]| width);
    conv.weighted.bounded && conv.multiplier == 1 && window_suits(&conv.window, width)
}

fn window_suits(window: &Window, width: usize) -> bool {
    let strides = window.stride == [2, 2] || (window.stride == [1, 1] && width >= 2);
    // Of the rows above, in place, one is kept.
    strides && window.kernel.iter().all(|taps| *taps <= 3) && window.dilation == [1, 1] && window.padding[0] <= 1
}

/// Scratch bytes: kernels, strip, and a row of the input; 0 where [`run`] cannot.
pub fn scratch_bytes(window: &Window, [_, _, w, c]: [usize; 4], [_, _, ow, _]: [usize; 4]) -> usize {
    let columns = Outputs::columns(ow, window.stride[1]).saturating_add(4);
    if window_suits(window, ow) { columns.saturating_mul(4).saturating_add(w).saturating_mul(c) } else { 0 }
}

/// Writes the output, NHWC, of input NHWC.
pub fn run(conv: &DepthwiseConv2d<'_>, sides: Sides<'_>, mut data: InOut<'_>, scratch: &mut [i16]) {
    let (Some([n, h, w, c]), Some([_, oh, ow, _])) = (sides.input.nhwc(), sides.output.nhwc()) else { return };
    let scratch = bytemuck::cast_slice_mut::<i16, i8>(scratch).as_chunks_mut::<4>().0;
    let Some((kernels, rest)) = scratch.split_at_mut_checked(4 * c) else { return };
    let Some((strip, kept)) = rest.split_at_mut_checked(Outputs::columns(ow, conv.window.stride[1]) * c) else {
        return;
    };
    let Some(kept) = kept.as_flattened_mut().get_mut(..w * c) else { return };
    let padding = sides.input.zero_point() as i8;
    order(conv, kernels, c);
    gather::fill(strip.as_flattened_mut(), padding);
    for image in 0..n {
        let bytes = image * h * w * c..(image + 1) * h * w * c;
        let step = if conv.window.stride[0] == 1 { 2 } else { 1 };
        for y in (0..oh).step_by(step) {
            let input = data.input().get(bytes.clone()).unwrap_or(&[]);
            fill(
                conv,
                input,
                [y, w * c],
                padding,
                kept,
                strip.get_mut(conv.window.padding[1] * c..).unwrap_or(&mut []),
            );
            let Some(rows) = data.output().get_mut((image * oh + y) * ow * c..) else { return };
            let second_row = (step == 2 && y + 1 < oh).then_some(ow * c);
            let outputs = Outputs { width: ow, second_row, stride: conv.window.stride[0] };
            depthwise::requantized(strip, kernels, conv.weighted.channels, outputs, rows);
        }
    }
    if conv.weighted.activation != Activation::NONE {
        elementwise::clamp(data.output(), conv.weighted.activation);
    }
}

/// Four columns of kernel, natural order, in the order of a strip.
fn order(conv: &DepthwiseConv2d<'_>, kernels: &mut [Word], channels: usize) {
    let [height, width] = conv.window.kernel;
    for (kx, column) in crate::ops::parts_mut(kernels, channels).enumerate() {
        let tap = |ky: usize| {
            let taps = parts(conv.weighted.weights, channels).nth(ky * width + kx);
            taps.filter(|_| ky < height && kx < width).map_or(Row::Padding(0), Row::Bytes)
        };
        depthwise::interleave([tap(0), tap(1), tap(2), Row::Padding(0)], column);
    }
}

/// The input rows (of `row` bytes) under output row `y` (and the next, of stride 1) into `strip`, and the last that the next
/// strip begins with into `kept`: by then there may be an output in its place.
fn fill(
    conv: &DepthwiseConv2d<'_>,
    input: &[i8],
    [y, row]: [usize; 2],
    padding: i8,
    kept: &mut [i8],
    strip: &mut [Word],
) {
    let (top, [stride, _]) = (conv.window.padding[0], conv.window.stride);
    let line = |i: usize| {
        let line = (y * stride + i).checked_sub(top).and_then(|iy| parts(input, row).nth(iy));
        line.map_or(Row::Padding(padding), Row::Bytes)
    };
    let first = if stride == 1 && top == 1 && y > 0 { Row::Bytes(kept) } else { line(0) };
    let words = row.min(strip.len());
    depthwise::interleave([first, line(1), line(2), line(3)], strip.get_mut(..words).unwrap_or(&mut []));
    if let (Row::Bytes(next), true) = (line(2), stride == 1) {
        gather::copy(next, kept);
    }
}
