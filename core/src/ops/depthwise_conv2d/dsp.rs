//! Depthwise convolution for Armv7E-M DSP: four channels at a time are split into planes, band by band, and blocks of assembly
//! slide over each plane. DSP layouts: for windows that suit and bounded channels.
//!
//! Lines that the next band sees again move within the scratch, so the input is read once and the output may lie over it.

use super::DepthwiseConv2d;
use super::planes::{Axis, LANES, Planes};
use crate::InOut;
use crate::arch::dsp::halves;
use crate::arch::dsp::planes::{self as blocks, Kernel, LANE_HEAD, Pixels, Walk};
use crate::blob::{Channel, Window};
use crate::ops::dot_dsp::clamp;
use crate::ops::{Sides, parts_mut};

/// Whether [`run`] can.
pub fn suits(conv: &DepthwiseConv2d<'_>, sides: Sides<'_>) -> bool {
    let shapes = sides.input.nhwc().zip(sides.output.nhwc());
    conv.weighted.bounded && shapes.is_some_and(|(input, output)| window_suits(&conv.window, input, output))
}

/// Whether the window does, for shapes NHWC.
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
    let Some(band) = band.get_mut(..LANES * lines * planes.words) else { return };
    let padding = sides.input.zero_point() as i8;
    // Columns beside the input stay as they are from here on.
    band.fill(halves(i16::from(padding), i16::from(padding)));
    let [n, h, w, c] = input;
    for image in 0..n {
        let starts = [image * h * w * c, image * output[1] * output[2] * c];
        for first in (0..c).step_by(LANES) {
            load_lanes(conv, &planes, first, lanes);
            let (channels, starts) = ((c - first).min(LANES), starts.map(|at| at + first));
            Group { planes: &planes, channels, lines, padding, starts, lanes, band }.run(&mut data);
        }
    }
    clamp(conv.weighted.activation, data.output());
}

/// Constants and weights of four channels from number `first` on; zeros for those beyond the last.
fn load_lanes(conv: &DepthwiseConv2d<'_>, planes: &Planes, first: usize, lanes: &mut [u32]) {
    let channels = conv.weighted.channels.get(first..).unwrap_or(&[]);
    let lanes = parts_mut(lanes, planes.kernel.lane_words()).zip(channels).zip(first..);
    for ((lane, channel), o) in lanes {
        let Some((head, words)) = lane.split_first_chunk_mut::<LANE_HEAD>() else { return };
        let Channel { bias, multiplier, rounding, shift } = *channel;
        // Twice the sum is what the requantization multiplies.
        let bias = bias.wrapping_shl(1) as u32;
        *head = [bias, bias, bias, bias, multiplier as u32, rounding as u32, shift.wrapping_neg() as u32];
        load_weights(conv, planes, o, words);
    }
}

