//! Convolution for Armv8.1-M MVE, Helium layout: int8 columns of the input meet four channels at a time.
//!
//! The layout goes through a kernel column by column, and so do the columns (im2col): of the input, kernel height x channels bytes
//! of each place of a row follow each other in a *strip*, in which the columns of neighbouring output pixels overlap. Each input
//! row is so copied once per kernel row, not once per tap, and padding is made real. A kernel of one row without padding reads
//! its columns where they lie; where kernel columns are apart, each output pixel has a strip of its own.

use super::Conv2d;
use crate::arch::mve::gather::{self, Spread};
use crate::arch::mve::product::{BLOCK, Columns};
use crate::blob::Window;
use crate::ops::{Sides, helium, parts, parts_mut};

/// Whether columns are read where they lie: rows of `outputs` pixels, of which no window leaves the `inputs`.
fn is_in_place(window: &Window, [inputs, outputs]: [usize; 2]) -> bool {
    let end = outputs.saturating_sub(1).saturating_mul(window.stride[1]).saturating_add(window.kernel[1]);
    window.kernel[0] == 1 && window.padding == [0, 0] && window.dilation[1] == 1 && end <= inputs
}

/// Geometry of strips.
#[derive(Debug, Clone, Copy)]
struct Strip {
    /// Output pixels of a row that are in scratch at a time; 0 where columns are read where they lie.
    pixels: usize,
    /// Bytes from the column of one to that of the next.
    step: usize,
    /// Bytes of a column, of whole blocks.
    length: usize,
}

impl Strip {
    /// For these shapes (NHWC) of input and output.
    fn of(window: &Window, [_, _, w, channels]: [usize; 4], [_, _, width, _]: [usize; 4]) -> Self {
        /// What strips may take where they have more than two pixels.
        const ROOM: usize = 4096;
        let place = window.kernel[0].saturating_mul(channels);
        let length = window.kernel[1].saturating_mul(place).checked_next_multiple_of(BLOCK).unwrap_or(usize::MAX);
        let step = if window.dilation[1] == 1 { window.stride[1].saturating_mul(place) } else { length };
        let others = ROOM.saturating_sub(length).checked_div(step).unwrap_or(0);
        // Products are made of pairs.
        let pixels = if is_in_place(window, [w, width]) { 0 } else { ((others + 1) & !1).max(2).min(width) };
        Self { pixels, step, length }
    }

    fn bytes(&self) -> usize {
        self.pixels.saturating_sub(1).saturating_mul(self.step).saturating_add(self.length)
    }
}

/// Scratch bytes: the strips of as many output pixels as there is room for.
pub fn scratch_bytes(window: &Window, input: [usize; 4], output: [usize; 4]) -> usize {
    Strip::of(window, input, output).bytes()
}

/// Writes the output, NHWC, of input NHWC; `scratch` holds strips.
pub fn run(conv: &Conv2d<'_>, sides: Sides<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i16]) {
    let (Some(read), Some(written)) = (sides.input.nhwc(), sides.output.nhwc()) else { return };
    let ([_, h, w, c], [_, oh, ow, oc]) = (read, written);
    let (window, zero_point, padding) = (conv.window, sides.output.zero_point(), sides.input.zero_point() as i8);
    let strip = Strip::of(&window, read, written);
    let Some(scratch) = bytemuck::cast_slice_mut(scratch).get_mut(..strip.bytes()) else { return };
    let place = window.kernel[0].saturating_mul(c);
    let spread = Spread::new(c, [window.dilation[1].saturating_mul(c), place]);
    let whole = strip.pixels == ow && window.dilation[1] == 1;
    gather::fill(scratch, padding);
    for (image, result) in parts(input, h * w * c).zip(parts_mut(output, oh * ow * oc)) {
        let source = Source { conv, window, image, shape: [h, w, c], padding, zero_point, strip, whole, spread };
        if strip.pixels > 0 {
            source.gathered(ow, result, scratch);
        } else if window.kernel[1] == 1 && window.stride == [1, 1] {
            source.in_place(image, result, scratch);
        } else {
            for (y, row) in parts_mut(result, ow * oc).enumerate() {
                source.in_place(image.get(y * window.stride[0] * w * c..).unwrap_or(&[]), row, scratch);
            }
        }
    }
}

