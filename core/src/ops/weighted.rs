//! What convolution and fully connected share: weights, one record per output channel, and the way back to int8.

use super::record::Record;
use crate::LoadError;
use crate::arch::mve::product;
use crate::blob::format::{FLAG_BOUNDED, FLAG_NARROW};
use crate::blob::{Activation, Channel, Layout, Quads, Rounding, x86};
use crate::quantized::{self, BOUND};

/// Whether the narrow flag is compared with the weights: where kernels rely on it, and on hosts that write blobs. Elsewhere
/// loading need not read them.
const VERIFIES_NARROW: bool = cfg!(any(target_arch = "aarch64", feature = "writer"));

/// Weights and requantization of an operator with output channels.
#[derive(Debug, Clone, Copy)]
pub struct Weighted<'m> {
    /// Weights in the order of `layout`.
    pub weights: &'m [i8],
    /// One per output channel, as `layout` stores them.
    pub channels: &'m [Channel],
    /// Order of the weights.
    pub layout: Layout,
    /// Rounding of the requantization.
    pub rounding: Rounding,
    /// Whether the short requantization is exact for every channel and input.
    pub bounded: bool,
    /// Whether no weight is -128, so that the sum of two products fits in 16 bits.
    pub narrow: bool,
    /// Range of the output.
    pub activation: Activation,
}

impl<'m> Weighted<'m> {
    /// Constants 0 (weights) and 1 (channels), the options, and the activation at parameter `activation_at`.
    pub(crate) fn decode(record: &Record<'_, 'm>, activation_at: usize) -> Result<Self, LoadError> {
        let error = LoadError::UnknownOption { operator: record.index };
        let bounded = record.bounded()?;
        if record.raw.flags & !(FLAG_BOUNDED | FLAG_NARROW) != 0 {
            return Err(error);
        }
        Ok(Self {
            weights: record.constant(0)?,
            channels: record.constant(1)?,
            layout: Layout::decode(record.raw.layout, record.index)?,
            rounding: Rounding::from_code(record.raw.rounding).ok_or(error)?,
            bounded,
            narrow: record.raw.flags & FLAG_NARROW != 0,
            activation: record.activation(activation_at)?,
        })
    }

    /// [`Weighted::bounded`], known to the compiler where the image has no operators that are not.
    #[inline(always)]
    pub(crate) fn is_bounded(&self) -> bool {
        self.bounded || !cfg!(feature = "unbounded")
    }

    /// Whether sums below zero give the smallest output, however they are rounded (ReLU), where `zero_point` is the output's.
    pub(crate) fn cuts_below_zero(&self, zero_point: i32) -> bool {
        i32::from(self.activation.min) >= zero_point
    }

    /// Weights and biases, given the weights per channel.
    pub(crate) fn parameters(&self, taps: usize) -> u64 {
        (taps as u64 + 1) * self.channels.len() as u64
    }

    /// Checks sizes and every channel: `outputs` channels of weights in `quads`.
    pub(crate) fn verify(
        &self,
        outputs: usize,
        Quads { rows, row }: Quads,
        zero_point: i32,
        operator: u16,
    ) -> Result<(), LoadError> {
        let bytes = self.layout.weight_bytes(outputs, rows, row);
        if bytes != Some(self.weights.len()) || self.channels.len() != outputs {
            return Err(LoadError::BadConstant { operator });
        }
        if self.layout.built() == Some(Layout::X86) && !x86::is_consistent(self.weights, rows, row) {
            return Err(LoadError::BadConstant { operator });
        }
        let bytes_are_weights = matches!(self.layout, Layout::Natural | Layout::Helium);
        if VERIFIES_NARROW && bytes_are_weights && self.narrow && !product::is_narrow(self.weights) {
            return Err(LoadError::BadConstant { operator });
        }
        let short_only = self.layout == Layout::DspWide;
        if (self.bounded && self.rounding != Rounding::Double) || (short_only && !self.bounded) {
            return Err(LoadError::NotBounded { operator });
        }
        // No overflow: weight_bytes has multiplied the same numbers.
        let taps = rows * row;
        let (pairs, odd) = self.channels.as_chunks();
        let quick = self.bounded && are_bounded(self.layout, pairs, taps, zero_point);
        let rest = if quick { odd } else { self.channels };
        rest.iter().try_for_each(|stored| {
            let channel = self.layout.channel(*stored).ok_or(LoadError::BadMultiplier { operator })?;
            verify_channel(&channel, taps, zero_point, self.bounded, operator)
        })
    }

