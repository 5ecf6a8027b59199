//! Element by element.

use super::conversion::Conversion;
use crate::Result;
use crate::graph::NodeId;
use crate::import::tflite::schema::Operator;
use crate::import::unusable;
use crate::ops::{Add, Elu, Function, Mul, Prelu, Softmax, Sub};

/// A function of one tensor.
pub fn function<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>, function: Function) -> Result<NodeId> {
    let (x, name) = (c.input(operator, 0)?, c.name(operator)?);
    c.builder.function(&name, x, function)
}

/// An activation, by TFLite's code.
pub fn activation<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>, code: i8) -> Result<NodeId> {
    let (x, name) = (c.input(operator, 0)?, c.name(operator)?);
    c.builder.activation(&name, x, code)
}

/// No options: alpha is 1.
pub fn elu<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let (x, name) = (c.input(operator, 0)?, c.name(operator)?);
    c.builder.push(&name, Elu { alpha: 1.0 }, &[x])
}

/// `LeakyReluOptions`: alpha.
pub fn leaky_relu<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let slope = f64::from(operator.option_f32(0)?);
    function(c, operator, Function::LeakyRelu { slope })
}

/// `SoftmaxOptions`: beta.
pub fn softmax<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let (mut x, name, beta) = (c.input(operator, 0)?, c.name(operator)?, operator.option_f32(0)?);
    if beta != 1.0 {
        x = c.builder.scaled(&name, x, vec![beta], vec![0.0])?;
    }
    c.builder.push(&name, Softmax, &[x])
}

/// `AddOptions`: activation.
pub fn add<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    binary(c, operator, |c, name, [a, b]| c.builder.push(name, Add, &[a, b]), |k| (vec![1.0], k), |k| (vec![1.0], k))
}

/// `SubOptions`: activation.
pub fn sub<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let negative = |k: Vec<f32>| k.iter().map(|k| -k).collect();
    binary(
        c,
        operator,
        |c, name, [a, b]| c.builder.push(name, Sub, &[a, b]),
        |k| (vec![1.0], negative(k)),
        |k| (vec![-1.0], k),
    )
}

/// `MulOptions`: activation.
pub fn mul<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    binary(c, operator, |c, name, [a, b]| c.builder.push(name, Mul, &[a, b]), |k| (k, vec![0.0]), |k| (k, vec![0.0]))
}

/// `DivOptions`: activation. By a constant only.
pub fn div<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    if c.constant(operator, 1)?.is_none() {
        return Err(unusable("divides by a computed tensor, which is not supported"));
    }
    let inverse = |k: Vec<f32>| (k.iter().map(|k| 1.0 / k).collect(), vec![0.0]);
    binary(c, operator, |_, _, _| Err(unusable("divides by a computed tensor")), inverse, inverse)
}

/// Factor and summand along the last dimension that stand for an operator with one constant.
type Line = (Vec<f32>, Vec<f32>);

/// Two computed tensors, or one and a constant that is a number or one for each channel.
fn binary<'f>(
    c: &mut Conversion<'_, 'f>,
    operator: &Operator<'f>,
    both: impl Fn(&mut Conversion<'_, 'f>, &str, [NodeId; 2]) -> Result<NodeId>,
    constant_second: impl Fn(Vec<f32>) -> Line,
    constant_first: impl Fn(Vec<f32>) -> Line,
) -> Result<NodeId> {
    let name = c.name(operator)?;
    let (first, second) = (c.values(operator, 0)?, c.values(operator, 1)?);
    let (x, (scale, offset)) = match (first, second) {
        (None, None) => {
            let inputs = [c.input(operator, 0)?, c.input(operator, 1)?];
            let [a, b] = inputs.map(|input| c.builder.shape(input));
            let inputs = if a == b { inputs } else { repeated(c, operator, inputs)? };
            let node = both(c, &name, inputs)?;
            return c.builder.activation(&name, node, operator.option_i8(0)?);
        }
        (None, Some(constant)) => (c.input(operator, 0)?, constant_second(channels(c, operator, 0, constant)?)),
        (Some(constant), None) => (c.input(operator, 1)?, constant_first(channels(c, operator, 1, constant)?)),
        (Some(_), Some(_)) => return Err(unusable("has constants only")),
    };
    let node = c.builder.scaled(&name, x, scale, offset)?;
    c.builder.activation(&name, node, operator.option_i8(0)?)
}

/// Both inputs with dimensions of 1 repeated to the output's shape.
fn repeated<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>, [a, b]: [NodeId; 2]) -> Result<[NodeId; 2]> {
    let (whole, name) = (c.output_shape(operator)?, c.name(operator)?);
    Ok([c.builder.repeated(&name, a, &whole)?, c.builder.repeated(&name, b, &whole)?])
}

/// Input 1: the slopes.
pub fn prelu<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let (x, slopes, name) = (c.input(operator, 0)?, c.operand(operator, 1)?, c.name(operator)?);
    c.builder.push(&name, Prelu, &[x, slopes])
}

fn channels<'f>(
    c: &Conversion<'_, 'f>,
    operator: &Operator<'f>,
    input: usize,
    (shape, values): (Vec<usize>, Vec<f32>),
) -> Result<Vec<f32>> {
    let last = c.builder.shape(c.input(operator, input)?).last().copied();
    let along_last = shape.last().copied() == last && Some(values.len()) == last;
    if values.len() == 1 || along_last {
        return Ok(values);
    }
    Err(unusable(format!("has a constant of shape {shape:?}; one number or one for each channel is supported")))
}
