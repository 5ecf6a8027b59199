//! How the DSP kernel lays a depthwise convolution out: four channels at a time become four planes of int16, or strips for 3 x 3 taps, in
//! bands of lines, with the padding around them.
//!
//! A line runs along the width or the height, whichever wastes fewer outputs: outputs of a line are computed four or two
//! at a time.

use crate::arch::dsp::planes;
use crate::arch::dsp::strips::{self, Lane};
use crate::blob::Window;

/// Channels whose planes are in scratch at one time: what one load of a word brings.
pub const LANES: usize = 4;
/// Largest kernel, and largest step from line to line.
const MAX_KERNEL: usize = 15;
/// Most input lines from the first kernel line to the last.
const MAX_EXTENT: usize = 64;
/// Lines of output that a band should yield.
const BAND: usize = 4;
/// Bytes of planes that are not cut into bands.
const WHOLE: usize = 7680;

/// One axis of the convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    /// Taps.
    pub kernel: usize,
    /// From output to output.
    pub stride: usize,
    /// From tap to tap.
    pub dilation: usize,
    /// Before the input.
    pub padding: usize,
    /// Positions of the input.
    pub input: usize,
    /// Positions of the output.
    pub output: usize,
    /// Bytes of the input from one position to the next.
    pub input_step: usize,
    /// Bytes of the output from one position to the next.
    pub output_step: usize,
}

impl Axis {
    /// Positions from the first tap to the last.
    pub fn extent(&self) -> usize {
        self.kernel.saturating_sub(1).saturating_mul(self.dilation).saturating_add(1)
    }

    /// Positions under all outputs, padding included.
    pub fn covered(&self) -> usize {
        self.output.saturating_sub(1) * self.stride + self.extent()
    }

    /// Instructions, about, of the outputs of a pair of lines along this axis.
    fn cost(&self) -> usize {
        self.output / 4 * 110 + [0, 64, 64, 110].get(self.output % 4).unwrap_or(&0)
    }
}

/// What slides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// 3 x 3 taps, one stride both ways, over strips.
    Strips,
    /// Any, over planes.
    Planes(planes::Kernel),
}

impl Kernel {
    /// Itself, where the image has it: the loader refuses any other.
    pub fn built(self) -> Option<Self> {
        (self == Self::Strips || cfg!(feature = "planes")).then_some(self)
    }

    /// What slides over planes; none, known to the compiler, where the image has no such operators.
    #[inline(always)]
    pub fn planes(self) -> Option<planes::Kernel> {
        match self {
            Self::Planes(kernel) if cfg!(feature = "planes") => Some(kernel),
            _ => None,
        }
    }

    /// Words of the constants and weights of a channel.
    pub fn lane_words(self) -> usize {
        self.planes().map_or(size_of::<Lane>() / 4, planes::Kernel::lane_words)
    }
}

/// The plan of one convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planes {
    /// From line to line.
    pub across: Axis,
    /// Along a line.
    pub along: Axis,
    /// Whether a line is a row of the image (else a column).
    pub rows: bool,
    /// What slides along a line.
    pub kernel: Kernel,
    /// Planes or strips.
    pub blocks: usize,
    /// Words, of two elements, of a line of each.
    pub words: usize,
}

impl Planes {
    /// The plan for a convolution that the kernel can do: one output per input channel, shapes NHWC, none 0.
    pub fn new(window: &Window, [_, h, w, c]: [usize; 4], [_, oh, ow, oc]: [usize; 4]) -> Option<Self> {
        let axis = |i: usize, [input, output]: [usize; 2], [input_step, output_step]: [usize; 2]| {
            let pick = |pair: [usize; 2]| pair.get(i).copied().unwrap_or(0);
            let (kernel, stride) = (pick(window.kernel), pick(window.stride));
            let (dilation, padding) = (pick(window.dilation), pick(window.padding));
            Axis { kernel, stride, dilation, padding, input, output, input_step, output_step }
        };
        let vertical = axis(0, [h, oh], [w * c, ow * oc]);
        let horizontal = axis(1, [w, ow], [c, oc]);
        let (rows, columns) = (Self::along(vertical, horizontal, true), Self::along(horizontal, vertical, false));
        let [by_rows, by_columns] = [(vertical, horizontal), (horizontal, vertical)]
            .map(|(across, along)| across.output.div_ceil(2).saturating_mul(along.cost()));
        let best = if by_columns < by_rows { columns.or(rows) } else { rows.or(columns) };
        best.filter(|_| c == oc)
    }

