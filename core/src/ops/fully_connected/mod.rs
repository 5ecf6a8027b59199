//! Fully connected: a matrix times each row of the input.
//!
//! ```text
//! sum(o)       = bias(o) + sum over i of weight(o, i) * input(n, i)
//! output(n, o) = clamp(requantize(sum(o)))
//! ```
//!
//! The input, of any shape, is read as rows of `inputs` elements; the output has as many rows of one element per
//! channel. The input's zero point is folded into the bias. Source: TFLite `reference_integer_ops::FullyConnected`,
//! whose two implementations round differently: hence the operator's rounding field.

pub mod dsp;
pub mod mve;
pub mod portable;
pub mod reference;
pub mod x86;

use super::record::Record;
use super::{Kernels, Node, Sides, Weighted};
use crate::LoadError;
use crate::blob::{Layout, Quads};
use crate::session::{Memory, Open};

/// A matrix, ready to run.
#[derive(Debug, Clone, Copy)]
pub struct FullyConnected<'m> {
    /// Length of an input row; weights are output channels x these.
    pub inputs: usize,
    /// Weights, channels, requantization.
    pub weighted: Weighted<'m>,
}

impl FullyConnected<'_> {
    /// The weights: one row.
    pub fn quads(&self) -> Quads {
        Quads { rows: 1, row: self.inputs }
    }
}

impl<'m> Node<'m> for FullyConnected<'m> {
    fn decode(record: &Record<'_, 'm>) -> Result<Self, LoadError> {
        record.expect_unused(2, 3)?;
        let error = LoadError::BadParameter { operator: record.index };
        let inputs = usize::try_from(record.raw.parameters[0]).map_err(|_| error)?;
        if inputs == 0 { Err(error) } else { Ok(Self { inputs, weighted: Weighted::decode(record, 1)? }) }
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        let outputs = self.weighted.channels.len();
        let (read, written) = (sides.input.elements(), sides.output.elements());
        let rows = read.checked_div(self.inputs).unwrap_or(0);
        let fits = outputs > 0 && rows * self.inputs == read && rows.checked_mul(outputs) == Some(written);
        if !fits || sides.output.shape().last().map(|d| *d as usize) != Some(outputs) {
            return Err(LoadError::ShapeMismatch { operator });
        }
        self.weighted.verify(outputs, self.quads(), sides.output.zero_point(), operator)
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        if let Some(Open { inputs: [input], output, scratch }) = memory.open([sides.input], sides.output) {
            K::fully_connected(self, sides, input, output, scratch);
        }
    }

    fn has_clean_weights(&self) -> bool {
        self.weighted.is_clean(self.quads())
    }

    fn scratch_bytes(&self, sides: &Sides<'_>) -> usize {
        let rows = sides.input.elements().checked_div(self.inputs).unwrap_or(0);
        scratch_bytes(self.weighted.layout, [rows, self.inputs])
    }

    fn macs(&self, sides: &Sides<'_>) -> u64 {
        sides.output.elements() as u64 * self.inputs as u64
    }

    fn parameters(&self) -> u64 {
        self.weighted.parameters(self.inputs)
    }
}

/// Scratch bytes of `rows` of `inputs` elements times a matrix: one input row as int16, padded to a multiple of 4 elements
/// for the DSP layouts, as int8 padded to a multiple of 16 for the Helium layout; [`x86::scratch_bytes`] for x86.
pub fn scratch_bytes(layout: Layout, [rows, inputs]: [usize; 2]) -> usize {
    match layout.built() {
        Some(Layout::Natural) => inputs.saturating_mul(2),
        Some(Layout::Dsp | Layout::DspWide) => inputs.div_ceil(4).saturating_mul(4 * 2),
        Some(Layout::Helium) => inputs.div_ceil(16).saturating_mul(16),
        Some(Layout::X86) => x86::scratch_bytes([rows, inputs]),
        None => 0,
    }
}
