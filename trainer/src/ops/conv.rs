//! Geometry of windows over images; and im2col, for grouped convolutions: a convolution as a matrix product (Chellapilla et al. 2006).

use super::kernels::{Axis, Margins, Windows};
use super::misfit;
use crate::Result;
use crate::graph::{Real, Shape};

/// Elements of an im2col tile: a quarter of a megabyte in `f32`, so that it stays in a second-level cache.
const TILE: usize = 64 * 1024;

/// Zeros around an image, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Padding {
    /// Rows above.
    pub top: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns to the left.
    pub left: usize,
    /// Columns to the right.
    pub right: usize,
}

impl Padding {
    /// The same on all four sides.
    pub fn all(pixels: usize) -> Self {
        Self { top: pixels, bottom: pixels, left: pixels, right: pixels }
    }
}

/// How a window moves over an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Rows and columns of the window.
    pub kernel: [usize; 2],
    /// Steps down and right.
    pub stride: [usize; 2],
    /// Steps between the rows and columns of the window, 1 for a dense one.
    pub dilation: [usize; 2],
    /// Zeros around the image.
    pub padding: Padding,
}

impl Window {
    /// A dense window.
    pub fn new(kernel: [usize; 2], stride: [usize; 2], padding: Padding) -> Self {
        Self { kernel, stride, dilation: [1, 1], padding }
    }

    /// Rows and columns of the output for an image of `height x width`.
    pub fn output(&self, height: usize, width: usize) -> Result<[usize; 2]> {
        let Padding { top, bottom, left, right } = self.padding;
        let ([kh, kw], [sy, sx], [dy, dx]) = (self.kernel, self.stride, self.dilation);
        if [kh, kw, sy, sx, dy, dx].contains(&0) {
            return Err(misfit("kernel, stride and dilation must be at least 1"));
        }
        let (rows, cols) = ((kh - 1) * dy + 1, (kw - 1) * dx + 1);
        match ((height + top + bottom).checked_sub(rows), (width + left + right).checked_sub(cols)) {
            (Some(rows), Some(cols)) => Ok([rows / sy + 1, cols / sx + 1]),
            _ => Err(misfit(format!("a {kh}x{kw} window does not fit into an image of {height}x{width}"))),
        }
    }
}

/// All sizes of one convolution, or of a pool.
#[derive(Debug, Clone, Copy)]
pub struct Geometry {
    /// Images.
    pub n: usize,
    /// Rows of the input.
    pub h: usize,
    /// Columns of the input.
    pub w: usize,
    /// Channels of the input.
    pub c: usize,
    /// Rows of the output.
    pub oh: usize,
    /// Columns of the output.
    pub ow: usize,
    /// The window.
    pub window: Window,
}

impl Geometry {
    /// Sizes for images of shape `x` (NHWC).
    pub fn new(x: &Shape, window: Window) -> Result<Self> {
        let &[n, h, w, c] = x.dims() else {
            return Err(misfit(format!("takes images (NHWC), was given shape {x}")));
        };
        if x.elements() == 0 {
            return Err(misfit(format!("image of shape {x} is empty")));
        }
        let [oh, ow] = window.output(h, w)?;
        Ok(Self { n, h, w, c, oh, ow, window })
    }

    /// Sizes of a pool, whose windows must not lie in the padding alone.
    pub fn of_pool(x: &Shape, window: Window) -> Result<Self> {
        let Padding { top, bottom, left, right } = window.padding;
        if top.max(bottom) >= window.kernel[0] || left.max(right) >= window.kernel[1] {
            return Err(misfit("padding must be smaller than the window"));
        }
        Self::new(x, window)
    }

    /// Dimensions of the output with so many channels.
    pub fn output(&self, channels: usize) -> [usize; 4] {
        [self.n, self.oh, self.ow, channels]
    }

    /// Elements of one input image.
    pub fn image(&self) -> usize {
        self.h * self.w * self.c
    }

    /// Pixels of one output image.
    pub fn pixels(&self) -> usize {
        self.oh * self.ow
    }

    /// Taps of one filter.
    pub fn taps(&self) -> usize {
        self.window.kernel[0] * self.window.kernel[1] * self.c
    }

    /// Output lines that are unfolded at once.
    pub fn tile_lines(&self) -> usize {
        (TILE / (self.ow * self.taps()).max(1)).clamp(1, self.oh * self.n.max(1))
    }

    /// Elements of one tile.
    pub fn tile(&self) -> usize {
        self.tile_lines() * self.ow * self.taps()
    }

    /// Zeros that convolutions need around an image.
    pub fn margins(&self) -> Margins {
        let Padding { top, bottom, left, right } = self.window.padding;
        Margins { rows: [top, bottom], cols: [left, right] }
    }

