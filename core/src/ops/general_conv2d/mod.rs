//! Convolution in every form that the fast kernels do not have: groups, transposed, int16 activations, int4 weights.
//!
//! ```text
//! sum(o)             = bias(o) + sum over ky, kx, i of weight(o, ky, kx, i) * input(n, iy, ix, group * I + i)
//! group              = o / (outputs / groups), I input channels per group
//! iy, ix             = y * stride - padding + k * dilation                        plain
//! iy, ix             = (y + padding - k * dilation) / stride where that is whole  transposed
//! output(n, y, x, o) = clamp(scaled(sum(o)) + zero point)
//! ```
//!
//! With as many groups as channels it is depthwise, with one tap fully connected (then the input, of any shape, is read as
//! rows of its channels). Taps outside of the input read its zero point, which is folded into the bias as in
//! [`super::conv2d`]. Activations are both int8, or both int16 with zero point 0. Weights, OHWI, are symmetric per output
//! channel: int8, or int4 two to a byte, the first in the lower half. Sums have 64 bits.
//! Source: TFLite `reference_integer_ops::ConvPerChannel`, `DepthwiseConvPerChannel`, `FullyConnected`, `TransposeConv`, for int8 and
//! for int16 with int64 biases ([`Scaling`]); `tensor_utils::UnpackDenseInt4IntoInt8`.

mod portable;

use super::record::Record;
use super::{Kernels, Node, Sides};
use crate::LoadError;
use crate::blob::format::{FLAG_INT4, FLAG_TRANSPOSED};
use crate::blob::{Element, Scaling, WideChannel, Window};
use crate::quantized::wide::{MAX_WIDE_SHIFT, WIDE_BOUND};
use crate::session::{Memory, Open};

/// A convolution, ready to run.
#[derive(Debug, Clone, Copy)]
pub struct GeneralConv2d<'m> {
    /// Kernel, stride, dilation, padding. Of a transposed one: those of the plain convolution that goes the other way.
    pub window: Window,
    /// Whether it spreads the input instead of gathering it.
    pub transposed: bool,
    /// Parts of the input's channels, each with its part of the output's.
    pub groups: usize,
    /// Channels of the input, a multiple of `groups`.
    pub input_channels: usize,
    /// Whether two weights share a byte.
    pub int4: bool,
    /// Output channels x kernel height x kernel width x input channels of a group.
    pub weights: &'m [i8],
    /// One per output channel.
    pub channels: &'m [WideChannel],
    /// How sums are scaled.
    pub scaling: Scaling,
    /// Smallest and largest output.
    pub range: [i16; 2],
}

impl GeneralConv2d<'_> {
    /// Multiplications per output element.
    pub fn taps(&self) -> usize {
        self.area().saturating_mul(self.group_channels())
    }

    /// Taps of a window.
    fn area(&self) -> usize {
        self.window.kernel[0].saturating_mul(self.window.kernel[1])
    }

    /// Input channels of a group.
    fn group_channels(&self) -> usize {
        self.input_channels.checked_div(self.groups).unwrap_or(0)
    }

    /// Whether it is fully connected: one tap on every position.
    fn is_matrix(&self) -> bool {
        let Window { kernel, stride, dilation, padding } = self.window;
        [kernel, stride, dilation] == [[1, 1]; 3] && padding == [0, 0]
    }

    /// Images, and height, width, channels of each, of input and output, where they fit together.
    fn images(&self, sides: &Sides<'_>) -> Option<[[usize; 4]; 2]> {
        let (read, outputs) = (self.input_channels, self.channels.len());
        if self.is_matrix() {
            let (rows, written) = (sides.input.elements().checked_div(read)?, sides.output.elements());
            let last = sides.output.shape().last().map(|d| *d as usize) == Some(outputs);
            let fits = last && rows * read == sides.input.elements() && rows.checked_mul(outputs)? == written;
            return fits.then_some([[rows, 1, 1, read], [rows, 1, 1, outputs]]);
        }
        let [input, output] = [sides.input.nhwc()?, sides.output.nhwc()?];
        let ([n, h, w, c], [on, oh, ow, oc]) = (input, output);
        let along = |axis, read, written| match self.transposed {
            false => self.window.fits(axis, read, written),
            true => self.window.fits(axis, written, read),
        };
        let fits = n == on && c == read && oc == outputs && along(0, h, oh) && along(1, w, ow);
        fits.then_some([input, output])
    }

    /// Bits of the largest product: |int8| <= 2^7, |int16| <= 2^15, |int4| <= 2^3.
    fn product_bits(&self, element: Element) -> u32 {
        let activation = if element == Element::Int8 { 7 } else { 15 };
        activation + if self.int4 { 3 } else { 7 }
    }

    /// No sum leaves what its scaling takes.
    fn check_channel(&self, channel: &WideChannel, element: Element, operator: u16) -> Result<(), LoadError> {
        let WideChannel { bias, multiplier, shift } = *channel;
        let wide = self.scaling == Scaling::Wide;
        if multiplier < 0 || !(-31..=if wide { MAX_WIDE_SHIFT } else { 30 }).contains(&shift) {
            return Err(LoadError::BadMultiplier { operator });
        }
        let error = LoadError::AccumulatorOverflow { operator };
        let products = (self.taps() as u64).checked_mul(1 << self.product_bits(element)).ok_or(error)?;
        let bound = bias.unsigned_abs().checked_add(products).ok_or(error)?;
        let fits = match wide {
            true => bound < WIDE_BOUND as u64,
            false => bound.checked_mul(1 << shift.max(0)).is_some_and(|shifted| shifted <= i32::MAX as u64),
        };
        if fits { Ok(()) } else { Err(error) }
    }
}

