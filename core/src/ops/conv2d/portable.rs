//! Convolution for any machine: each output pixel's input is gathered into one int16 column (im2col), and the
//! columns meet the weights in dot products that compilers vectorize. Natural layout.

use super::Conv2d;
use crate::ops::dot::dot_channels;
use crate::ops::{Sides, parts, parts_mut};

/// Writes the output, NHWC, of input NHWC; `scratch` holds one column.
pub fn run(conv: &Conv2d<'_>, sides: Sides<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i16]) {
    let (Some([_, h, w, c]), Some([_, oh, ow, oc])) = (sides.input.nhwc(), sides.output.nhwc()) else { return };
    let Some(column) = scratch.get_mut(..conv.taps()) else { return };
    for (image, result) in parts(input, h * w * c).zip(parts_mut(output, oh * ow * oc)) {
        for (position, pixel) in result.chunks_exact_mut(oc).enumerate() {
            gather(conv, [h, w, c], sides.input.zero_point() as i16, image, [position / ow, position % ow], column);
            dot_channels(&conv.weighted, column, sides.output.zero_point(), pixel);
        }
    }
}

/// The input under output pixel `y, x`, in the order of the weights; `padding` outside.
fn gather(
    conv: &Conv2d<'_>,
    [h, w, c]: [usize; 3],
    padding: i16,
    image: &[i8],
    [y, x]: [usize; 2],
    column: &mut [i16],
) {
    let window = &conv.window;
    for (ky, row) in column.chunks_exact_mut(conv.row()).enumerate() {
        let iy = (y * window.stride[0] + ky * window.dilation[0]).checked_sub(window.padding[0]).filter(|i| *i < h);
        let Some(line) = iy.and_then(|iy| image.get(iy * w * c..(iy + 1) * w * c)) else {
            row.fill(padding);
            continue;
        };
        let first = (x * window.stride[1]).checked_sub(window.padding[1]);
        if let Some(inside) = first.filter(|_| window.dilation[1] == 1).and_then(|f| line.get(f * c..f * c + row.len()))
        {
            widen(inside, row);
            continue;
        }
        for (kx, taps) in row.chunks_exact_mut(c).enumerate() {
            let ix = (x * window.stride[1] + kx * window.dilation[1]).checked_sub(window.padding[1]);
            match ix.filter(|i| *i < w).and_then(|ix| line.get(ix * c..(ix + 1) * c)) {
                Some(inside) => widen(inside, taps),
                None => taps.fill(padding),
            }
        }
    }
}

fn widen(from: &[i8], to: &mut [i16]) {
    for (q, wide) in from.iter().zip(to) {
        *wide = i16::from(*q);
    }
}
