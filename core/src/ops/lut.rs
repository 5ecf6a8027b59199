//! Lookup table: `output = table[input + 128]`, any function of one int8.
//!
//! tanh, atan, ELU, logistic and their scales become 256 bytes on the host. Source: TFLite's int8 lookup tables
//! (`LUTPopulate`).

use super::Sides;
use super::record::Record;
use crate::LoadError;

/// A table of 256 outputs.
#[derive(Debug, Clone, Copy)]
pub struct Lut<'m> {
    /// Output for the inputs -128 to 127, in this order.
    pub table: &'m [i8; 256],
}

impl<'m> Lut<'m> {
    pub(crate) fn decode(record: &Record<'_, 'm>) -> Result<Self, LoadError> {
        record.expect_no_options()?;
        record.expect_unused(1, 0)?;
        let table = record.constant(0)?;
        Ok(Self { table: table.try_into().map_err(|_| LoadError::BadConstant { operator: record.index })? })
    }

    /// Any shape, element by element.
    pub fn run(&self, input: &[i8], output: &mut [i8]) {
        for (x, y) in input.iter().zip(output) {
            // Flipping the sign bit adds 128: the index is 0 to 255 and needs no check.
            *y = self.table[usize::from(*x as u8 ^ 0x80)];
        }
    }
}

pub(crate) fn verify(sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
    if sides.input.shape() == sides.output.shape() { Ok(()) } else { Err(LoadError::ShapeMismatch { operator }) }
}
