//! Depthwise convolution: the taps of neighbouring pixels times the weights of 16 (or 8) channels at a time.

use crate::blob::{Activation, Channel};

/// Fewest channels.
pub const LANES: usize = 8;

/// What the pixels of one call share.
#[derive(Debug, Clone, Copy)]
pub struct Depthwise<'a> {
    /// Per tap one weight per channel.
    pub weights: &'a [i8],
    /// Of a bounded operator.
    pub channels: &'a [Channel],
    /// No weight is -128.
    pub narrow: bool,
    /// Range of the output.
    pub activation: Activation,
}

/// Output pixels that are neighbours: pixel i reads, for each tap, one byte per channel from `step * i` on. Does nothing when
/// the slices do not fit together, or if there are fewer than [`LANES`] channels.
#[inline]
pub fn run(job: &Depthwise<'_>, taps: &[&[i8]], step: usize, output: &mut [i8]) {
    let channels = job.channels.len();
    let pixels = output.len().checked_div(channels).unwrap_or(0);
    let Some(last) = pixels.checked_sub(1) else { return };
    let read = last.checked_mul(step).and_then(|at| at.checked_add(channels));
    let fits = channels >= LANES
        && read.is_some_and(|end| taps.iter().all(|tap| end <= tap.len()))
        && taps.len().checked_mul(channels).is_some_and(|weights| weights <= job.weights.len());
    if fits {
        #[cfg(target_arch = "aarch64")]
        super::depthwise_asm::run(job, taps, step, output);
        #[cfg(not(target_arch = "aarch64"))]
        emulated(job, taps, step, output);
    }
}

#[cfg(not(target_arch = "aarch64"))]
fn emulated(job: &Depthwise<'_>, taps: &[&[i8]], step: usize, output: &mut [i8]) {
    for (i, pixel) in output.chunks_exact_mut(job.channels.len()).enumerate() {
        for (c, (value, channel)) in pixel.iter_mut().zip(job.channels).enumerate() {
            let weights = job.weights.chunks_exact(job.channels.len());
            let products = taps.iter().zip(weights).map(|(tap, w)| i32::from(tap[i * step + c]) * i32::from(w[c]));
            let sum = products.fold(channel.bias, i32::wrapping_add);
            *value = job.activation.clamp(crate::quantized::requantize_bounded(sum, channel));
        }
    }
}