    /// The windows over an image with its [`Geometry::margins`].
    pub fn windows(&self) -> Windows {
        let axis = |at: usize, outputs: usize| {
            let Window { kernel, stride, dilation, .. } = self.window;
            Axis { outputs, stride: stride[at], taps: kernel[at], dilation: dilation[at] }
        };
        let [_, width] = self.margins().around(self.h, self.w);
        Windows { rows: axis(0, self.oh), cols: axis(1, self.ow), line: width * self.c, channels: self.c }
    }

    /// Elements of an image with its [`Geometry::margins`].
    pub fn padded_image(&self) -> usize {
        let [height, width] = self.margins().around(self.h, self.w);
        height * width * self.c
    }

    /// Rows of the window that lie inside the image for output row `oy`, with the input row of each.
    pub fn window_rows(&self, oy: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (start, top, h) = (oy * self.window.stride[0], self.window.padding.top, self.h);
        let step = self.window.dilation[0];
        (0..self.window.kernel[0])
            .filter_map(move |ky| (start + ky * step).checked_sub(top).filter(|&iy| iy < h).map(|iy| (ky, iy)))
    }

    /// Columns of the window inside the image for output column `ox`: first tap, first input column, how many.
    pub fn window_cols(&self, ox: usize) -> (usize, usize, usize) {
        let (start, left, step) = (ox * self.window.stride[1], self.window.padding.left, self.window.dilation[1]);
        let first = left.saturating_sub(start).div_ceil(step);
        let column = (start + first * step).saturating_sub(left);
        let fitting = self.w.saturating_sub(column).div_ceil(step);
        (first, column, self.window.kernel[1].saturating_sub(first).min(fitting))
    }

    /// Where `count` neighbouring taps of a row lie, in the filter's row and in the image's, in pieces that are whole in both.
    fn runs(&self, count: usize) -> impl Iterator<Item = (std::ops::Range<usize>, std::ops::Range<usize>)> + use<> {
        let (c, step) = (self.c, self.window.dilation[1]);
        let (pieces, length) = if step == 1 { (usize::from(count > 0), count * c) } else { (count, c) };
        (0..pieces).map(move |at| (at * c..at * c + length, at * step * c..at * step * c + length))
    }

    /// Unfolds output lines `lines` of `images` into `tile`, one row of [`Geometry::taps`] per output pixel.
    pub fn unfold<T: Real>(&self, images: &[T], lines: std::ops::Range<usize>, tile: &mut [T]) {
        let (taps, line, row) = (self.taps(), self.ow * self.taps(), self.window.kernel[1] * self.c);
        let padded = self.window.padding != Padding::default();
        for (at, cols) in lines.zip(tile.chunks_exact_mut(line)) {
            let image = &images[at / self.oh * self.image()..][..self.image()];
            if padded {
                cols.fill(T::ZERO);
            }
            for (ky, iy) in self.window_rows(at % self.oh) {
                for (ox, patch) in cols.chunks_exact_mut(taps).enumerate() {
                    let (first, column, count) = self.window_cols(ox);
                    let (from, to) = ((iy * self.w + column) * self.c, ky * row + first * self.c);
                    for (taps, pixels) in self.runs(count) {
                        let (taps, pixels) = (to + taps.start..to + taps.end, from + pixels.start..from + pixels.end);
                        patch[taps].copy_from_slice(&image[pixels]);
                    }
                }
            }
        }
    }

    /// Adds a tile back onto the images: the transpose of [`Geometry::unfold`].
    pub fn fold<T: Real>(&self, tile: &[T], lines: std::ops::Range<usize>, images: &mut [T]) {
        let (taps, line, row) = (self.taps(), self.ow * self.taps(), self.window.kernel[1] * self.c);
        for (at, cols) in lines.zip(tile.chunks_exact(line)) {
            let image = &mut images[at / self.oh * self.image()..][..self.image()];
            for (ky, iy) in self.window_rows(at % self.oh) {
                for (ox, patch) in cols.chunks_exact(taps).enumerate() {
                    let (first, column, count) = self.window_cols(ox);
                    let (to, from) = ((iy * self.w + column) * self.c, ky * row + first * self.c);
                    for (taps, pixels) in self.runs(count) {
                        let pixels = &mut image[to + pixels.start..to + pixels.end];
                        pixels.iter_mut().zip(&patch[from + taps.start..]).for_each(|(x, &v)| *x += v);
                    }
                }
            }
        }
    }

    /// Ranges of lines, one tile each, over `images` images.
    pub fn tiles(&self, images: usize) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
        let (lines, step) = (images * self.oh, self.tile_lines());
        (0..lines).step_by(step).map(move |start| start..(start + step).min(lines))
    }
}
