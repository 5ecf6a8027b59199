//! Convolution for Armv8.1-M MVE, Helium layout: int8 columns of the input meet four channels at a time. A kernel of one tap
//! without padding reads its columns where they lie; others are gathered (im2col), two output pixels at a time.

use super::Conv2d;
use crate::arch::mve::gather;
use crate::arch::mve::product::{BLOCK, Columns};
use crate::ops::{Sides, helium, parts, parts_mut};

/// Writes the output, NHWC, of input NHWC; `scratch` holds two columns.
pub fn run(conv: &Conv2d<'_>, sides: Sides<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i16]) {
    let (Some([_, h, w, c]), Some([_, oh, ow, oc])) = (sides.input.nhwc(), sides.output.nhwc()) else { return };
    let (window, zero_point) = (&conv.window, sides.output.zero_point());
    let length = conv.taps().next_multiple_of(BLOCK);
    let Some(scratch) = bytemuck::cast_slice_mut(scratch).get_mut(..2 * length) else { return };
    for (image, result) in parts(input, h * w * c).zip(parts_mut(output, oh * ow * oc)) {
        let mut source = Source { conv, image, shape: [h, w, c], padding: sides.input.zero_point() as i8, zero_point };
        if window.kernel != [1, 1] || window.padding != [0, 0] {
            source.gathered([oh, ow], result, scratch);
        } else if window.stride == [1, 1] {
            source.in_place(c, result, scratch);
        } else {
            let lines = parts(image, w * c).step_by(window.stride[0]);
            for (line, row) in lines.zip(parts_mut(result, ow * oc)) {
                source.image = line;
                source.in_place(c * window.stride[1], row, scratch);
            }
        }
    }
}

/// What columns are taken from.
struct Source<'a> {
    conv: &'a Conv2d<'a>,
    image: &'a [i8],
    shape: [usize; 3],
    padding: i8,
    zero_point: i32,
}

impl Source<'_> {
    /// Output pixels in a row, whose columns of one tap start `step` apart.
    fn in_place(&self, step: usize, output: &mut [i8], scratch: &mut [i8]) {
        let (oc, length) = (self.conv.weighted.channels.len(), scratch.len() / 2);
        let pixels = output.len().checked_div(oc).unwrap_or(0);
        // Whole blocks are read: the last columns may be too near to the end.
        let whole = self.image.len().checked_sub(length).and_then(|rest| rest.checked_div(step)).map_or(0, |n| n + 1);
        let count = pixels.min(whole);
        let Some((inner, last)) = output.split_at_mut_checked(count * oc) else { return };
        self.multiply(Columns { bytes: self.image, step, count }, inner);
        for (pixel, at) in parts_mut(last, oc).zip((count * step..).step_by(step.max(1))) {
            gather::copy(self.image.get(at..).unwrap_or(&[]), scratch.get_mut(..self.conv.taps()).unwrap_or(&mut []));
            self.multiply(Columns { bytes: scratch, step: 0, count: 1 }, pixel);
        }
    }

    /// All output pixels, by way of `scratch`.
    fn gathered(&self, [oh, ow]: [usize; 2], output: &mut [i8], scratch: &mut [i8]) {
        let (oc, length, taps) = (self.conv.weighted.channels.len(), scratch.len() / 2, self.conv.taps());
        let mut places = (0..oh).flat_map(|y| (0..ow).map(move |x| [y, x]));
        for pair in output.chunks_mut(2 * oc.max(1)) {
            for (column, place) in parts_mut(scratch, length).zip(&mut places).take(pair.len() / oc.max(1)) {
                self.gather(place, column.get_mut(..taps).unwrap_or(&mut []));
            }
            self.multiply(Columns { bytes: scratch, step: length, count: pair.len() / oc.max(1) }, pair);
        }
    }

    /// The outputs of `columns`, all channels.
    fn multiply(&self, columns: Columns<'_>, output: &mut [i8]) {
        helium::multiply(&self.conv.weighted, columns, self.zero_point, output);
    }

    /// The input under output pixel `y, x`.
    fn gather(&self, [y, x]: [usize; 2], column: &mut [i8]) {
        let (window, [h, w, c]) = (&self.conv.window, self.shape);
        let (top, left, row) = (y * window.stride[0], x * window.stride[1], self.conv.row());
        let first = top.checked_sub(window.padding[0]).zip(left.checked_sub(window.padding[1]));
        let inside = first.filter(|(iy, ix)| {
            iy + (window.kernel[0] - 1) * window.dilation[0] < h
                && ix + window.kernel[1] <= w
                && window.dilation[1] == 1
        });
        let source = inside.and_then(|(iy, ix)| self.image.get((iy * w + ix) * c..));
        if source.is_some_and(|source| gather::rows(source, window.dilation[0] * w * c, row, column)) {
            return;
        }
        for (ky, taps) in parts_mut(column, row).enumerate() {
            let iy = (top + ky * window.dilation[0]).checked_sub(window.padding[0]).filter(|iy| *iy < h);
            match iy.and_then(|iy| self.image.get(iy * w * c..(iy + 1) * w * c)) {
                None => gather::fill(taps, self.padding),
                Some(line) => self.taps(line, left, taps),
            }
        }
    }

    /// A kernel row that reaches beyond the line, or whose taps are apart by dilation.
    fn taps(&self, line: &[i8], left: usize, taps: &mut [i8]) {
        let (window, [_, _, c]) = (&self.conv.window, self.shape);
        for (kx, tap) in parts_mut(taps, c).enumerate() {
            let ix = (left + kx * window.dilation[1]).checked_sub(window.padding[1]);
            match ix.and_then(|ix| line.get(ix * c..(ix + 1) * c)) {
                None => gather::fill(tap, self.padding),
                Some(pixel) => gather::copy(pixel, tap),
            }
        }
    }
}
