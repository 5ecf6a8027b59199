//! A transposed convolution as ordinary ones: pixels that lie at the same place between two strides meet the same taps.
//!
//! With stride `s`, pixel `i` of the image gets its gradient through the taps `k` for which `i + padding - k dilation` is a multiple of `s`,
//! from the output there. That depends on `i` modulo `s` alone: each of the `s` phases of an axis is a convolution, of stride 1, with some of the
//! taps in reverse.

use super::conv::Geometry;
use super::kernels::{Axis, Columns, Correlate, Margins, Pack, Places, VECTORS, Windows, dispatch};
use crate::graph::Real;

/// One phase of one axis.
#[derive(Debug, Clone, Copy)]
struct Phase {
    /// Pixels of the image in this phase.
    pixels: usize,
    /// The last tap of the convolution that meets it, which comes first here.
    last: usize,
    /// From one of its taps to the one before.
    period: usize,
    /// How many taps.
    taps: usize,
    /// Outputs from a tap to the next.
    dilation: usize,
    /// The output that the first tap of the first pixel meets; may lie before all outputs.
    start: isize,
}

/// One axis of a convolution.
#[derive(Debug, Clone, Copy)]
struct Line {
    kernel: usize,
    stride: usize,
    dilation: usize,
    padding: usize,
    pixels: usize,
    outputs: usize,
}

impl Line {
    fn phase(&self, phase: usize) -> Phase {
        let meets = |tap: usize| (phase + self.padding).abs_diff(tap * self.dilation).is_multiple_of(self.stride);
        let mut taps = (0..self.kernel).rev().filter(|&tap| meets(tap));
        let (last, before) = (taps.next(), taps.next());
        let period = last.zip(before).map_or(1, |(last, before)| last - before);
        let taps = (0..self.kernel).filter(|&tap| meets(tap)).count();
        let offset = (phase + self.padding) as isize - (last.unwrap_or(0) * self.dilation) as isize;
        Phase {
            pixels: self.pixels.saturating_sub(phase).div_ceil(self.stride),
            last: last.unwrap_or(0),
            period,
            taps,
            dilation: (period * self.dilation / self.stride).max(1),
            start: offset.div_euclid(self.stride as isize),
        }
    }

    /// Outputs that its phases read before the first and behind the last one.
    fn margins(&self) -> [usize; 2] {
        let phases = (0..self.stride).map(|phase| self.phase(phase)).filter(|p| p.pixels > 0 && p.taps > 0);
        phases.fold([0, 0], |[before, behind], p| {
            let end = p.start + (p.pixels - 1 + (p.taps - 1) * p.dilation) as isize + 1;
            let beyond = (end - self.outputs as isize).max(0) as usize;
            [before.max((-p.start).max(0) as usize), behind.max(beyond)]
        })
    }
}

/// The phases of a convolution with `filters` filters.
pub struct Phases<'a> {
    geometry: &'a Geometry,
    filters: usize,
    rows: Line,
    cols: Line,
    margins: Margins,
}

impl<'a> Phases<'a> {
    /// Of the convolution of this geometry.
    pub fn new(geometry: &'a Geometry, filters: usize) -> Self {
        let line = |at: usize, padding: usize, pixels: usize, outputs: usize| {
            let window = &geometry.window;
            let (kernel, stride, dilation) = (window.kernel[at], window.stride[at], window.dilation[at]);
            Line { kernel, stride, dilation, padding, pixels, outputs }
        };
        let padding = geometry.window.padding;
        let rows = line(0, padding.top, geometry.h, geometry.oh);
        let cols = line(1, padding.left, geometry.w, geometry.ow);
        let margins = Margins { rows: rows.margins(), cols: cols.margins() };
        Self { geometry, filters, rows, cols, margins }
    }

    /// Elements of a gradient with its margins.
    pub fn padded(&self) -> usize {
        let [height, width] = self.margins.around(self.geometry.oh, self.geometry.ow);
        height * width * self.filters
    }

    /// Each phase with its place in the packed filters.
    fn each(&self) -> impl Iterator<Item = ([usize; 2], [Phase; 2], usize)> {
        let (strides, mut at) = ([self.rows.stride, self.cols.stride], 0);
        (0..strides[0] * strides[1]).map(move |number| {
            let place = [number / strides[1], number % strides[1]];
            let phase = [self.rows.phase(place[0]), self.cols.phase(place[1])];
            let start = at;
            at += self.taps(&phase) * Columns::padded(self.geometry.c);
            (place, phase, start)
        })
    }

    fn taps(&self, [rows, cols]: &[Phase; 2]) -> usize {
        rows.taps * cols.taps * self.filters
    }

    /// Packs the filters (OHWI) for [`Phases::run`].
    pub fn pack<T: Real>(&self, filters: &[T], packed: &mut [T]) {
        let (channels, [height, width]) = (self.geometry.c, self.geometry.window.kernel);
        for (_, phase, start) in self.each() {
            let ([rows, cols], taps) = (phase, self.taps(&phase));
            let value = |tap: usize, channel: usize| {
                let (window, filter) = (tap / self.filters, tap % self.filters);
                let y = rows.last - window / cols.taps * rows.period;
                let x = cols.last - window % cols.taps * cols.period;
                filters[((filter * height + y) * width + x) * channels + channel]
            };
            let packed = &mut packed[start..start + taps * Columns::padded(channels)];
            dispatch(Pack { taps, columns: channels, vectors: VECTORS, value, packed });
        }
    }

    /// The gradient of one image from that of its outputs; `padded` is room for [`Phases::padded`] elements.
    pub fn run<T: Real>(&self, dy: &[T], packed: &[T], padded: &mut [T], dx: &mut [T]) {
        let (g, filters) = (self.geometry, self.filters);
        let source = if self.margins.any() {
            self.margins.copy(dy, g.ow * filters, filters, padded);
            &*padded
        } else {
            dy
        };
        let line = self.margins.around(g.oh, g.ow)[1] * filters;
        for (place, [rows, cols], start) in self.each() {
            if rows.pixels == 0 || cols.pixels == 0 {
                continue;
            }
            let axis = |p: &Phase| Axis { outputs: p.pixels, stride: 1, taps: p.taps, dilation: p.dilation };
            let windows = Windows { rows: axis(&rows), cols: axis(&cols), line, channels: filters };
            let first = |p: &Phase, before: usize| if p.taps > 0 { (p.start + before as isize) as usize } else { 0 };
            let begin = first(&rows, self.margins.rows[0]) * line + first(&cols, self.margins.cols[0]) * filters;
            dispatch(Correlate {
                windows,
                columns: g.c,
                source: &source[begin..],
                packed: &packed[start..],
                bias: None,
                places: Places {
                    first: (place[0] * g.w + place[1]) * g.c,
                    row: self.rows.stride * g.w * g.c,
                    col: self.cols.stride * g.c,
                },
                accumulate: false,
                vectors: VECTORS,
                out: dx,
            });
        }
    }
}
