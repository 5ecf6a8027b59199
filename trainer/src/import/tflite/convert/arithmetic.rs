//! Element by element on two tensors; dimensions of 1 are repeated.

use ackermann_core::blob::write::OperatorKind;
use ackermann_core::blob::{Activation, Element};
use ackermann_core::ops::{Add, BatchMatmul, Mul, Prelu, Sub};

use super::Conversion;
use crate::Result;
use crate::import::tflite::schema::{Operator, unusable};

/// `AddOptions`: activation.
pub fn add<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let sum = sum(c, operator)?;
    binary(c, operator, |scales, to, clamp| sum(scales, to, clamp).map(OperatorKind::Add))
}

/// `SubOptions`: activation.
pub fn sub<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let sum = sum(c, operator)?;
    binary(c, operator, |scales, to, clamp| sum(scales, to, clamp).map(|sum| OperatorKind::Sub(Sub(sum))))
}

/// What makes a sum from the scales of its inputs and its output.
type Sum = fn([f32; 2], f32, Activation) -> Option<Add>;

/// Option 1 of ADD and SUB: whether int16 tensors have powers of two as scales, which is the default.
fn sum<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<Sum> {
    let output = c.output(operator)?;
    if c.spec(output).element == Element::Int8 {
        return Ok(Add::for_scales);
    }
    if operator.options.map_or(Ok(1), |options| options.i8(1, 1))? != 0 {
        return Err(unusable(String::from("is one of int16 with powers of two as scales, which is not supported")));
    }
    Ok(|scales, to, _| Add::for_int16(scales, to))
}

/// `MulOptions`: activation.
pub fn mul<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    binary(c, operator, |scales, to, clamp| Mul::for_scales(scales, to, clamp).map(OperatorKind::Mul))
}

/// No options; the slopes are input 1.
pub fn prelu<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    binary(c, operator, |scales, to, _| Prelu::for_scales(scales, to).map(OperatorKind::Prelu))
}

/// `BatchMatMulOptions`: whether the first and the second are stored transposed.
pub fn batch_matmul<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let inputs = [c.input(operator, 0)?, c.input(operator, 1)?];
    let output = c.output(operator)?;
    let adjoint = [operator.option_i8(0)? != 0, operator.option_i8(1)? != 0];
    let scales = inputs.map(|input| c.spec(input).scale);
    let kind = BatchMatmul::for_scales(adjoint, scales, c.spec(output).scale);
    c.push(&inputs, output, OperatorKind::BatchMatmul(kind))
}

/// Makes the operator from the inputs' scales, the output's, and the fused activation.
fn binary<'f>(
    c: &mut Conversion<'_, 'f>,
    operator: &Operator<'f>,
    make: impl Fn([f32; 2], f32, Activation) -> Option<OperatorKind>,
) -> Result<()> {
    let inputs = [c.input(operator, 0)?, c.input(operator, 1)?];
    let output = c.output(operator)?;
    let scales = inputs.map(|input| c.spec(input).scale);
    let code = operator.option_i8(0)?;
    let activation = c.activation(code, output)?;
    let kind = make(scales, c.spec(output).scale, activation)
        .ok_or_else(|| unusable(format!("has scales {scales:?} that are too large for its output's")))?;
    c.push_activated(&inputs, output, kind, code)
}
