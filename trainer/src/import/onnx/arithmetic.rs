//! Element by element.

use super::constant::{Constant, broadcast};
use super::conversion::{Conversion, Entry};
use super::schema::Node;
use super::value::Value;
use crate::Result;
use crate::import::unusable;
use crate::ops::{Add, Atan, Elu, Function, Mul, Op, Prelu, Softmax, Sub, Tanh};

/// A function of one tensor.
pub fn function<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>, function: Function) -> Result<Vec<Value>> {
    let x = c.value(node, 0)?;
    Ok(vec![x.with(c.builder.function(node.outputs[0], x.node, function)?)])
}

fn unary<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>, op: impl Into<Op>) -> Result<Vec<Value>> {
    let x = c.value(node, 0)?;
    Ok(vec![x.with(c.builder.push(node.outputs[0], op, &[x.node])?)])
}

fn clamped<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>, low: f64, high: f64) -> Result<Vec<Value>> {
    let x = c.value(node, 0)?;
    Ok(vec![x.with(c.builder.clamp(node.outputs[0], x.node, low, high)?)])
}

/// `max(0, x)`.
pub fn relu<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    clamped(c, node, 0.0, f64::INFINITY)
}

/// Inputs 1 and 2 (once attributes): the bounds.
pub fn clip<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let bound = |value: Option<Constant>| value.map(|value| value.scalar()).transpose();
    let (low, high) = (bound(c.known(node, 1)?)?, bound(c.known(node, 2)?)?);
    let low = low.unwrap_or(f64::from(node.float("min", f32::NEG_INFINITY)?));
    let high = high.unwrap_or(f64::from(node.float("max", f32::INFINITY)?));
    let open = |bound: f64| if bound.abs() >= f64::from(f32::MAX) { bound.signum() * f64::INFINITY } else { bound };
    clamped(c, node, open(low), open(high))
}

/// Hyperbolic tangent.
pub fn tanh<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    unary(c, node, Tanh)
}

/// `alpha (e^x - 1)` below zero.
pub fn elu<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let alpha = f64::from(node.float("alpha", 1.0)?);
    unary(c, node, Elu { alpha })
}

/// The angle of a tangent.
pub fn atan<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    unary(c, node, Atan { scale: 1.0 })
}

/// `alpha x` below zero.
pub fn leaky_relu<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let slope = f64::from(node.float("alpha", 0.01)?);
    function(c, node, Function::LeakyRelu { slope })
}

/// `clamp(alpha x + beta, 0, 1)`.
pub fn hard_sigmoid<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let (slope, offset) = (f64::from(node.float("alpha", 0.2)?), f64::from(node.float("beta", 0.5)?));
    function(c, node, Function::HardSigmoid { slope, offset })
}

/// In either form.
pub fn gelu<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    match node.text("approximate")? {
        Some("tanh") => function(c, node, Function::GeluTanh),
        _ => function(c, node, Function::Gelu),
    }
}

/// `-x`.
pub fn neg<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let (x, last) = channels(c, node)?;
    Ok(vec![scaled(c, node.outputs[0], &x, last, &[-1.0], &[0.0])?])
}

/// `x^exponent` for a constant exponent.
pub fn pow<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    match c.constant(node, 1)?.scalar()? {
        2.0 => function(c, node, Function::Square),
        1.0 => Ok(vec![c.value(node, 0)?]),
        0.5 => function(c, node, Function::Sqrt),
        exponent => function(c, node, Function::Power { exponent }),
    }
}

/// Input 1: slopes below zero, one or one for each channel.
pub fn prelu<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let slopes = c.constant(node, 1)?;
    if let Ok(slope) = slopes.scalar() {
        return function(c, node, Function::LeakyRelu { slope });
    }
    let (x, name) = (c.value(node, 0)?, node.outputs[0]);
    let (axis, slopes) = along_one(&slopes, &x.shape())?;
    let order = last(&x, axis);
    let from = x.ordered(&mut c.builder, name, &order)?;
    let slopes: Vec<f32> = slopes.iter().map(|slope| *slope as f32).collect();
    let slopes = c.builder.param(name, &[slopes.len()], slopes)?;
    let node = c.builder.push(name, Prelu, &[from, slopes])?;
    Ok(vec![Value::stored(&c.builder, node, &order)])
}

/// An order of the dimensions with `axis` last, near to that in which they stand.
pub fn last(x: &Value, axis: usize) -> Vec<usize> {
    let mut order = x.order();
    order.retain(|dim| *dim != axis);
    order.push(axis);
    order
}

/// Shares along a dimension; before version 13 along all from it on.
pub fn softmax<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let (x, name) = (c.value(node, 0)?, node.outputs[0]);
    let shape = x.shape();
    let axis = c.axis(node.int("axis", if c.opset < 13 { 1 } else { -1 })?, shape.len())?;
    if c.opset < 13 && shape[axis..].iter().filter(|length| **length > 1).count() > 1 {
        return Err(unusable(format!("is over dimensions {axis} and following of {shape:?}; one is supported")));
    }
    let axis = if c.opset < 13 { (axis..shape.len()).find(|at| shape[*at] > 1).unwrap_or(axis) } else { axis };
    let order = last(&x, axis);
    let from = x.ordered(&mut c.builder, name, &order)?;
    let node = c.builder.push(name, Softmax, &[from])?;
    Ok(vec![Value::stored(&c.builder, node, &order)])
}

