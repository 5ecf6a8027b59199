//! Resize of height and width by bilinear interpolation, in integers with 10 fractional bits.
//!
//! ```text
//! place      = y * scale (+ scale / 2 - 1/2 with half pixel centres)     scale = input / output, 10 bits
//! below      = max(place, 0) rounded down, above = place rounded up, at most the last row; columns likewise
//! output     = round(sum over the four pixels of input * weight of the row * weight of the column)
//! ```
//!
//! Weights are the distances to `place`; ties round away from zero. NHWC; scale and zero point stay.
//! Source: TFLite `reference_ops::ResizeBilinearInteger`.

use super::record::Record;
use super::walk::strides;
use super::{Kernels, Node, Sides, parts_mut};
use crate::LoadError;
use crate::blob::Activation;
use crate::session::{Memory, Open};

/// One, in places.
const ONE: i32 = 1 << 10;
/// Largest scale: places of 4095 rows stay below 2^31.
const MAX_SCALE: i32 = 1 << 18;
/// Longest axis of the output.
const MAX_LENGTH: usize = 4096;

/// A resize, ready to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResizeBilinear {
    /// Rows, columns of the input per one of the output, 10 fractional bits; 1 to 2^18.
    pub scale: [i32; 2],
    /// Pixels are areas (their centres correspond), not points.
    pub half_pixel_centers: bool,
}

/// Where an output position lies on one axis of the input.
#[derive(Clone, Copy)]
struct Place {
    below: usize,
    above: usize,
    /// Distance from `below`, 10 fractional bits.
    weight: i32,
}

impl ResizeBilinear {
    /// The scales that TFLite uses. For hosts.
    #[cfg(any(test, feature = "writer"))]
    pub fn for_sizes(input: [u32; 2], output: [u32; 2], align_corners: bool, half_pixel_centers: bool) -> Option<Self> {
        let scale = |axis: usize| {
            let (from, to) = (i64::from(input[axis]), i64::from(output[axis]));
            let (from, to) = if align_corners && to > 1 { (from - 1, to - 1) } else { (from, to) };
            // An aligned axis of one input row has a scale of 0: every place is 0, as with the smallest.
            let scale = (i64::from(ONE) * from + to / 2) / to;
            i32::try_from(scale).ok().filter(|scale| (0..=MAX_SCALE).contains(scale))
        };
        Some(Self { scale: [scale(0)?, scale(1)?], half_pixel_centers })
    }

    fn place(&self, axis: usize, position: usize, length: usize) -> Place {
        let scale = self.scale.get(axis).copied().unwrap_or(ONE);
        let half = if self.half_pixel_centers { scale / 2 - ONE / 2 } else { 0 };
        let place = (position as i32).wrapping_mul(scale).wrapping_add(half);
        let last = length as i32 - 1;
        // Division rounds towards zero, so a place just below zero is below = above = 0.
        let below = (place / ONE).max(0).min(last);
        let above = (place.wrapping_add(ONE - 1) / ONE).max(0).min(last);
        Place { below: below as usize, above: above as usize, weight: place.wrapping_sub(below * ONE) }
    }
}

impl Node<'_> for ResizeBilinear {
    fn decode(record: &Record<'_, '_>) -> Result<Self, LoadError> {
        record.expect_no_options()?;
        record.expect_unused(0, 3)?;
        let &[rows, columns, ..] = &record.raw.parameters;
        if ![rows, columns].iter().all(|scale| (0..=MAX_SCALE).contains(scale)) {
            return Err(LoadError::BadParameter { operator: record.index });
        }
        Ok(Self { scale: [rows, columns], half_pixel_centers: record.flag(2)? })
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        let error = LoadError::ShapeMismatch { operator };
        let [[n, h, w, c], [on, oh, ow, oc]] = sides.images().ok_or(error)?;
        let small = |length: usize| length <= MAX_LENGTH;
        // Weights stay between -1 and 2 when the last place lies at most one row beyond the input.
        let near = |axis: usize, output: usize, input: usize| self.place(axis, output - 1, input).weight <= 2 * ONE;
        if n != on || c != oc || !small(oh) || !small(ow) || !near(0, oh, h) || !near(1, ow, w) {
            return Err(error);
        }
        sides.same_quantization(operator)
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        let Some(Open { inputs: [input], output, .. }) = memory.open([sides.input], sides.output) else { return };
        let [_, h, w, _] = sides.input.extended();
        let [_, oh, ow, c] = sides.output.extended();
        let [image, line, pixel, _] = strides(sides.input.extended()).map(|step| step as usize);
        let at = |place: usize| input.get(place).map_or(0, |q| i32::from(*q));
        for (n, result) in parts_mut(output, oh * ow * c).enumerate() {
            for (y, line_out) in parts_mut(result, ow * c).enumerate() {
                let y = self.place(0, y, h);
                let (top, bottom) = (n * image + y.below * line, n * image + y.above * line);
                for (x, pixel_out) in parts_mut(line_out, c).enumerate() {
                    let x = self.place(1, x, w);
                    let (left, right) = (x.below * pixel, x.above * pixel);
                    for (value, channel) in pixel_out.iter_mut().zip(0..) {
                        let upper = at(top + left + channel) * (ONE - x.weight) + at(top + right + channel) * x.weight;
                        let lower =
                            at(bottom + left + channel) * (ONE - x.weight) + at(bottom + right + channel) * x.weight;
                        *value = rounded(upper * (ONE - y.weight) + lower * y.weight);
                    }
                }
            }
        }
    }
}

/// 20 fractional bits to none, ties away from zero.
fn rounded(sum: i32) -> i8 {
    let half = if sum > 0 { 1 << 19 } else { -(1 << 19) };
    Activation::NONE.clamp((sum + half) / (1 << 20))
}