    /// Whether it holds int8 weights in its order, and zeros between them.
    pub(crate) fn is_clean(&self, quads: Quads) -> bool {
        let places = || {
            let taps = (0..quads.rows).flat_map(move |y| (0..quads.row).map(move |i| (y, i)));
            (0..self.channels.len()).flat_map(move |o| taps.clone().map(move |(y, i)| [o, y, i]))
        };
        let weights = || places().filter(|place| self.weight(quads, *place) != 0).count();
        // Most weights need no filler.
        let element = if self.layout == Layout::DspWide { 2 } else { 1 };
        let full = self.channels.len() * quads.rows * quads.row * element == self.weights.len();
        self.layout.set(self.weights, quads).is_some_and(|set| full || set == weights())
    }

    /// Weight of element `i` of kernel row `y` of output channel `o`, as it is stored.
    #[inline]
    pub fn weight(&self, Quads { rows, row }: Quads, place: [usize; 3]) -> i32 {
        self.layout.weight(self.weights, self.layout.index(rows, row, place))
    }

    /// `sum` (bias included, both as they are stored) of `channel` to int8, by the specification.
    #[inline(never)]
    pub fn finish(&self, sum: i32, channel: &Channel, zero_point: i32) -> i8 {
        self.activation.clamp(match self.layout {
            Layout::DspWide => quantized::requantize_doubled(sum, channel, zero_point),
            _ => quantized::requantize(sum, channel, zero_point, self.rounding),
        })
    }

    /// The same by the short form where it is exact.
    #[inline(always)]
    pub(crate) fn finish_fast(&self, sum: i32, channel: &Channel, zero_point: i32) -> i8 {
        if self.is_bounded() {
            self.activation.clamp(quantized::requantize_bounded(sum, channel))
        } else {
            self.finish(sum, channel, zero_point)
        }
    }
}

/// Whether [`verify_channel`] finds nothing wrong with any of a bounded operator's channels, in few instructions for each: channels
/// are most of what there is to check. A no may be wrong.
fn are_bounded(layout: Layout, channels: &[[Channel; 2]], taps: usize, zero_point: i32) -> bool {
    let room = u32::try_from(BOUND - quantized::sum_bound(0, taps)).unwrap_or(0);
    match layout {
        Layout::DspWide => all_bounded::<true>(channels, 2 * room, zero_point),
        _ => all_bounded::<false>(channels, room, zero_point),
    }
}

/// Of channels whose biases are below `room` in magnitude and, where they are `DOUBLED`, even.
#[inline(never)]
fn all_bounded<const DOUBLED: bool>(channels: &[[Channel; 2]], room: u32, zero_point: i32) -> bool {
    let half = zero_point.wrapping_mul(2).wrapping_add(1);
    // All bits of multipliers, biases and their magnitudes (less one where they are negative).
    let (mut multipliers, mut biases, mut magnitudes) = (0, 0, 0);
    let mut fits = |Channel { bias, multiplier, rounding, shift }: &Channel| {
        (multipliers, biases, magnitudes) = (multipliers | multiplier, biases | bias, magnitudes | bias ^ (bias >> 31));
        // One less than the shift to the right.
        let right = if DOUBLED { shift.wrapping_sub(1) } else { !shift } as u32;
        right < quantized::MAX_BOUNDED_SHIFT as u32 && *rounding == half.wrapping_shl(right)
    };
    for [a, b] in channels {
        if !fits(a) || !fits(b) {
            return false;
        }
    }
    multipliers >= 0 && !(DOUBLED && biases & 1 != 0) && (magnitudes as u32) + 1 < room
}

/// Everything about one channel, the first fault by name.
fn verify_channel(
    channel: &Channel,
    taps: usize,
    zero_point: i32,
    bounded: bool,
    operator: u16,
) -> Result<(), LoadError> {
    let Channel { bias, multiplier, rounding, shift } = *channel;
    let in_range = multiplier >= 0 && (-31..=30).contains(&shift);
    if !in_range || rounding != quantized::rounding_constant(shift, zero_point) {
        return Err(LoadError::BadMultiplier { operator });
    }
    let bound = quantized::sum_bound(bias, taps);
    if bound.checked_mul(1 << shift.max(0)).is_none_or(|shifted| shifted > i64::from(i32::MAX)) {
        return Err(LoadError::AccumulatorOverflow { operator });
    }
    if bounded && (bound >= BOUND || !quantized::is_bounded_shift(shift)) {
        return Err(LoadError::NotBounded { operator });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
