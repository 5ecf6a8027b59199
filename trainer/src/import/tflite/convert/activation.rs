//! Functions of one tensor, and changes of its scale.

use ackermann_core::blob::write::OperatorKind;
use ackermann_core::ops::Softmax;
use ackermann_core::quantized::{multiply_by_quantized_multiplier, quantize_multiplier};

use super::Conversion;
use crate::Result;
use crate::import::tflite::schema::{Operator, unusable};
use crate::quant::Quantization;

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
    let table = requantized(c.quantization(input), c.quantization(output));
    c.push(&[input], output, OperatorKind::Lut { table })
}

/// To float it is the network's edge; elsewhere the network would go on in float.
pub fn dequantize<'f>(_: &mut Conversion<'_, 'f>, _: &Operator<'f>) -> Result<()> {
    Err(unusable(String::from("is supported between int8 and float at the edges only")))
}

/// QUANTIZE from int8 to int8: TFLite's integer arithmetic, tabulated.
fn requantized(from: Quantization, to: Quantization) -> [i8; 256] {
    let (multiplier, shift) = quantize_multiplier(f64::from(from.scale) / f64::from(to.scale));
    let mut table = [0; 256];
    for (entry, q) in table.iter_mut().zip(i8::MIN..=i8::MAX) {
        let steps = i32::from(q) - i32::from(from.zero_point);
        let scaled = multiply_by_quantized_multiplier(steps, multiplier, shift);
        let shifted = scaled.saturating_add(i32::from(to.zero_point));
        *entry = shifted.clamp(i32::from(i8::MIN), i32::from(i8::MAX)) as i8;
    }
    table
}