/// The weights of output channel `o`, doubled, in pairs.
fn load_weights(conv: &DepthwiseConv2d<'_>, planes: &Planes, o: usize, words: &mut [u32]) {
    let weights = conv.weighted.weights.get(o..).unwrap_or(&[]);
    let mut taps = weights.iter().step_by(conv.weighted.channels.len().max(1)).map(|weight| i16::from(*weight) * 2);
    if let (Kernel::ThreeByThree, Some(words)) = (planes.kernel, words.first_chunk_mut::<6>()) {
        let [a, b, c, d, e, f, g, h, i] = core::array::from_fn(|_| taps.next().unwrap_or(0));
        let (b, c, d, f, g, h) = if planes.rows { (b, c, d, f, g, h) } else { (d, g, b, h, c, f) };
        *words = [halves(a, b), halves(b, c), halves(d, e), halves(e, f), halves(g, h), halves(h, i)];
        return;
    }
    let (lines, count) = (planes.across.kernel, planes.along.kernel);
    let [from_line, from_tap] = if planes.rows { [count, 1] } else { [1, lines] };
    let [_, pairs] = planes.kernel.size();
    for (line, words) in parts_mut(words, 2 * pairs).enumerate() {
        let weight = |tap: Option<usize>| {
            let at = tap.filter(|tap| *tap < count).map(|tap| line * from_line + tap * from_tap);
            at.and_then(|at| taps.clone().nth(at)).unwrap_or(0)
        };
        for ([even, odd], tap) in words.as_chunks_mut().0.iter_mut().zip((0usize..).step_by(2)) {
            *even = halves(weight(Some(tap)), weight(Some(tap + 1)));
            *odd = halves(weight(tap.checked_sub(1)), weight(Some(tap)));
        }
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
    /// All outputs, band by band.
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
            let lines = (whole + 1).min(output - done);
            self.convolve(lines, done, data.output());
            (before, loaded) = (top, end);
            done += lines;
        }
    }

    /// Moves the lines `first..end` of all planes to their beginning.
    fn keep(&mut self, first: usize, end: usize) {
        if first == 0 || first >= end {
            return;
        }
        let words = self.planes.words;
        for plane in parts_mut(self.band, self.lines * words) {
            for line in 0..end - first {
                let Some((to, from)) = plane.split_at_mut_checked((first + line) * words) else { return };
                let to = to.get_mut(line * words..).unwrap_or(&mut []);
                to.iter_mut().zip(from).take(words).for_each(|(to, from)| *to = *from);
            }
        }
    }

    /// Lines `first..end` of all planes lie outside of the input.
    fn pad(&mut self, first: usize, end: usize) {
        let words = self.planes.words;
        let padding = halves(i16::from(self.padding), i16::from(self.padding));
        for plane in parts_mut(self.band, self.lines * words) {
            plane.get_mut(first * words..end * words).unwrap_or(&mut []).fill(padding);
        }
    }

    /// Input lines from number `place` on to slot `slot` and on of all planes.
    fn load(&mut self, place: usize, slot: usize, lines: usize, input: &[i8]) {
        let Planes { across, along, words, .. } = self.planes;
        let pixels = Pixels {
            count: self.planes.line_elements(),
            step: along.input_step,
            odd: along.padding % 2 == 1,
            padding: self.padding,
            lines,
            line: across.input_step,
            line_words: *words,
            plane_words: self.lines * words,
        };
        let source = input.get(self.starts[0] + place * across.input_step..).unwrap_or(&[]);
        let band = self.band.get_mut(slot * words + along.padding / 2..).unwrap_or(&mut []);
        if self.channels == LANES {
            blocks::split(&pixels, source, band);
        } else {
            split_few(&pixels, self.channels, source, band);
        }
    }

    /// `lines` lines of outputs from number `done` on, from the beginning of the planes.
    fn convolve(&self, lines: usize, done: usize, output: &mut [i8]) {
        let Planes { across, along, words, kernel, .. } = self.planes;
        let walk = Walk {
            planes: self.channels,
            plane_words: self.lines * words,
            kernel: *kernel,
            stride: along.stride,
            line: across.dilation * words,
            outputs: along.output,
            step: along.output_step,
            lines,
            next_line: across.stride * words,
            next_output: across.output_step,
        };
        let output = output.get_mut(self.starts[1] + done * across.output_step..).unwrap_or(&mut []);
        blocks::convolve(&walk, self.band, self.lanes, output);
    }
}

/// [`blocks::split`] of fewer than four channels, element by element.
fn split_few(pixels: &Pixels, channels: usize, source: &[i8], planes: &mut [u32]) {
    for (lane, line) in (0..channels).flat_map(|lane| (0..pixels.lines).map(move |line| (lane, line))) {
        let source = source.get(line * pixels.line + lane..).unwrap_or(&[]).iter().step_by(pixels.step.max(1));
        let first = lane * pixels.plane_words + line * pixels.line_words;
        let words = planes.get_mut(first..).unwrap_or(&mut []);
        for (q, at) in source.take(pixels.count).zip(usize::from(pixels.odd)..) {
            if let Some(word) = words.get_mut(at / 2) {
                let shift = (at % 2 * 16) as u32;
                *word = *word & !(0xffff << shift) | u32::from(i16::from(*q) as u16) << shift;
            }
        }
    }
}