/// `a + b`.
pub fn add<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    binary(c, node, Add, |k, _| (vec![1.0], k))
}

/// `a - b`.
pub fn sub<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    binary(c, node, Sub, |k, first| if first { (vec![-1.0], k) } else { (vec![1.0], k.iter().map(|k| -k).collect()) })
}

/// `a b`.
pub fn mul<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    binary(c, node, Mul, |k, _| (k, vec![0.0]))
}

/// `a / b`, by a constant only.
pub fn div<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    if !matches!(c.operand(node, 1)?, Some(Entry::Constant(_))) {
        return Err(unusable("divides by a computed tensor, which is not supported"));
    }
    binary(c, node, Mul, |k, _| (k.iter().map(|k| 1.0 / k).collect(), vec![0.0]))
}

/// Of two tensors.
pub fn sum<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    if node.inputs.len() == 2 { add(c, node) } else { Err(unusable("adds more or less than two tensors")) }
}

/// Two computed tensors, or one and a constant that `line` makes a factor and a summand of (told whether it comes first).
fn binary<'f>(
    c: &mut Conversion<'_, 'f>,
    node: &Node<'f>,
    op: impl Into<Op>,
    line: impl Fn(Vec<f64>, bool) -> (Vec<f64>, Vec<f64>),
) -> Result<Vec<Value>> {
    let missing = || unusable("lacks an input");
    let name = node.outputs[0];
    let (x, constant, first) =
        match (c.operand(node, 0)?.ok_or_else(missing)?, c.operand(node, 1)?.ok_or_else(missing)?) {
            (Entry::Value(a), Entry::Value(b)) => return combined(c, name, &a, &b, op).map(|value| vec![value]),
            (Entry::Value(x), Entry::Constant(constant)) => (x, constant, false),
            (Entry::Constant(constant), Entry::Value(x)) => (x, constant, true),
            (Entry::Constant(_), Entry::Constant(_)) => return Err(unusable("has constants only")),
        };
    let (axis, values) = along_one(&constant, &x.shape())?;
    let (scale, offset) = line(values, first);
    let axis = if constant.values.len() == 1 { x.order().last().copied().unwrap_or(axis) } else { axis };
    Ok(vec![scaled(c, name, &x, axis, &scale, &offset)?])
}

/// The one dimension of a tensor of shape `shape` along which a constant varies, and its values there.
fn along_one(constant: &Constant, shape: &[usize]) -> Result<(usize, Vec<f64>)> {
    let wrong = || {
        let found = &constant.shape;
        unusable(format!(
            "has a constant of shape {found:?} on a tensor of shape {shape:?}; one number, or one along one dimension, is supported"
        ))
    };
    if broadcast(&constant.shape, shape)? != shape {
        return Err(wrong());
    }
    let ahead = shape.len() - constant.shape.len();
    let mut long = (0..constant.shape.len()).filter(|at| constant.shape[*at] > 1);
    match (long.next(), long.next()) {
        (None, _) => Ok((shape.len().saturating_sub(1), constant.values.clone())),
        (Some(axis), None) => Ok((axis + ahead, constant.values.clone())),
        _ => Err(wrong()),
    }
}

/// Input 0 and the dimension that stands last.
fn channels<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<(Value, usize)> {
    let x = c.value(node, 0)?;
    let last = x.order().last().copied().ok_or_else(|| unusable("has a scalar as its input"))?;
    Ok((x, last))
}

/// `scale x + offset`, one of each or one for each place along ONNX's dimension `axis`.
pub fn scaled(
    c: &mut Conversion<'_, '_>,
    name: &str,
    x: &Value,
    axis: usize,
    scale: &[f64],
    offset: &[f64],
) -> Result<Value> {
    let order = last(x, axis);
    let from = x.ordered(&mut c.builder, name, &order)?;
    let [scale, offset] = [scale, offset].map(|values| values.iter().map(|value| *value as f32).collect());
    let node = c.builder.scaled(name, from, scale, offset)?;
    Ok(Value::stored(&c.builder, node, &order))
}

/// `op` of two computed tensors, dimensions of 1 repeated.
fn combined(c: &mut Conversion<'_, '_>, name: &str, a: &Value, b: &Value, op: impl Into<Op>) -> Result<Value> {
    let shapes = [a, b].map(|value| value.shape());
    let shape = broadcast(&shapes[0], &shapes[1])?;
    let mut values = [a.clone(), b.clone()];
    for (value, own) in values.iter_mut().zip(&shapes) {
        let ones = vec![1; shape.len() - own.len()];
        *value = value.reshaped(&mut c.builder, name, &[&ones[..], own].concat())?;
    }
    // The larger one says how the elements stand.
    let larger = usize::from(shapes[0].iter().product::<usize>() < shapes[1].iter().product::<usize>());
    let order = values[larger].order();
    let whole: Vec<usize> = order.iter().map(|dim| shape[*dim]).collect();
    let mut inputs = Vec::new();
    for value in &values {
        let node = value.ordered(&mut c.builder, name, &order)?;
        inputs.push(c.builder.repeated(name, node, &whole)?);
    }
    let node = c.builder.push(name, op, &inputs)?;
    Ok(Value::stored(&c.builder, node, &order))
}
