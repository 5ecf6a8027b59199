//! What max and average pooling share.

use super::elementwise::Number;
use super::record::Record;
use super::{Sides, parts, parts_mut};
use crate::LoadError;
use crate::arch::dsp::bytes::Taps;
use crate::blob::{Activation, Element, Window};

/// A pooling window and the range of its output. Input and output are NHWC with equal scale and zero point.
#[derive(Debug, Clone, Copy)]
pub struct Pool {
    /// The window; its dilation is 1.
    pub window: Window,
    /// Range of the output.
    pub activation: Activation,
}

/// Channels that are folded at once: as many as compilers vectorize, or, on small machines, as registers hold.
pub(crate) const LANES: usize = if cfg!(all(target_arch = "arm", not(simd_mve))) { 4 } else { 16 };

impl Pool {
    pub(crate) fn decode(record: &Record<'_, '_>) -> Result<Self, LoadError> {
        record.expect_no_options()?;
        record.expect_unused(0, 10)?;
        let window = record.window()?;
        // Sums of a window of int8 stay within 2^30, see `verify` for int16.
        let area = window.kernel[0] * window.kernel[1];
        if window.dilation != [1, 1] || area > 1 << 23 {
            return Err(LoadError::BadParameter { operator: record.index });
        }
        Ok(Self { window, activation: record.activation(8)? })
    }

    pub(crate) fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        let error = LoadError::ShapeMismatch { operator };
        let [[n, h, w, c], [on, oh, ow, oc]] = sides.images().ok_or(error)?;
        if n != on || c != oc || !self.window.fits(0, h, oh) || !self.window.fits(1, w, ow) {
            return Err(error);
        }
        let area = self.window.kernel[0] * self.window.kernel[1];
        if sides.input.element() == Element::Int16 && area > 1 << 15 {
            return Err(LoadError::BadParameter { operator });
        }
        sides.same_quantization(operator)
    }

    /// For each output element: `block` folds the window's elements that lie in the input, for [`LANES`] channels, `single` for one;
    /// `finish` makes the output of the result and the number of elements.
    #[inline(always)]
    pub(crate) fn run(
        &self,
        sides: Sides<'_>,
        input: &[i8],
        output: &mut [i8],
        block: impl Fn(&[i8], &Taps) -> [i32; LANES],
        single: impl Fn(&[i8], &Taps) -> [i32; 1],
        finish: impl Fn(i32, i32) -> i32,
    ) {
        let (Some([_, h, w, c]), Some([_, oh, ow, _])) = (sides.input.nhwc(), sides.output.nhwc()) else { return };
        for (image, result) in parts(input, h * w * c).zip(parts_mut(output, oh * ow * c)) {
            for (position, pixel) in result.chunks_exact_mut(c).enumerate() {
                let rows = self.window.inside(0, position / ow, h);
                let columns = self.window.inside(1, position % ow, w);
                let taps = Taps { columns: columns.len(), step: c, rows: rows.len(), line: w * c };
                let count = (taps.rows * taps.columns) as i32;
                let source = image.get((rows.start * w + columns.start) * c..).unwrap_or(&[]);
                each_channel(source, &taps, pixel, &block, &single, |value| {
                    self.activation.clamp(finish(value, count))
                });
            }
        }
    }
}

impl Pool {
    /// [`Pool::run`] for int16 tensors, which have no fused activation.
    pub(crate) fn run_int16(
        &self,
        sides: Sides<'_>,
        input: &[i8],
        output: &mut [i8],
        start: i32,
        fold: impl Fn(i32, i32) -> i32,
        finish: impl Fn(i32, i32) -> i32,
    ) {
        let (Some([_, h, w, c]), Some([_, oh, ow, _])) = (sides.input.nhwc(), sides.output.nhwc()) else { return };
        let input = bytemuck::try_cast_slice::<i8, i16>(input).unwrap_or(&[]);
        let output = bytemuck::try_cast_slice_mut::<i8, i16>(output).unwrap_or(&mut []);
        for (image, result) in parts(input, h * w * c).zip(parts_mut(output, oh * ow * c)) {
            for (position, pixel) in parts_mut(result, c).enumerate() {
                let rows = self.window.inside(0, position / ow, h);
                let columns = self.window.inside(1, position % ow, w);
                let count = ((rows.len() * columns.len()) as i32).max(1);
                for (channel, value) in pixel.iter_mut().enumerate() {
                    let taps = rows.clone().flat_map(|y| columns.clone().map(move |x| (y * w + x) * c + channel));
                    let folded = taps.filter_map(|at| image.get(at)).fold(start, |acc, q| fold(acc, i32::from(*q)));
                    *value = i16::saturated(finish(folded, count));
                }
            }
        }
    }
}

/// Folds all channels of a pixel, in blocks as far as they go.
#[inline(always)]
pub(crate) fn each_channel(
    source: &[i8],
    taps: &Taps,
    pixel: &mut [i8],
    block: impl Fn(&[i8], &Taps) -> [i32; LANES],
    single: impl Fn(&[i8], &Taps) -> [i32; 1],
    finish: impl Fn(i32) -> i8,
) {
    let (blocks, rest) = pixel.as_chunks_mut::<LANES>();
    let mut first = 0;
    for values in blocks {
        let folded = block(source.get(first..).unwrap_or(&[]), taps);
        values.iter_mut().zip(folded).for_each(|(value, folded)| *value = finish(folded));
        first += LANES;
    }
    for (value, channel) in rest.iter_mut().zip(first..) {
        let [folded] = single(source.get(channel..).unwrap_or(&[]), taps);
        *value = finish(folded);
    }
}

/// `f` over the elements of `N` neighbouring channels in a window.
#[inline(always)]
pub(crate) fn fold<const N: usize>(source: &[i8], taps: &Taps, start: i32, f: impl Fn(i32, i32) -> i32) -> [i32; N] {
    let mut folded = [start; N];
    for y in 0..taps.rows {
        let row = source.get(y * taps.line..).unwrap_or(&[]);
        for x in 0..taps.columns {
            let Some(values) = row.get(x * taps.step..).and_then(|rest| rest.first_chunk::<N>()) else { continue };
            folded.iter_mut().zip(values).for_each(|(folded, q)| *folded = f(*folded, i32::from(*q)));
        }
    }
    folded
}

/// All lanes from a function of four channels.
#[inline(always)]
pub(crate) fn by_fours(source: &[i8], f: impl Fn(&[i8]) -> [i32; 4]) -> [i32; LANES] {
    let mut folded = [0; LANES];
    for (four, first) in folded.as_chunks_mut::<4>().0.iter_mut().zip((0..).step_by(4)) {
        *four = f(source.get(first..).unwrap_or(&[]));
    }
    folded
}

impl Window {
    /// The part of window number `position` on `axis` that lies in an input of `length` (dilation 1).
    #[inline]
    fn inside(&self, axis: usize, position: usize, length: usize) -> core::ops::Range<usize> {
        let pick = |pair: &[usize; 2]| pair.get(axis).copied().unwrap_or(0);
        let first = position * pick(&self.stride);
        let padding = pick(&self.padding);
        first.saturating_sub(padding)..(first + pick(&self.kernel)).saturating_sub(padding).min(length)
    }
}
