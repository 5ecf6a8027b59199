//! Depthwise convolution: each input channel meets its own kernels, `multiplier` of them.
//!
//! ```text
//! sum(o)             = bias(o) + sum over ky, kx of weight(ky, kx, o) * input(n, iy, ix, o / multiplier)
//! iy, ix             = y * stride - padding + k * dilation
//! output(n, y, x, o) = clamp(requantize(sum(o)))
//! ```
//!
//! Taps outside of the input read its zero point, which is folded into the bias as in [`super::conv2d`]. Input, output: NHWC.
//! Source: TFLite `reference_integer_ops::DepthwiseConvPerChannel`.

pub mod portable;
pub mod reference;

use super::record::Record;
use super::{Kernels, Node, Sides, Weighted};
use crate::LoadError;
use crate::blob::{Layout, Window};
use crate::session::{Memory, Open};

/// A depthwise convolution, ready to run.
#[derive(Debug, Clone, Copy)]
pub struct DepthwiseConv2d<'m> {
    /// Kernel, stride, dilation, padding.
    pub window: Window,
    /// Output channels per input channel.
    pub multiplier: usize,
    /// Weights, channels, requantization.
    pub weighted: Weighted<'m>,
}

impl DepthwiseConv2d<'_> {
    /// Multiplications per output element.
    pub fn taps(&self) -> usize {
        self.window.kernel[0].saturating_mul(self.window.kernel[1])
    }
}

impl<'m> Node<'m> for DepthwiseConv2d<'m> {
    fn decode(record: &Record<'_, 'm>) -> Result<Self, LoadError> {
        record.expect_unused(2, 11)?;
        let error = LoadError::BadParameter { operator: record.index };
        let multiplier = usize::try_from(record.raw.parameters[10]).ok().filter(|m| *m > 0).ok_or(error)?;
        let weighted = Weighted::decode(record, 8)?;
        if weighted.layout != Layout::Natural {
            return Err(LoadError::UnknownOption { operator: record.index });
        }
        Ok(Self { window: record.window()?, multiplier, weighted })
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        let error = LoadError::ShapeMismatch { operator };
        let [n, h, w, c] = sides.input.nhwc().ok_or(error)?;
        let [on, oh, ow, oc] = sides.output.nhwc().ok_or(error)?;
        let fits = self.window.fits(0, h, oh) && self.window.fits(1, w, ow);
        if n != on || c.checked_mul(self.multiplier) != Some(oc) || !fits {
            return Err(error);
        }
        self.weighted.verify([oc, self.window.kernel[0], self.window.kernel[1]], sides.output.zero_point(), operator)
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        if let Some(Open { inputs: [input], output, scratch }) = memory.open([sides.input], sides.output) {
            K::depthwise_conv2d(self, sides, input, output, scratch);
        }
    }

    fn scratch_bytes(&self, _: &Sides<'_>) -> usize {
        scratch_bytes(self.weighted.channels.len())
    }

    fn macs(&self, sides: &Sides<'_>) -> u64 {
        sides.output.elements() as u64 * self.taps() as u64
    }

    fn parameters(&self) -> u64 {
        self.weighted.parameters(self.taps())
    }
}

/// Scratch bytes for `outputs` channels: one sum each.
pub fn scratch_bytes(outputs: usize) -> usize {
    outputs.saturating_mul(4)
}
