//! Convolution for Armv8.1-M MVE, Helium layout: int8 columns of the input meet four channels at a time. A kernel of one tap
//! without padding reads its columns where they lie; others are gathered (im2col), a few output pixels at a time.

use super::Conv2d;
use crate::arch::mve::gather;
use crate::arch::mve::product::{BLOCK, Columns};
use crate::blob::Window;
use crate::ops::{Sides, helium, parts, parts_mut};

/// Whether columns are read where they lie.
fn is_in_place(window: &Window) -> bool {
    window.kernel == [1, 1] && window.padding == [0, 0]
}

/// Scratch bytes for `taps` weights per channel: columns of whole blocks, an even number of them, or one for the last pixels.
pub fn scratch_bytes(window: &Window, taps: usize) -> usize {
    /// What columns may take where more of them save calls.
    const ROOM: usize = 1024;
    let Some(length) = taps.checked_next_multiple_of(BLOCK) else { return usize::MAX };
    if is_in_place(window) {
        return length;
    }
    let pairs = ROOM.checked_div(2 * length.max(1)).unwrap_or(0).clamp(1, 4);
    length.saturating_mul(2 * pairs)
}

/// Writes the output, NHWC, of input NHWC; `scratch` holds columns.
pub fn run(conv: &Conv2d<'_>, sides: Sides<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i16]) {
    let (Some([_, h, w, c]), Some([_, oh, ow, oc])) = (sides.input.nhwc(), sides.output.nhwc()) else { return };
    let (window, zero_point) = (conv.window, sides.output.zero_point());
    let Some(scratch) = bytemuck::cast_slice_mut(scratch).get_mut(..scratch_bytes(&window, conv.taps())) else {
        return;
    };
    for (image, result) in parts(input, h * w * c).zip(parts_mut(output, oh * ow * oc)) {
        let (taps, row) = (conv.taps(), conv.row());
        let mut source = Source {
            conv,
            window,
            taps,
            row,
            image,
            shape: [h, w, c],
            padding: sides.input.zero_point() as i8,
            zero_point,
        };
        if !is_in_place(&window) {
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
    window: Window,
    taps: usize,
    row: usize,
    image: &'a [i8],
    shape: [usize; 3],
    padding: i8,
    zero_point: i32,
}

impl Source<'_> {
    /// Output pixels in a row, whose columns of one tap start `step` apart.
    fn in_place(&self, step: usize, output: &mut [i8], scratch: &mut [i8]) {
        let (oc, length) = (self.conv.weighted.channels.len(), self.taps.next_multiple_of(BLOCK));
        let pixels = output.len().checked_div(oc).unwrap_or(0);
        // Whole blocks are read: the last columns may be too near to the end.
        let whole = self.image.len().checked_sub(length).and_then(|rest| rest.checked_div(step)).map_or(0, |n| n + 1);
        let count = pixels.min(whole);
        let Some((inner, last)) = output.split_at_mut_checked(count * oc) else { return };
        self.multiply(Columns { bytes: self.image, step, count }, inner);
        for (pixel, at) in parts_mut(last, oc).zip((count * step..).step_by(step.max(1))) {
            gather::copy(self.image.get(at..).unwrap_or(&[]), scratch.get_mut(..self.taps).unwrap_or(&mut []));
            self.multiply(Columns { bytes: scratch, step: 0, count: 1 }, pixel);
        }
    }

    /// All output pixels, by way of `scratch`. On its own, so that the loop over pixels has the registers.
    #[inline(never)]
    fn gathered(&self, [oh, ow]: [usize; 2], output: &mut [i8], scratch: &mut [i8]) {
        let (oc, length) = (self.conv.weighted.channels.len().max(1), self.taps.next_multiple_of(BLOCK));
        let many = scratch.len().checked_div(length).unwrap_or(1).max(1);
        let [mut y, mut x] = [0, 0];
        for pixels in output.chunks_mut(many * oc) {
            let count = pixels.len() / oc;
            for column in parts_mut(scratch, length).take(count) {
                self.gather([y, x], column);
                x += 1;
                if x == ow {
                    (y, x) = ((y + 1).min(oh), 0);
                }
            }
            self.multiply(Columns { bytes: scratch, step: length, count }, pixels);
        }
    }

    /// The outputs of `columns`, all channels.
    fn multiply(&self, columns: Columns<'_>, output: &mut [i8]) {
        helium::multiply(&self.conv.weighted, columns, self.zero_point, output);
    }

    /// The input under output pixel `y, x`.
    #[inline(always)]
    fn gather(&self, [y, x]: [usize; 2], column: &mut [i8]) {
        let (window, [h, w, c]) = (&self.window, self.shape);
        let (top, left) = (y * window.stride[0], x * window.stride[1]);
        let [iy, ix] = [top.wrapping_sub(window.padding[0]), left.wrapping_sub(window.padding[1])];
        let bottom = iy.wrapping_add((window.kernel[0] - 1) * window.dilation[0]);
        // What lies before the input has wrapped to more than it has.
        let inside = iy < h && bottom < h && ix < w && ix + window.kernel[1] <= w && window.dilation[1] == 1;
        if inside {
            let source = self.image.get((iy * w + ix) * c..).unwrap_or(&[]);
            gather::rows(source, window.dilation[0] * w * c, self.row, window.kernel[0], column);
        } else {
            self.gather_border([top, left], column);
        }
    }

    /// The same where the window reaches beyond the input, or taps are apart.
    #[inline(never)]
    fn gather_border(&self, [top, left]: [usize; 2], column: &mut [i8]) {
        let (window, [h, w, c]) = (&self.window, self.shape);
        for (ky, taps) in parts_mut(column, self.row).enumerate().take(window.kernel[0]) {
            let iy = (top + ky * window.dilation[0]).checked_sub(window.padding[0]).filter(|iy| *iy < h);
            match iy.and_then(|iy| self.image.get(iy * w * c..(iy + 1) * w * c)) {
                None => gather::fill(taps, self.padding),
                Some(line) if window.dilation[1] == 1 => self.clipped(line, left, taps),
                Some(line) => self.spread(line, left, taps),
            }
        }
    }

    /// A kernel row of neighbouring taps.
    fn clipped(&self, line: &[i8], left: usize, taps: &mut [i8]) {
        let (padding, c) = (self.window.padding[1], self.shape[2]);
        let before = padding.saturating_sub(left).min(self.window.kernel[1]) * c;
        let source = line.get(left.saturating_sub(padding) * c..).unwrap_or(&[]);
        let Some((outside, taps)) = taps.split_at_mut_checked(before) else { return };
        gather::fill(outside, self.padding);
        let Some((inside, outside)) = taps.split_at_mut_checked(taps.len().min(source.len())) else { return };
        gather::copy(source, inside);
        gather::fill(outside, self.padding);
    }

    /// A kernel row whose taps are apart by dilation.
    fn spread(&self, line: &[i8], left: usize, taps: &mut [i8]) {
        let (window, c) = (&self.window, self.shape[2]);
        for (kx, tap) in parts_mut(taps, c).enumerate() {
            let ix = (left + kx * window.dilation[1]).checked_sub(window.padding[1]);
            match ix.and_then(|ix| line.get(ix * c..(ix + 1) * c)) {
                None => gather::fill(tap, self.padding),
                Some(pixel) => gather::copy(pixel, tap),
            }
        }
    }
}
