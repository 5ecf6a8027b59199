//! Depthwise convolution for Armv7E-M DSP: four channels at a time are split into strips or planes, band by band, and blocks of assembly
//! slide over them. DSP layouts: for windows that suit and bounded channels.
//!
//! Lines that the next band sees again move within the scratch, so the input is read once and the output may lie over it.

use super::planes::{Axis, LANES, Planes};
use super::{DepthwiseConv2d, lanes};
use crate::InOut;
use crate::arch::dsp::{blocks, halves, planes, strips};
use crate::blob::Window;
use crate::ops::dot_dsp::clamp;
use crate::ops::{Sides, parts_mut};

/// How [`run`] does it, if it can.
pub fn planes(conv: &DepthwiseConv2d<'_>, sides: Sides<'_>) -> Option<Planes> {
    let [input, output] = sides.images()?;
    Planes::new(&conv.window, input, output).filter(|_| conv.weighted.bounded)
}

/// Whether the window suits, for shapes NHWC.
pub fn window_suits(window: &Window, input: [usize; 4], output: [usize; 4]) -> bool {
    Planes::new(window, input, output).is_some()
}

/// Scratch bytes: lanes and a band; 0 where [`run`] cannot.
pub fn scratch_bytes(window: &Window, input: [usize; 4], output: [usize; 4]) -> usize {
    Planes::new(window, input, output).map_or(0, |planes| planes.scratch_bytes())
}

/// Writes the output, NHWC, of input NHWC; `scratch` holds lanes and a band.
pub fn run(conv: &DepthwiseConv2d<'_>, sides: Sides<'_>, mut data: InOut<'_>, scratch: &mut [i16]) {
    let (Some(input), Some(output)) = (sides.input.nhwc(), sides.output.nhwc()) else { return };
    let Some(planes) = Planes::new(&conv.window, input, output) else { return };
    let Some(lines) = planes.band_lines(scratch.len() / 2) else { return };
    let Ok(words) = bytemuck::try_cast_slice_mut::<i16, u32>(scratch) else { return };
    let Some((lanes, band)) = words.split_at_mut_checked(LANES * planes.kernel.lane_words()) else { return };
    let Some(band) = band.get_mut(..planes.blocks * lines * planes.words + strips::BEHIND) else { return };
    let padding = sides.input.zero_point() as i8;
    // Columns beside the input stay as they are from here on.
    band.fill(halves(i16::from(padding), i16::from(padding)));
    let [n, h, w, c] = input;
    let cut = conv.weighted.cuts_below_zero(sides.output.zero_point());
    let frame = Frame::new(&planes, lines, padding);
    for image in 0..n {
        let starts = [image * h * w * c, image * output[1] * output[2] * c];
        for first in (0..c).step_by(LANES) {
            lanes::load(conv, &planes, cut, first, lanes);
            let (channels, starts) = ((c - first).min(LANES), starts.map(|at| at + first));
            let mut group = Group { planes: &planes, channels, lines, padding, starts, lanes, band };
            match &frame {
                Some(frame) if channels == LANES => group.at_once(frame, &mut data),
                _ => group.run(&mut data),
            }
        }
    }
    clamp(conv.weighted.activation, data.output());
}

/// All strips of four channels: what is the same for all of them.
struct Frame {
    split: strips::Split,
    sweep: strips::Sweep,
    /// Words before the first line that is split.
    above: usize,
}

impl Frame {
    /// Where `lines` are all of them.
    fn new(planes: &Planes, lines: usize, padding: i8) -> Option<Self> {
        let Axis { padding: above, input, output, .. } = planes.across;
        let covered = planes.across.covered();
        if planes.kernel.planes().is_some() || lines != covered {
            return None;
        }
        let pixels = planes.pixels(lines, padding, input.min(covered.checked_sub(above)?));
        let (split, sweep) = (strips::Split::new(&pixels)?, strips::Sweep::new(&planes.walk(lines, output))?);
        Some(Self { split, sweep, above: above * planes.words })
    }
}

/// Up to four channels of one image.
struct Group<'a> {
    planes: &'a Planes,
    channels: usize,
    /// Lines of a plane in scratch.
    lines: usize,
    padding: i8,
    /// First byte of the input, and of the output.
    starts: [usize; 2],
    lanes: &'a [u32],
    band: &'a mut [u32],
}

