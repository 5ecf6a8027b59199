//! Convolution for Armv7E-M DSP: the input under four output pixels is widened to int16 and interleaved (im2col), then
//! meets all output channels, two at a time, in one block of assembly. Pixels that do not make four go one by one.
//!
//! Predicted with int16 weights: 0.69 instructions per product, 7 per output, 0.9 per element of a window. Measured (`ackermann
//! bench`, Cortex-M4 in QEMU, 2026-11-24), all in, per product: 0.72 for 3x3 kernels over 64 channels with 64 outputs, 0.83 over 16
//! with 16, 1.16 over 3 with 16.

use super::{Band, Conv2d};
use crate::arch::dsp::blocks::{Gather, Quad4, first_lanes};
use crate::blob::Quads;
use crate::ops::dot_dsp::{clamp, four_pixels, one_pixel};
use crate::ops::{Sides, parts, parts_mut};

/// Writes the output, NHWC, of input NHWC; `scratch` holds four columns and the band.
pub fn run(conv: &Conv2d<'_>, sides: Sides<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i16]) {
    let (Some(read), Some(written)) = (sides.input.nhwc(), sides.output.nhwc()) else { return };
    let ([_, h, w, c], [_, oh, ow, oc]) = (read, written);
    let Ok(words) = bytemuck::try_cast_slice_mut::<i16, u32>(scratch) else { return };
    let Some((columns, band)) = words.split_at_mut_checked(conv.quads().count() * 8) else { return };
    let (columns, band) = (columns.as_chunks_mut().0, bytemuck::cast_slice_mut(band));
    let geometry = Band::new(&conv.window, read, written);
    for (image, result) in parts(input, h * w * c).zip(parts_mut(output, oh * ow * oc)) {
        let zero = sides.input.zero_point() as i8;
        let mut windows = Windows { conv, geometry, image, zero, band: &mut *band, held: 0..0 };
        let mut at = Position { y: 0, x: 0, width: ow };
        let mut blocks = parts_mut(result, 4 * oc);
        for block in &mut blocks {
            windows.gather([at.next(), at.next(), at.next(), at.next()], columns);
            four_pixels(&conv.weighted, columns, sides.output.zero_point(), block);
        }
        for pixel in parts_mut(blocks.into_remainder(), oc) {
            windows.gather([at.next(); 4], columns);
            one_pixel(&conv.weighted, first_lanes(columns), sides.output.zero_point(), pixel);
        }
    }
    clamp(conv.weighted.activation, output);
}

/// Output pixels in reading order.
struct Position {
    y: usize,
    x: usize,
    width: usize,
}

impl Position {
    /// Row and column of the next.
    #[inline(always)]
    fn next(&mut self) -> [usize; 2] {
        let here = [self.y, self.x];
        self.x += 1;
        if self.x == self.width {
            (self.y, self.x) = (self.y + 1, 0);
        }
        here
    }
}

/// What columns are gathered from.
struct Windows<'a> {
    conv: &'a Conv2d<'a>,
    geometry: Band,
    image: &'a [i8],
    zero: i8,
    band: &'a mut [i8],
    /// Padded rows in the band.
    held: core::ops::Range<usize>,
}

impl Windows<'_> {
    /// The input under four output pixels (in reading order) into the columns' lanes.
    #[inline(always)]
    fn gather(&mut self, pixels: [[usize; 2]; 4], columns: &mut [Quad4]) {
        let Band { inside, line, rows, above, .. } = self.geometry;
        let (window, quads) = (&self.conv.window, self.conv.quads());
        let [[y, _], .., [last, _]] = pixels;
        let bottom = last * window.stride[0] + above;
        if !inside && (self.held.is_empty() || bottom > self.held.end) {
            let first = y * window.stride[0];
            self.geometry.fill(self.image, first, self.zero, self.band);
            self.held = first..first + rows;
        }
        let source = if inside { self.image } else { &*self.band };
        let origin = self.held.start;
        let step = window.stride[1] * self.conv.input_channels;
        let starts = pixels.map(|[y, x]| (y * window.stride[0]).saturating_sub(origin) * line + x * step);
        let (down, across) = (window.dilation[0] * line, window.dilation[1] * self.conv.input_channels);
        let Quads { rows: of, row } = quads;
        if window.dilation[1] == 1 {
            Gather { rows: of, step: down, row, done: 0, of }.run(source, starts, columns);
            return;
        }
        let taps = window.kernel[1];
        for ky in 0..window.kernel[0] {
            let starts = starts.map(|start| start + ky * down);
            Gather { rows: taps, step: across, row, done: ky * taps, of }.run(source, starts, columns);
        }
    }
}