impl<'m> Node<'m> for GeneralConv2d<'m> {
    const ELEMENTS: &'static [Element] = Element::ACTIVATIONS;
    const INT4: bool = true;

    fn decode(record: &Record<'_, 'm>) -> Result<Self, LoadError> {
        record.expect_unused(2, 12)?;
        let (bad, unknown) =
            (LoadError::BadParameter { operator: record.index }, LoadError::UnknownOption { operator: record.index });
        let raw = record.raw;
        if raw.layout != 0 || raw.flags & !(FLAG_INT4 | FLAG_TRANSPOSED) != 0 {
            return Err(unknown);
        }
        let positive = |at: usize| {
            let value = raw.parameters.get(at).and_then(|v| usize::try_from(*v).ok());
            value.filter(|v| *v > 0).ok_or(bad)
        };
        let range = |at: usize| raw.parameters.get(at).and_then(|v| i16::try_from(*v).ok()).ok_or(bad);
        Ok(Self {
            window: record.window()?,
            transposed: raw.flags & FLAG_TRANSPOSED != 0,
            groups: positive(10)?,
            input_channels: positive(11)?,
            int4: raw.flags & FLAG_INT4 != 0,
            weights: record.constant(0)?,
            channels: record.constant(1)?,
            scaling: Scaling::from_code(raw.rounding).ok_or(unknown)?,
            range: [range(8)?, range(9)?],
        })
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        let (element, outputs) = (sides.input.element(), self.channels.len());
        let [low, high] = self.range;
        let int8 = |v: i16| i8::try_from(v).is_ok();
        if low > high || (element == Element::Int8 && !(int8(low) && int8(high))) {
            return Err(LoadError::BadParameter { operator });
        }
        let whole = |channels: usize| channels.checked_rem(self.groups) == Some(0);
        if outputs == 0 || !whole(outputs) || !whole(self.input_channels) || self.images(&sides).is_none() {
            return Err(LoadError::ShapeMismatch { operator });
        }
        let weights = outputs.checked_mul(self.taps());
        let bytes = if self.int4 { weights.map(|count| count.div_ceil(2)) } else { weights };
        if bytes != Some(self.weights.len()) {
            return Err(LoadError::BadConstant { operator });
        }
        self.channels.iter().try_for_each(|channel| self.check_channel(channel, element, operator))
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        let Some(Open { inputs: [input], output, scratch }) = memory.open([sides.input], sides.output) else { return };
        portable::run(self, &sides, input, output, scratch);
    }

    fn scratch_bytes(&self, _: &Sides<'_>) -> usize {
        scratch_bytes(&self.window, self.input_channels)
    }

    fn macs(&self, sides: &Sides<'_>) -> u64 {
        sides.output.elements() as u64 * self.taps() as u64
    }

    fn parameters(&self) -> u64 {
        (self.taps() as u64 + 1) * self.channels.len() as u64
    }
}

/// Scratch bytes: all channels under one window, as int16.
pub fn scratch_bytes(window: &Window, input_channels: usize) -> usize {
    window.kernel[0].saturating_mul(window.kernel[1]).saturating_mul(input_channels).saturating_mul(2)
}
