//! Convolution for Armv7E-M DSP: the input under four output pixels is widened to int16 and interleaved (im2col), then
//! meets all output channels, two at a time, in one block of assembly. Pixels that do not make four go one by one.
//!
//! Predicted with int16 weights: 0.69 instructions per product, 7 per output, 0.9 per element of a window. Measured (`ackermann
//! bench`, Cortex-M4 in QEMU, 2026-11-24), all in, per product: 0.72 for 3x3 kernels over 64 channels with 64 outputs, 0.83 over 16
//! with 16, 1.16 over 3 with 16.

use super::{Band, Conv2d};
use crate::arch::dsp::blocks::{Gather, Quad4, first_lanes};
use crate::ops::dot_dsp::{FourPixels, clamp, one_pixel};
use crate::ops::{Sides, parts, parts_mut};

/// Writes the output, NHWC, of input NHWC; `scratch` holds four columns and the band.
pub fn run(conv: &Conv2d<'_>, sides: Sides<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i16]) {
    let (Some(read), Some(written)) = (sides.input.nhwc(), sides.output.nhwc()) else { return };
    let ([_, h, w, c], [_, oh, ow, oc]) = (read, written);
    let Ok(words) = bytemuck::try_cast_slice_mut::<i16, u32>(scratch) else { return };
    let Some((columns, band)) = words.split_at_mut_checked(conv.quads().count() * 8) else { return };
    let (columns, band) = (columns.as_chunks_mut().0, bytemuck::cast_slice_mut(band));
    let (zero_in, zero_out) = (sides.input.zero_point() as i8, sides.output.zero_point());
    let geometry = Band::new(&conv.window, read, written);
    let product = FourPixels::new(&conv.weighted, columns.len(), zero_out);
    let Some(gather) = gather(conv, geometry.line) else { return };
    if conv.window.kernel == [1, 1] && conv.window.stride == [1, 1] && geometry.inside {
        pointwise(conv, &gather, &product, columns, zero_out, input, output);
        return clamp(conv.weighted.activation, output);
    }
    for (at, result) in parts_mut(output, oh * ow * oc).enumerate() {
        let image = input.get(at * h * w * c..).unwrap_or(&[]);
        let mut next = Position::first(conv, geometry.line, ow);
        let mut windows = Windows::new(conv, geometry, image, zero_in, &mut *band);
        let mut blocks = parts_mut(result, 4 * oc);
        for block in &mut blocks {
            let pixels = [next.next(), next.next(), next.next(), next.next()];
            windows.gather(&gather, pixels, columns);
            product.run(columns, block);
        }
        for pixel in parts_mut(blocks.into_remainder(), oc) {
            windows.gather(&gather, [next.next(); 4], columns);
            one_pixel(&conv.weighted, first_lanes(columns), zero_out, pixel);
        }
    }
    clamp(conv.weighted.activation, output);
}

/// A kernel of one tap at all pixels: windows are the pixels, one after the other.
fn pointwise(
    conv: &Conv2d<'_>,
    gather: &Gather,
    product: &FourPixels<'_>,
    columns: &mut [Quad4],
    zero_out: i32,
    input: &[i8],
    output: &mut [i8],
) {
    let (c, oc) = (conv.input_channels, conv.weighted.channels.len());
    let (mut pixels, mut blocks) = (parts(input, 4 * c), parts_mut(output, 4 * oc));
    for (pixels, block) in (&mut pixels).zip(&mut blocks) {
        gather.run(pixels, [0, c, 2 * c, 3 * c], columns);
        product.run(columns, block);
    }
    let rest = pixels.into_remainder();
    for (at, block) in parts_mut(blocks.into_remainder(), oc).enumerate() {
        gather.run(rest, [at * c; 4], columns);
        one_pixel(&conv.weighted, first_lanes(columns), zero_out, block);
    }
}

/// How the first row of a window is gathered, or all of it where no column is dilated.
fn gather(conv: &Conv2d<'_>, line: usize) -> Option<Gather> {
    let (window, quads) = (&conv.window, conv.quads());
    if window.dilation[1] == 1 {
        return Gather::new(quads, quads.rows, window.dilation[0].checked_mul(line)?, 0);
    }
    dilated(conv, 0)
}

/// How row `ky` of a window with columns apart is gathered.
fn dilated(conv: &Conv2d<'_>, ky: usize) -> Option<Gather> {
    let taps = conv.window.kernel[1];
    Gather::new(conv.quads(), taps, conv.window.dilation[1].checked_mul(conv.input_channels)?, ky.checked_mul(taps)?)
}

/// Windows in reading order, by the padded offset of their first element.
struct Position {
    offset: usize,
    /// Where the row of windows begins, and how many are left of it.
    row: usize,
    left: usize,
    across: usize,
    down: usize,
    width: usize,
}

impl Position {
    fn first(conv: &Conv2d<'_>, line: usize, width: usize) -> Self {
        let stride = conv.window.stride;
        let (across, down) = (stride[1] * conv.input_channels, stride[0] * line);
        Self { offset: 0, row: 0, left: width, across, down, width }
    }

    /// The offset of the next.
    #[inline(always)]
    fn next(&mut self) -> usize {
        let here = self.offset;
        self.offset += self.across;
        self.left -= 1;
        if self.left == 0 {
            self.row += self.down;
            (self.offset, self.left) = (self.row, self.width);
        }
        here
    }
}

/// What columns are gathered from: the image, or a band of it.
struct Windows<'a> {
    conv: &'a Conv2d<'a>,
    geometry: Band,
    image: &'a [i8],
    zero: i8,
    band: &'a mut [i8],
    /// Padded offset at which the band begins, and the one from which on windows are not inside of it.
    origin: usize,
    end: usize,
}

impl<'a> Windows<'a> {
    fn new(conv: &'a Conv2d<'a>, geometry: Band, image: &'a [i8], zero: i8, band: &'a mut [i8]) -> Self {
        let end = if geometry.inside { usize::MAX } else { 0 };
        Self { conv, geometry, image, zero, band, origin: 0, end }
    }

    /// The input under four output pixels (in reading order) into the columns' lanes.
    #[inline(always)]
    fn gather(&mut self, gather: &Gather, pixels: [usize; 4], columns: &mut [Quad4]) {
        if pixels[3] >= self.end {
            self.refill(pixels[0]);
        }
        let source = if self.geometry.inside { self.image } else { &*self.band };
        // Not by `map`, which is not inlined where code is to be small.
        let ([a, b, c, d], origin) = (pixels, self.origin);
        let starts = [a.wrapping_sub(origin), b.wrapping_sub(origin), c.wrapping_sub(origin), d.wrapping_sub(origin)];
        gather.run(source, starts, columns);
        if self.conv.window.dilation[1] != 1 {
            self.rows(starts, columns);
        }
    }

    /// The other rows of windows whose columns are apart.
    fn rows(&self, starts: [usize; 4], columns: &mut [Quad4]) {
        let source = if self.geometry.inside { self.image } else { &*self.band };
        let down = self.conv.window.dilation[0] * self.geometry.line;
        for ky in 1..self.conv.window.kernel[0] {
            if let Some(gather) = dilated(self.conv, ky) {
                gather.run(source, starts.map(|start| start.wrapping_add(ky * down)), columns);
            }
        }
    }

    /// The band from the row of the window at `offset` on.
    fn refill(&mut self, offset: usize) {
        let Band { line, rows, above, .. } = self.geometry;
        let first = offset / line.max(1);
        self.geometry.fill(self.image, first, self.zero, self.band);
        self.origin = first * line;
        self.end = (first + rows + 1).saturating_sub(above) * line;
    }
}