/// What columns are taken from.
struct Source<'a> {
    conv: &'a Conv2d<'a>,
    window: Window,
    image: &'a [i8],
    shape: [usize; 3],
    padding: i8,
    zero_point: i32,
    strip: Strip,
    /// Whether a strip has all pixels of a row: then what is padding left and right stays it.
    whole: bool,
    spread: Spread,
}

impl Source<'_> {
    /// Output pixels in a row, the first of which begins where `source` does.
    fn in_place(&self, source: &[i8], output: &mut [i8], scratch: &mut [i8]) {
        let (oc, length, step) = (self.conv.weighted.channels.len(), self.strip.length, self.strip.step);
        let pixels = output.len().checked_div(oc).unwrap_or(0);
        // Whole blocks are read: the last columns may be too near to the end.
        let whole = source.len().checked_sub(length).and_then(|rest| rest.checked_div(step)).map_or(0, |n| n + 1);
        let count = pixels.min(whole);
        let Some((inner, last)) = output.split_at_mut_checked(count * oc) else { return };
        self.multiply(Columns { bytes: source, step, count }, inner);
        for (pixel, at) in parts_mut(last, oc).zip((count * step..).step_by(step.max(1))) {
            gather::copy(source.get(at..).unwrap_or(&[]), scratch);
            self.multiply(Columns { bytes: scratch, step: 0, count: 1 }, pixel);
        }
    }

    /// All output pixels, in rows of `width`, by way of `scratch`.
    fn gathered(&self, width: usize, output: &mut [i8], scratch: &mut [i8]) {
        let (oc, Strip { pixels, step, .. }) = (self.conv.weighted.channels.len().max(1), self.strip);
        for (y, row) in parts_mut(output, width * oc).enumerate() {
            for (i, outputs) in row.chunks_mut(pixels.max(1) * oc).enumerate() {
                let count = outputs.len() / oc;
                self.strips([y, i * pixels], count, scratch);
                self.multiply(Columns { bytes: scratch, step, count }, outputs);
            }
        }
    }

    /// The outputs of `columns`, all channels.
    fn multiply(&self, columns: Columns<'_>, output: &mut [i8]) {
        helium::multiply(&self.conv.weighted, columns, self.zero_point, output);
    }

    /// The input under `count` output pixels from `y, x` on.
    fn strips(&self, [y, x]: [usize; 2], count: usize, scratch: &mut [i8]) {
        let window = &self.window;
        if window.dilation[1] == 1 {
            let others = count.saturating_sub(1) * window.stride[1];
            return self.strip([y, x], others + window.kernel[1], scratch);
        }
        for (x, column) in (x..).zip(parts_mut(scratch, self.strip.step)).take(count) {
            self.strip([y, x], window.kernel[1], column);
        }
    }

    /// `places` places of the input rows under output pixel `y, x`.
    fn strip(&self, [y, x]: [usize; 2], places: usize, strip: &mut [i8]) {
        let (window, [h, w, c]) = (&self.window, self.shape);
        let ([top, left], [dy, dx]) = ([y * window.stride[0], x * window.stride[1]], window.dilation);
        let place = window.kernel[0] * c;
        // Places before that of the input with this number.
        let before = |ix: usize| (ix + window.padding[1]).saturating_sub(left).div_ceil(dx.max(1)).min(places);
        let first = before(0);
        let count = before(w) - first;
        let bottom = top + (window.kernel[0] - 1) * dy;
        let inside = top >= window.padding[0] && bottom < window.padding[0] + h;
        if !(inside && (self.whole || count == places)) {
            gather::fill(strip.get_mut(..places * place).unwrap_or(&mut []), self.padding);
        }
        let source = (left + first * dx).wrapping_sub(window.padding[1]);
        for ky in 0..window.kernel[0] {
            let iy = (top + ky * dy).checked_sub(window.padding[0]).filter(|iy| *iy < h);
            let line = iy.and_then(|iy| self.image.get((iy * w).wrapping_add(source).wrapping_mul(c)..));
            if let (Some(line), Some(strip)) = (line, strip.get_mut(first * place + ky * c..)) {
                self.spread.run(line, count, strip);
            }
        }
    }
}