    #[inline(never)]
    fn along(across: Axis, along: Axis, rows: bool) -> Option<Self> {
        let taps = across.kernel.min(along.kernel)..=across.kernel.max(along.kernel).max(across.stride);
        let fits = *taps.start() > 0 && *taps.end() <= MAX_KERNEL && across.extent() <= MAX_EXTENT;
        if !fits || across.stride == 0 || !(1..=2).contains(&along.stride) || along.dilation != 1 {
            return None;
        }
        let strips = across.kernel == 3 && across.dilation == 1 && across.stride == along.stride && along.kernel == 3;
        if strips && along.padding <= 1 && along.input > 1 {
            let blocks = strips::strips(along.output, along.stride);
            return Some(Self { across, along, rows, kernel: Kernel::Strips, blocks, words: strips::LINE });
        }
        let kernel = planes::Kernel { lines: across.kernel, taps: along.kernel / 2 + 1 };
        let words = kernel.line_words(along.output, along.stride);
        Some(Self { across, along, rows, kernel: Kernel::Planes(kernel), blocks: LANES, words })
    }

    /// Elements of an input line that outputs see.
    pub fn line_elements(&self) -> usize {
        let words = if self.kernel.planes().is_none() { 2 * self.blocks + 1 } else { self.words };
        self.along.input.min((2 * words).saturating_sub(self.along.padding))
    }

    /// `lines` lines of input for bands of `room` lines (strips' numbers, of which planes have some too).
    #[inline(never)]
    pub fn pixels(&self, room: usize, padding: i8, lines: usize) -> strips::Pixels {
        strips::Pixels {
            count: self.line_elements(),
            step: self.along.input_step,
            odd: self.along.padding % 2 == 1,
            padding,
            lines,
            line: self.across.input_step,
            strips: [self.blocks, room],
        }
    }

    /// `lines` lines of output over bands of `room` lines.
    pub fn walk(&self, room: usize, lines: usize) -> strips::Walk {
        strips::Walk {
            room,
            stride: self.along.stride,
            outputs: self.along.output,
            step: self.along.output_step,
            lines,
            next_output: self.across.output_step,
        }
    }

    /// Words of the constants and weights of four channels, and words that are read behind the last line.
    fn beside(&self) -> usize {
        LANES * self.kernel.lane_words() + strips::BEHIND
    }

    /// Lines of scratch that `words` words hold beside the lanes' constants; `None` if not even one window's.
    pub fn band_lines(&self, words: usize) -> Option<usize> {
        let lines = words.checked_sub(self.beside())?.checked_div(self.blocks * self.words)?;
        Some(lines.min(self.across.covered())).filter(|lines| *lines >= self.across.extent())
    }

    /// Lines of outputs to compute at once where `possible` are, of those `left`: strips go in pairs.
    pub fn at_once(&self, possible: usize, left: usize) -> usize {
        if possible >= left {
            return left;
        }
        if self.kernel.planes().is_none() && possible > 1 { possible & !1 } else { possible }
    }

    /// Bytes of scratch for bands of a few lines of output, or for all lines where they are small.
    pub fn scratch_bytes(&self) -> usize {
        let line = 4 * self.blocks * self.words;
        let Axis { stride, .. } = self.across;
        let possible =
            WHOLE.checked_div(line).unwrap_or(0).saturating_sub(self.across.extent()).checked_div(stride).unwrap_or(0)
                + 1;
        let lines = self.across.extent() + (self.at_once(possible, self.across.output).max(BAND) - 1) * stride;
        4 * self.beside() + lines.min(self.across.covered()) * line
    }
}
