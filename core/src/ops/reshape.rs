//! Reshape: the same bytes under another shape.
//!
//! Free when the planner gives both tensors the same place, else a copy. Scale and zero point stay.

use super::Sides;
use super::record::Record;
use crate::LoadError;

pub(crate) fn decode(record: &Record<'_, '_>) -> Result<(), LoadError> {
    record.expect_no_options()?;
    record.expect_unused(0, 0)
}

pub(crate) fn verify(sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
    if sides.input.elements() != sides.output.elements() {
        return Err(LoadError::ShapeMismatch { operator });
    }
    sides.same_quantization(operator)
}