impl Group<'_> {
    /// All outputs of strips that are there as a whole.
    fn at_once(&mut self, frame: &Frame, data: &mut InOut<'_>) {
        let [from, to] = self.starts;
        let (source, band) = (data.input().get(from..), self.band.get_mut(frame.above..));
        if let (Some(source), Some(band)) = (source, band) {
            frame.split.run(source, band);
        }
        let (lanes, output) = (self.lanes.as_chunks().0, data.output().get_mut(to..));
        frame.sweep.run(self.band, lanes, output.unwrap_or(&mut []));
    }

    /// All outputs, band by band.
    #[inline(never)]
    fn run(&mut self, data: &mut InOut<'_>) {
        let Axis { stride, output, padding, input, .. } = self.planes.across;
        let covered = self.planes.across.covered();
        let (mut done, mut loaded, mut before) = (0, 0, 0);
        while done < output {
            let top = done * stride;
            self.keep(top - before, loaded - before);
            let (first, end) = (loaded.max(top), (top + self.lines).min(covered));
            let (inside, below) = (first.max(padding), end.min(padding + input));
            // Where all lines have their place in scratch, those outside of the input stay.
            if self.lines < covered {
                self.pad(first - top, inside.min(end) - top);
                self.pad(below.max(first) - top, end - top);
            }
            if inside < below {
                self.load(inside - padding, inside - top, below - inside, data.input());
            }
            let whole = (end - top - self.planes.across.extent()).checked_div(stride).unwrap_or(0);
            let lines = self.planes.at_once(whole + 1, output - done);
            self.convolve(lines, done, data.output());
            (before, loaded) = (top, end);
            done += lines;
        }
    }

    /// Moves the lines `first..end` of all blocks to their beginning.
    fn keep(&mut self, first: usize, end: usize) {
        if first == 0 {
            return;
        }
        let words = self.planes.words;
        for block in parts_mut(self.band, self.lines * words) {
            for line in (first..end).step_by(first) {
                let Some((to, from)) = block.split_at_mut_checked(line * words) else { return };
                let to = to.get_mut((line - first) * words..).unwrap_or(&mut []);
                let from = from.get(..first.min(end - line) * words).unwrap_or(&[]);
                if let (Ok(from), Ok(to)) = (bytemuck::try_cast_slice(from), bytemuck::try_cast_slice_mut(to)) {
                    blocks::copy(from, to);
                }
            }
        }
    }

    /// Lines `first..end` of all blocks lie outside of the input.
    #[inline(never)]
    fn pad(&mut self, first: usize, end: usize) {
        let words = self.planes.words;
        let padding = halves(i16::from(self.padding), i16::from(self.padding));
        for block in parts_mut(self.band, self.lines * words).filter(|_| first < end) {
            block.get_mut(first * words..end * words).unwrap_or(&mut []).fill(padding);
        }
    }

    /// Input lines from number `place` on to slot `slot` and on of all blocks.
    fn load(&mut self, place: usize, slot: usize, lines: usize, input: &[i8]) {
        let Planes { across, along, words, kernel, .. } = *self.planes;
        let source = input.get(self.starts[0] + place * across.input_step..).unwrap_or(&[]);
        let pixels = self.planes.pixels(self.lines, self.padding, lines);
        if kernel.planes().is_none() {
            let band = self.band.get_mut(slot * words..).unwrap_or(&mut []);
            if self.channels < LANES {
                few::strips(&pixels, self.channels, source, band);
            } else if let Some(split) = strips::Split::new(&pixels) {
                split.run(source, band);
            }
            return;
        }
        let strips::Pixels { count, step, odd, padding, lines, line, .. } = pixels;
        let plane_words = self.lines * words;
        let pixels = planes::Pixels { count, step, odd, padding, lines, line, line_words: words, plane_words };
        let band = self.band.get_mut(slot * words + along.padding / 2..).unwrap_or(&mut []);
        if self.channels == LANES {
            planes::split(&pixels, source, band);
        } else {
            few::planes(&pixels, self.channels, source, band);
        }
    }

    /// `lines` lines of outputs from number `done` on, from the beginning of the blocks.
    fn convolve(&self, lines: usize, done: usize, output: &mut [i8]) {
        let Planes { across, words, kernel, .. } = *self.planes;
        let output = output.get_mut(self.starts[1] + done * across.output_step..).unwrap_or(&mut []);
        let walk = self.planes.walk(self.lines, lines);
        let Some(kernel) = kernel.planes() else {
            let lanes = self.lanes.as_chunks().0.get(..self.channels).unwrap_or(&[]);
            return strips::Sweep::new(&walk).map_or((), |sweep| sweep.run(self.band, lanes, output));
        };
        let strips::Walk { room, stride, outputs, step, lines, next_output } = walk;
        let (line, next_line) = (across.dilation * words, across.stride * words);
        let (planes, plane_words) = (self.channels, room * words);
        let walk =
            planes::Walk { planes, plane_words, kernel, stride, line, outputs, step, lines, next_line, next_output };
        planes::convolve(&walk, self.band, self.lanes, output);
    }
}

/// Splitting fewer than four channels, element by element.
mod few {
    use crate::arch::dsp::{planes, strips};

    /// Into planes.
    pub fn planes(pixels: &planes::Pixels, channels: usize, source: &[i8], words: &mut [u32]) {
        let planes::Pixels { count, step, odd, lines, line, line_words, plane_words, .. } = *pixels;
        for (lane, row) in (0..channels).flat_map(|lane| (0..lines).map(move |row| (lane, row))) {
            let source = source.get(row * line + lane..).unwrap_or(&[]).iter().step_by(step.max(1));
            for (q, at) in source.take(count).zip(usize::from(odd)..) {
                put(words, lane * plane_words + row * line_words + at / 2, at, *q);
            }
        }
    }

    /// Into strips.
    pub fn strips(pixels: &strips::Pixels, channels: usize, source: &[i8], words: &mut [u32]) {
        let strips::Pixels { count, step, odd, lines, line, strips: [strips, room], .. } = *pixels;
        for (lane, row) in (0..channels).flat_map(|lane| (0..lines).map(move |row| (lane, row))) {
            let source = source.get(row * line + lane..).unwrap_or(&[]).iter().step_by(step.max(1));
            for (q, at) in source.take(count).zip(usize::from(odd)..) {
                let (strip, part) = (at / 4, at / 2 % 2);
                let word = |strip: usize, part: usize| (strip * room + row) * strips::LINE + lane * 3 + part;
                if strip < strips {
                    put(words, word(strip, part), at, *q);
                }
                if part == 0 && strip > 0 {
                    put(words, word(strip - 1, 2), at, *q);
                }
            }
        }
    }

    /// The half of a word.
    fn put(words: &mut [u32], word: usize, at: usize, q: i8) {
        if let Some(word) = words.get_mut(word) {
            let shift = (at % 2 * 16) as u32;
            *word = *word & !(0xffff << shift) | u32::from(i16::from(q) as u16) << shift;
        }
    }
}
