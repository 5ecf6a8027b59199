//! Depthwise convolution over a copy of the input whose neighbours in memory are neighbours in the output: 64 outputs (of
//! several pixels if there are fewer channels) at a time.

use super::{Isa, Level, avx2, vnni};
use crate::ops::Weighted;

/// Outputs at a time.
pub const LANES: usize = 64;

/// A copy of the input, and where its taps are.
///
/// Output (y, x, channel) reads, for tap (ky, kx), the byte at
/// `y * steps[0] + x * steps[1] + ky * line + columns[kx] + channel`.
#[derive(Debug, Clone, Copy)]
pub struct Planes<'a> {
    /// The copy, [`Isa::flip`]ped, with 2 x [`LANES`] bytes after the last that counts.
    pub bytes: &'a [i8],
    /// Height and width of the output.
    pub count: [usize; 2],
    /// Bytes from one output row, and from one output pixel, to the next.
    pub steps: [usize; 2],
    /// Kernel rows, and bytes from one to the next.
    pub rows: usize,
    /// Bytes from one kernel row to the next.
    pub line: usize,
    /// Where each kernel column begins.
    pub columns: &'a [u32],
    /// How output pixels lie that are neighbours.
    pub pixels: Pixels,
}

/// How the pixels lie that one kernel column sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pixels {
    /// Anywhere: each output pixel is computed on its own.
    Apart,
    /// Side by side ([`is_dense`]): several at a time.
    Dense,
    /// The same with every other pixel left out; pixels have 8, 16 or 32 channels.
    EveryOther,
}

impl Planes<'_> {
    fn inside(&self, channels: usize) -> Option<bool> {
        let last = |count: usize, step: usize| count.checked_sub(1)?.checked_mul(step);
        let column = *self.columns.iter().max()? as usize;
        let parts =
            [last(self.count[0], self.steps[0])?, last(self.count[1], self.steps[1])?, last(self.rows, self.line)?];
        let end =
            parts.into_iter().try_fold(column, usize::checked_add)?.checked_add(channels.checked_add(2 * LANES)?)?;
        Some(end <= self.bytes.len())
    }
}

impl Pixels {
    fn suit(self, channels: usize, step: usize) -> bool {
        match self {
            Self::Apart => true,
            Self::Dense => is_dense(channels) && step == channels,
            Self::EveryOther => is_dense(channels) && step == 2 * channels && channels >= 8,
        }
    }
}

/// Whether a pixel's channels fill [`LANES`] evenly several times, so that pixels can be taken together.
pub fn is_dense(channels: usize) -> bool {
    channels < LANES && LANES.is_multiple_of(channels.max(1))
}

/// Bytes of the interleaved weights of [`LANES`] outputs: for each kernel column, each four kernel rows.
pub fn weights_bytes([rows, columns]: [usize; 2]) -> usize {
    rows.div_ceil(4).saturating_mul(columns).saturating_mul(4 * LANES)
}

/// One image. Does nothing when the slices do not fit together.
///
/// `weights` is scratch of [`weights_bytes`].
pub fn run(
    isa: Isa,
    planes: &Planes<'_>,
    weighted: &Weighted<'_>,
    zero_point: i32,
    weights: &mut [i8],
    output: &mut [i8],
) {
    let channels = weighted.channels.len();
    let kernel = [planes.rows, planes.columns.len()];
    let taps = kernel[0].checked_mul(kernel[1]).and_then(|taps| taps.checked_mul(channels));
    let outputs = planes.count[0].checked_mul(planes.count[1]).and_then(|pixels| pixels.checked_mul(channels));
    let fits = planes.inside(channels) == Some(true)
        && taps == Some(weighted.weights.len())
        && weights.len() >= weights_bytes(kernel)
        && outputs == Some(output.len())
        && planes.pixels.suit(channels, planes.steps[1]);
    if !fits {
        return;
    }
    let job = Job { planes, weighted, zero_point };
    match isa.0 {
        // SAFETY: an `Isa` of this level exists only where the CPU has the instructions; all that is read and written lies
        // within the slices, checked above.
        #[allow(unsafe_code)]
        Level::Vnni => unsafe { vnni::depthwise::run(&job, weights, output) },
        // SAFETY: as above.
        #[allow(unsafe_code)]
        Level::Avx2 => unsafe { avx2::depthwise::run(&job, weights, output) },
    }
}

/// A depthwise convolution whose parts fit together.
pub(super) struct Job<'a> {
    pub planes: &'a Planes<'a>,
    pub weighted: &'a Weighted<'a>,
    pub zero_point: i32,
}
