//! Convolution over height and width.
//!
//! ```text
//! sum(o)             = bias(o) + sum over ky, kx, c of weight(o, ky, kx, c) * input(n, iy, ix, c)
//! iy, ix             = y * stride - padding + k * dilation
//! output(n, y, x, o) = clamp(requantize(sum(o)))
//! ```
//!
//! Taps outside of the input read the input's zero point. The zero point itself is folded into the bias
//! (`bias - zero_point * sum(weights)`), so that the sum runs over raw int8 values. Weights are symmetric per channel.
//! Input, output: NHWC. Source: TFLite `reference_integer_ops::ConvPerChannel`, 8-bit quantization specification.

mod band;
pub mod dsp;
pub mod mve;
pub mod portable;
pub mod reference;
pub mod x86;

pub use self::band::Band;
use super::record::Record;
use super::{Kernels, Node, Sides, Weighted};
use crate::LoadError;
use crate::blob::{Layout, Quads, Window};
use crate::session::{Memory, Open};

/// A convolution, ready to run.
#[derive(Debug, Clone, Copy)]
pub struct Conv2d<'m> {
    /// Kernel, stride, dilation, padding.
    pub window: Window,
    /// Input channels; weights are output channels x kernel height x kernel width x these.
    pub input_channels: usize,
    /// Weights, channels, requantization.
    pub weighted: Weighted<'m>,
}

impl Conv2d<'_> {
    /// Multiplications per output element.
    pub fn taps(&self) -> usize {
        self.window.kernel[0].saturating_mul(self.row())
    }

    /// Rows of the weights in their layout.
    pub fn quads(&self) -> Quads {
        let [rows, taps] = self.window.runs(self.weighted.layout);
        Quads { rows, row: taps.saturating_mul(self.input_channels).max(1) }
    }

    /// Elements of one kernel row: kernel width x input channels.
    pub fn row(&self) -> usize {
        self.window.kernel[1].saturating_mul(self.input_channels).max(1)
    }
}

impl<'m> Node<'m> for Conv2d<'m> {
    fn decode(record: &Record<'_, 'm>) -> Result<Self, LoadError> {
        record.expect_unused(2, 12)?;
        let error = LoadError::BadParameter { operator: record.index };
        let &[_, _, _, _, _, _, _, _, _, _, groups, channels] = &record.raw.parameters;
        let input_channels = usize::try_from(channels).map_err(|_| error)?;
        if groups != 1 || input_channels == 0 {
            return Err(error);
        }
        Ok(Self { window: record.window()?, input_channels, weighted: Weighted::decode(record, 8)? })
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        let error = LoadError::ShapeMismatch { operator };
        let [[n, h, w, c], [on, oh, ow, oc]] = sides.images().ok_or(error)?;
        if n != on || c != self.input_channels || !self.window.fits(0, h, oh) || !self.window.fits(1, w, ow) {
            return Err(error);
        }
        self.weighted.verify(oc, self.quads(), sides.output.zero_point(), operator)
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        if let Some(Open { inputs: [input], output, scratch }) = memory.open([sides.input], sides.output) {
            K::conv2d(self, sides, input, output, scratch);
        }
    }

    fn has_clean_weights(&self) -> bool {
        self.weighted.is_clean(self.quads())
    }

    fn scratch_bytes(&self, sides: &Sides<'_>) -> usize {
        let Some([input, output]) = sides.images() else { return 0 };
        scratch_bytes(self.weighted.layout, &self.window, input, output)
    }

    fn macs(&self, sides: &Sides<'_>) -> u64 {
        sides.output.elements() as u64 * self.taps() as u64
    }

    fn parameters(&self) -> u64 {
        self.weighted.parameters(self.taps())
    }
}

/// Scratch bytes of a convolution of `input` to `output` (NHWC): one int16 column of the input for the natural layout; for
/// the DSP layouts four, of whole quads, and a band of the input where it needs padding; a few int8 columns for the Helium
/// layout; [`x86::scratch_bytes`] for x86.
pub fn scratch_bytes(layout: Layout, window: &Window, input: [usize; 4], output: [usize; 4]) -> usize {
    let [rows, taps] = window.runs(layout);
    let quads = Quads { rows, row: taps.saturating_mul(input[3]) };
    match layout.built() {
        Some(Layout::Natural) => quads.rows.saturating_mul(quads.row).saturating_mul(2),
        Some(Layout::Dsp | Layout::DspWide) => {
            quads.count().saturating_mul(4 * 4 * 2).saturating_add(Band::new(window, input, output).bytes())
        }
        Some(Layout::Helium) => mve::scratch_bytes(window, input, output),
        Some(Layout::X86) => x86::scratch_bytes(window, input, output),
        None => 0,
    }
}
