//! Element by element on two tensors.

use ackermann_core::blob::write::OperatorKind;
use ackermann_core::ops::Add;

use super::Conversion;
use crate::Result;
use crate::import::tflite::schema::{Operator, unusable};

/// `AddOptions`: activation.
pub fn add<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let inputs = [c.input(operator, 0)?, c.input(operator, 1)?];
    let output = c.output(operator)?;
    let [a, b] = inputs.map(|input| c.shape(input));
    if a != b {
        return Err(unusable(format!("adds shapes {a:?} and {b:?}; broadcasting is not supported")));
    }
    let scales = inputs.map(|input| c.spec(input).scale);
    let activation = c.activation(operator.option_i8(0)?, output)?;
    let add = Add::for_scales(scales, c.spec(output).scale, activation)
        .ok_or_else(|| unusable(format!("has scales {scales:?} that are too large for its output's")))?;
    c.push(&inputs, output, OperatorKind::Add(add))
}
