//! How the DSP kernel lays a depthwise convolution out: four channels at a time become four planes of int16, in bands of
//! lines, with the padding around them.
//!
//! A line runs along the width or the height, whichever wastes fewer outputs: outputs of a line are computed four or two
//! at a time.

use super::MAX_LINES;
use crate::blob::Window;

/// Channels whose planes are in scratch at one time: what one load of a word brings.
pub const LANES: usize = 4;
/// Words of a lane's constants before its weights.
pub const HEAD: usize = 7;
/// Largest kernel, and largest step from line to line.
const MAX_KERNEL: usize = 15;
/// Lines of output that a band should yield.
const BAND: usize = 4;

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
    fn covered(&self) -> usize {
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
    /// Words, of two elements, of a line in scratch.
    pub words: usize,
}

impl Planes {
    /// The plan for a convolution that the kernel can do: one output per input channel, 4D shapes (NHWC) of 1 or more.
    pub fn new(window: &Window, [_, h, w, c]: [usize; 4], [_, oh, ow, oc]: [usize; 4]) -> Option<Self> {
        let axis = |i: usize, [input, output]: [usize; 2], [input_step, output_step]: [usize; 2]| Axis {
            kernel: window.kernel[i],
            stride: window.stride[i],
            dilation: window.dilation[i],
            padding: window.padding[i],
            input,
            output,
            input_step,
            output_step,
        };
        let vertical = axis(0, [h, oh], [w * c, ow * oc]);
        let horizontal = axis(1, [w, ow], [c, oc]);
        let swapped =
            horizontal.output.saturating_mul(vertical.cost()) < vertical.output.saturating_mul(horizontal.cost());
        let columns = Self::along(horizontal, vertical, false);
        let rows = Self::along(vertical, horizontal, true);
        let best = if swapped { columns.or(rows) } else { rows.or(columns) };
        best.filter(|_| c == oc)
    }

    fn along(across: Axis, along: Axis, rows: bool) -> Option<Self> {
        let small = across.kernel.max(along.kernel).max(across.stride) <= MAX_KERNEL;
        if !small || across.extent() > MAX_LINES || along.stride > 2 || along.dilation != 1 {
            return None;
        }
        let mut planes = Self { across, along, rows, words: 0 };
        let blocks = along.output.div_ceil(4);
        planes.words = if planes.is_3x3() {
            let pairs = along.output / 4 * 2 + (along.output % 4).div_ceil(2);
            pairs * along.stride + 1
        } else {
            blocks * 2 * along.stride + planes.taps() - 1
        };
        Some(planes)
    }

    /// Whether the kernel of its own for 3 x 3 taps runs.
    pub fn is_3x3(&self) -> bool {
        self.across.kernel == 3 && self.along.kernel == 3
    }

    /// Words of one kernel line's weights.
    pub fn taps(&self) -> usize {
        if self.is_3x3() { 1 } else { self.along.kernel / 2 + 1 }
    }

    /// Words of the constants and weights of one channel.
    pub fn lane_words(&self) -> usize {
        HEAD + 2 * self.across.kernel * self.taps()
    }

    /// Elements of an input line that outputs see.
    pub fn line_elements(&self) -> usize {
        self.along.input.min((2 * self.words).saturating_sub(self.along.padding))
    }

    /// Lines of scratch that `words` words hold beside the lanes' constants; `None` if not even one window's.
    pub fn band_lines(&self, words: usize) -> Option<usize> {
        let lines = words.checked_sub(LANES * self.lane_words())?.checked_div(LANES * self.words)?;
        Some(lines.min(self.across.covered())).filter(|lines| *lines >= self.across.extent())
    }

    /// Bytes of scratch for bands of a few lines of output.
    pub fn scratch_bytes(&self) -> usize {
        let lines = (self.across.extent() + (BAND - 1) * self.across.stride).min(self.across.covered());
        (lines * self.words + self.lane_words()) * LANES * 4
    }
}
