//! Reshape: the same bytes under another shape.
//!
//! Free when the planner gives both tensors the same place, else a copy. Scale and zero point stay.

use super::record::Record;
use super::{Kernels, Node, Sides};
use crate::LoadError;
use crate::blob::Element;
use crate::session::{Memory, Open};

/// The same bytes under another shape; any element type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reshape;

impl Node<'_> for Reshape {
    const ELEMENTS: &'static [Element] = Element::ALL;

    fn decode(record: &Record<'_, '_>) -> Result<Self, LoadError> {
        record.expect_no_options()?;
        record.expect_unused(0, 0)?;
        Ok(Self)
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        if sides.input.elements() != sides.output.elements() {
            return Err(LoadError::ShapeMismatch { operator });
        }
        sides.same_quantization(operator)
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        // Bytes that are in place already are not given, and need no copy.
        let Some(Open { inputs: [input], output, .. }) = memory.open([sides.input], sides.output) else { return };
        for (q, copied) in input.iter().zip(output) {
            *copied = *q;
        }
    }

    fn in_place(&self, _: &Sides<'_>, _: usize) -> bool {
        true
    }
}
