//! How the DSP kernel lays a depthwise convolution out: four channels at a time become four planes of int16, in bands of
//! lines, with the padding around them.
//!
//! A line runs along the width or the height, whichever wastes fewer outputs: outputs of a line are computed four or two
//! at a time.

use crate::arch::dsp::planes::Kernel;
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
const WHOLE: usize = 2048;

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

    /// Instructions, about, of the outputs along a line.
    fn cost(&self) -> usize {
        12 + self.output / 4 * 62 + (self.output % 4).div_ceil(2) * 38
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
    /// Words, of two elements, of a line in scratch.
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
            .map(|(across, along)| across.output.saturating_mul(along.cost()));
        let best = if by_columns < by_rows { columns.or(rows) } else { rows.or(columns) };
        best.filter(|_| c == oc)
    }

    fn along(across: Axis, along: Axis, rows: bool) -> Option<Self> {
        let taps = across.kernel.min(along.kernel)..=across.kernel.max(along.kernel).max(across.stride);
        let fits = *taps.start() > 0 && *taps.end() <= MAX_KERNEL && across.extent() <= MAX_EXTENT;
        if !fits || across.stride == 0 || !(1..=2).contains(&along.stride) || along.dilation != 1 {
            return None;
        }
        let kernel = match (across.kernel, along.kernel) {
            (3, 3) => Kernel::ThreeByThree,
            (lines, taps) => Kernel::Any { lines, taps: taps / 2 + 1 },
        };
        Some(Self { across, along, rows, kernel, words: kernel.line_words(along.output, along.stride) })
    }

    /// Elements of an input line that outputs see.
    pub fn line_elements(&self) -> usize {
        self.along.input.min((2 * self.words).saturating_sub(self.along.padding))
    }

    /// Lines of scratch that `words` words hold beside the lanes' constants; `None` if not even one window's.
    pub fn band_lines(&self, words: usize) -> Option<usize> {
        let lines = words.checked_sub(LANES * self.kernel.lane_words())?.checked_div(LANES * self.words)?;
        Some(lines.min(self.across.covered())).filter(|lines| *lines >= self.across.extent())
    }

    /// Bytes of scratch for bands of a few lines of output, or for all lines where they are small.
    pub fn scratch_bytes(&self) -> usize {
        let line = LANES * 4 * self.words;
        let lines = (self.across.extent() + (BAND - 1) * self.across.stride).max(WHOLE.checked_div(line).unwrap_or(0));
        LANES * 4 * self.kernel.lane_words() + lines.min(self.across.covered()) * line
    }
}
