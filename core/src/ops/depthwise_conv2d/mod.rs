//! Depthwise convolution: each input channel meets its own kernels, `multiplier` of them.
//!
//! ```text
//! sum(o)             = bias(o) + sum over ky, kx of weight(ky, kx, o) * input(n, iy, ix, o / multiplier)
//! iy, ix             = y * stride - padding + k * dilation
//! output(n, y, x, o) = clamp(requantize(sum(o)))
//! ```
//!
//! Taps outside of the input read its zero point, which is folded into the bias as in [`super::conv2d`]. Input, output: NHWC.
//! Where both have one shape the output may lie over the input: every kernel copies what it still needs.
//! Source: TFLite `reference_integer_ops::DepthwiseConvPerChannel`.

pub mod dsp;
mod lanes;
pub mod mve;
pub mod neon;
mod planes;
pub mod portable;
pub mod reference;
mod ring;
pub mod x86;

use super::record::Record;
use super::{Kernels, Node, Sides, Weighted};
use crate::blob::{Layout, Quads, Window};
use crate::session::Memory;
use crate::{Feature, LoadError};

/// A depthwise convolution, ready to run.
#[derive(Debug, Clone, Copy)]
pub struct DepthwiseConv2d<'m> {
    /// Kernel, stride, dilation, padding.
    pub window: Window,
    /// Output channels per input channel.
    pub multiplier: usize,
    /// Weights in the one order that they have for all machines, channels, requantization.
    pub weighted: Weighted<'m>,
    /// The layout of the machine for whose kernel there is scratch.
    pub machine: Layout,
}

impl DepthwiseConv2d<'_> {
    /// Multiplications per output element.
    pub fn taps(&self) -> usize {
        self.window.kernel[0].saturating_mul(self.window.kernel[1])
    }

    /// Whether the DSP kernel runs it, over planes.
    pub(crate) fn in_planes(&self, sides: Sides<'_>) -> bool {
        self.is_for_dsp() && dsp::planes(self, sides).is_some_and(|planes| planes.kernel.planes().is_some())
    }

    fn is_for_dsp(&self) -> bool {
        matches!(self.machine, Layout::Dsp | Layout::DspWide)
    }

    /// Input rows, from the first, that output row `y` and those before it see.
    fn rows_end(&self, y: usize) -> usize {
        let end = (y * self.window.stride[0]).saturating_add(self.window.extent(0).unwrap_or(usize::MAX));
        end.saturating_sub(self.window.padding[0])
    }
}

impl<'m> Node<'m> for DepthwiseConv2d<'m> {
    fn decode(record: &Record<'_, 'm>) -> Result<Self, LoadError> {
        record.expect_unused(2, 11)?;
        let error = LoadError::BadParameter { operator: record.index };
        let multiplier = usize::try_from(record.raw.parameters[10]).ok().filter(|m| *m > 0).ok_or(error)?;
        let weighted = Weighted::decode(record, 8)?;
        let machine = weighted.layout;
        let weighted = Weighted { layout: Layout::Natural, ..weighted };
        Ok(Self { window: record.window()?, multiplier, weighted, machine })
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        let error = LoadError::ShapeMismatch { operator };
        let [[n, h, w, c], [on, oh, ow, oc]] = sides.images().ok_or(error)?;
        let fits = self.window.fits(0, h, oh) && self.window.fits(1, w, ow);
        if n != on || c.checked_mul(self.multiplier) != Some(oc) || !fits {
            return Err(error);
        }
        if self.is_for_dsp() {
            let planes = dsp::planes(self, sides).ok_or(LoadError::UnknownOption { operator })?;
            planes.kernel.built().ok_or(LoadError::LeftOut { operator, feature: Feature::Planes })?;
        }
        let [rows, row] = self.window.kernel;
        self.weighted.verify(oc, Quads { rows, row }, sides.output.zero_point(), operator)
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        if let Some((data, scratch)) = memory.open_in_place(sides.input, sides.output) {
            K::depthwise_conv2d(self, sides, data, scratch);
        }
    }

    fn in_place(&self, sides: &Sides<'_>, _: usize) -> bool {
        sides.input.shape() == sides.output.shape()
    }

    fn scratch_bytes(&self, sides: &Sides<'_>) -> usize {
        let Some([input, output]) = sides.images() else { return usize::MAX };
        scratch_bytes(self.machine, &self.window, input, output)
    }

    fn macs(&self, sides: &Sides<'_>) -> u64 {
        sides.output.elements() as u64 * self.taps() as u64
    }

    fn parameters(&self) -> u64 {
        self.weighted.parameters(self.taps())
    }
}

/// Scratch bytes for these shapes (NHWC, none 0): a sum per channel and the input rows under one of the output; or, if that is
/// more, what the kernel of the layout's machine wants: a band of four channels' planes, a strip of input rows for MVE,
/// [`x86::scratch_bytes`].
pub fn scratch_bytes(layout: Layout, window: &Window, input: [usize; 4], output: [usize; 4]) -> usize {
    let [_, h, w, c] = input;
    let rows = ring::rows(window, h).saturating_mul(w.saturating_mul(c));
    let plain = output[3].saturating_mul(4).saturating_add(rows);
    plain.max(match layout.built() {
        Some(Layout::Dsp | Layout::DspWide) => dsp::scratch_bytes(window, input, output),
        Some(Layout::Helium) => mve::scratch_bytes(window, input, output),
        Some(Layout::X86) => x86::scratch_bytes(window, output),
        _ => 0,
    })
}
