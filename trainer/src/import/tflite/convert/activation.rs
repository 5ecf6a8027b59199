//! Functions of one tensor, and changes of its scale.

use ackermann_core::blob::write::OperatorKind;
use ackermann_core::ops::Softmax;

use super::Conversion;
use crate::Result;
use crate::import::tflite::schema::{Operator, unusable};

/// No options.
pub fn tanh<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    function(c, operator, f32::tanh)
}

/// A table of `function`.
fn function<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>, function: fn(f32) -> f32) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    let table = c.quantization(input).table(c.quantization(output), function);
    c.push(&[input], output, OperatorKind::Lut { table })
}

/// `SoftmaxOptions`: beta.
pub fn softmax<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    let (beta, scale) = (operator.option_f32(0)?, c.spec(input).scale);
    let softmax = Softmax::for_scale(beta, scale)
        .ok_or_else(|| unusable(format!("has beta {beta} and an input scale of {scale}: both are too small")))?;
    c.push(&[input], output, OperatorKind::Softmax(softmax))
}

/// From int8 to int8 (from float it is the network's edge).
pub fn quantize<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    let table = c.quantization(input).requantized(c.quantization(output));
    c.push(&[input], output, OperatorKind::Lut { table })
}

/// To float it is the network's edge; elsewhere the network would go on in float.
pub fn dequantize<'f>(_: &mut Conversion<'_, 'f>, _: &Operator<'f>) -> Result<()> {
    Err(unusable(String::from("is supported between int8 and float at the edges only")))
}
