//! Functions of one tensor, and changes of its scale.

use ackermann_core::blob::Element;
use ackermann_core::blob::write::OperatorKind;
use ackermann_core::ops::lut::tables::{self, Scale, Table};
use ackermann_core::ops::{Requantize, Softmax};

use super::Conversion;
use crate::Result;
use crate::import::tflite::DenseRounding;
use crate::import::tflite::schema::{Operator, unusable};

/// No options. Micro's kernel has an integer formula, LiteRT's a table of floats.
pub fn tanh<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    squash(c, operator, f32::tanh, tables::tanh)
}

/// No options; as [`tanh`].
pub fn logistic<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    squash(c, operator, |x| 1.0 / (1.0 + (-x).exp()), tables::logistic)
}

fn squash<'f>(
    c: &mut Conversion<'_, 'f>,
    operator: &Operator<'f>,
    float: fn(f32) -> f32,
    integer: fn(Scale) -> Table,
) -> Result<()> {
    match c.options.rounding {
        DenseRounding::Single => function(c, operator, float),
        DenseRounding::Double => table(c, operator, |from, _| integer(from)),
    }
}

/// No options: alpha is 1.
pub fn elu<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    function(c, operator, |x| if x < 0.0 { x.exp_m1() } else { x })
}

/// No options.
pub fn abs<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    function(c, operator, f32::abs)
}

/// A table of `function`, in floats.
fn function<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>, function: fn(f32) -> f32) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    let table = c.quantization(input).table(c.quantization(output), function);
    c.push_int8(&[input], output, OperatorKind::Lut { table })
}

/// A table made from the scales of input and output.
fn table<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>, make: impl Fn(Scale, Scale) -> Table) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    let [from, to] =
        [input, output].map(|side| Scale { scale: c.spec(side).scale, zero_point: c.spec(side).zero_point });
    c.push_int8(&[input], output, OperatorKind::Lut { table: make(from, to) })
}

/// Values clamped to `low..=high`. No options.
pub fn clamp<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>, low: f32, high: f32) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    let (from, to) = (c.spec(input), c.spec(output));
    if [from.element, to.element] != [Element::Int16; 2] {
        return table(c, operator, |from, to| tables::relu(from, to, low, high));
    }
    let quantize = |real: f32| i32::from((real / to.scale).round() as i16);
    let range = [quantize(low), quantize(high)];
    // TFLite divides these scales in f32.
    let scale = Requantize::for_scales(from.scale / to.scale, 1.0).scale;
    c.push(&[input], output, OperatorKind::Requantize(Requantize { scale, range }))
}

/// `LeakyReluOptions`: alpha.
pub fn leaky_relu<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let slope = operator.option_f32(0)?;
    table(c, operator, |from, to| tables::leaky_relu(from, to, slope))
}

/// No options.
pub fn hard_swish<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    table(c, operator, tables::hard_swish)
}

/// `SoftmaxOptions`: beta.
pub fn softmax<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    let (beta, scale) = (operator.option_f32(0)?, c.spec(input).scale);
    let softmax = Softmax::for_scale(beta, scale)
        .ok_or_else(|| unusable(format!("has beta {beta} and an input scale of {scale}: both are too small")))?;
    c.push(&[input], output, OperatorKind::Softmax(softmax))
}

/// Between integers (from float it is the network's edge).
pub fn quantize<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    let int8 = [input, output].map(|side| c.spec(side).element == Element::Int8);
    let kind = if int8 == [true, true] {
        OperatorKind::Lut { table: c.quantization(input).requantized(c.quantization(output)) }
    } else {
        OperatorKind::Requantize(Requantize::for_scales(c.spec(input).scale, c.spec(output).scale))
    };
    c.push(&[input], output, kind)
}

/// To float it is the network's edge; elsewhere the network would go on in float.
pub fn dequantize<'f>(_: &mut Conversion<'_, 'f>, _: &Operator<'f>) -> Result<()> {
    Err(unusable(String::from("is supported between int8 and float at the edges only")))
}
