//! LSTM: a recurrent operator that remembers by a cell with gates (no peepholes, projection, layer norm or coupled gates).
//!
//! ```text
//! i, f, o = logistic(from input + from hidden)       gates 0, 1, 3; 12 fractional bits in, 15 out
//! g       = tanh(from input + from hidden)           gate 2
//! c(t)    = clip(f * c(t - 1) + i * g)               int16 with `integer_bits` before the point
//! h(t)    = clamp(o * tanh(c(t)) * multiplier + zero point)
//! ```
//!
//! All sums saturate. The two roundings are those of TFLite's two implementations, which differ in more than that:
//!
//! | | products with f and i | logistic and tanh |
//! |---|---|---|
//! | double: TFLite Micro, CMSIS-NN | rounded twice, as all products | by a table with interpolation |
//! | single: LiteRT | rounded once | gemmlowp's fixed point |
//!
//! Source: TFLite Micro `lstm_eval.h` (`LstmStep`), LiteRT `lstm_eval.cc` (`LstmStepInteger8x8_16`).

mod portable;
mod reference;

use super::record::Record;
use super::recurrent::{self, Recurrent};
use super::{Kernels, Node, Sides};
use crate::LoadError;
use crate::blob::Rounding;
use crate::quantized::Multiplier;
use crate::session::Memory;

/// Input, forget, cell, output.
pub(crate) const GATES: usize = 4;
/// Most bits of the cell state before the point.
pub const MAX_INTEGER_BITS: u32 = 6;

/// An LSTM, ready to run.
#[derive(Debug, Clone, Copy)]
pub struct Lstm<'m> {
    /// The gates, in units of 2^-12.
    pub recurrent: Recurrent<'m>,
    /// Everything after them.
    pub cell: Cell,
}

/// The numbers of an LSTM's cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// Which implementation's bytes.
    pub rounding: Rounding,
    /// Bits of the cell state before the point, 0 to 6: its scale is `2^(integer_bits - 15)`.
    pub integer_bits: u32,
    /// Largest magnitude of the cell state, 1 to 32767; 0 for none.
    pub clip: i16,
    /// `2^-30 / output scale`.
    pub output: Multiplier,
}

impl<'m> Node<'m> for Lstm<'m> {
    fn decode(record: &Record<'_, 'm>) -> Result<Self, LoadError> {
        record.expect_unused(2, recurrent::PARAMETERS + 4)?;
        let error = LoadError::BadParameter { operator: record.index };
        let rounding = Rounding::from_code(record.raw.rounding);
        let &[_, _, _, _, integer_bits, clip, ..] = &record.raw.parameters;
        let cell = Cell {
            rounding: rounding.ok_or(LoadError::UnknownOption { operator: record.index })?,
            integer_bits: u32::try_from(integer_bits).ok().filter(|bits| *bits <= MAX_INTEGER_BITS).ok_or(error)?,
            clip: i16::try_from(clip).ok().filter(|clip| *clip >= 0).ok_or(error)?,
            output: record.multiplier(6, -31..=0)?,
        };
        Ok(Self { recurrent: Recurrent::decode(record, GATES)?, cell })
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        // LiteRT subtracts the zero point of the output where it should add it.
        if self.cell.rounding == Rounding::Single && sides.output.zero_point() != 0 {
            return Err(LoadError::QuantizationMismatch { operator });
        }
        self.recurrent.verify(sides, Some(self.cell.integer_bits as i32 - 15), operator)
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        let zero_point = sides.output.zero_point();
        if K::SHORT && portable::suits(&self.cell) {
            self.recurrent.run::<K, i16>(sides, memory, portable::step(&self.cell, zero_point));
        } else {
            self.recurrent.run::<K, i16>(sides, memory, reference::step(&self.cell, zero_point));
        }
    }

    fn has_clean_weights(&self) -> bool {
        self.recurrent.is_clean(GATES)
    }

    fn inputs(&self) -> core::ops::RangeInclusive<usize> {
        3..=3
    }

    fn states(&self) -> usize {
        2
    }

    fn accepts(&self, sides: &Sides<'_>) -> bool {
        recurrent::accepts(sides)
    }

    fn scratch_bytes(&self, _: &Sides<'_>) -> usize {
        self.recurrent.scratch_bytes()
    }

    fn macs(&self, sides: &Sides<'_>) -> u64 {
        self.recurrent.macs(GATES, sides)
    }

    fn parameters(&self) -> u64 {
        self.recurrent.parameters(GATES)
    }
}
