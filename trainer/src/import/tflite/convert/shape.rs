//! What changes shapes and places, not values.

use ackermann_core::blob::write::OperatorKind;

use super::Conversion;
use crate::Result;
use crate::import::tflite::schema::Operator;

/// The new shape is the output's.
pub fn reshape<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    c.push(&[input], output, OperatorKind::Reshape)
}
