//! Lookup table: `output = table[input + 128]`, any function of one int8.
//!
//! tanh, atan, ELU, logistic and their scales become 256 bytes on the host. Source: TFLite's int8 lookup tables
//! (`LUTPopulate`).

#[cfg(any(test, feature = "writer"))]
pub mod tables;

use super::record::Record;
use super::{Kernels, Node, Sides};
use crate::LoadError;
use crate::blob::Place;
use crate::session::Memory;

/// A table of 256 outputs.
#[derive(Debug, Clone, Copy)]
pub struct Lut<'m> {
    /// Output for the inputs -128 to 127, in this order.
    pub table: &'m [i8; 256],
}

impl<'m> Node<'m> for Lut<'m> {
    fn decode(record: &Record<'_, 'm>) -> Result<Self, LoadError> {
        record.expect_no_options()?;
        record.expect_unused(1, 0)?;
        let table = record.constant(0)?;
        Ok(Self { table: table.try_into().map_err(|_| LoadError::BadConstant { operator: record.index })? })
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        let fits = sides.input.shape() == sides.output.shape() && sides.input.place() == Place::Arena;
        if fits { Ok(()) } else { Err(LoadError::ShapeMismatch { operator }) }
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        let Some([input, output]) = memory.cells(sides.input, sides.output) else { return };
        for (x, y) in input.iter().zip(output) {
            // Flipping the sign bit adds 128: the index is 0 to 255 and needs no check.
            y.set(self.table[usize::from(x.get() as u8 ^ 0x80)]);
        }
    }

    fn in_place(&self, _: &Sides<'_>, _: usize) -> bool {
        true
    }
}
