//! Quantized tensors: the scales that the file gives stay.

use super::constant::{Constant, Grid, broadcast};
use super::conversion::Conversion;
use super::layers::{convolution, dense, transposed};
use super::schema::{Node, element};
use super::value::Value;
use crate::Result;
use crate::import::unusable;
use crate::ops::Reshape;
use crate::quant::Quantization;

/// Scale and zero point of one tensor; without a zero point the type is UINT8 and it is 0.
fn quantization(scale: &Constant, zero_point: Option<&Constant>) -> Result<Quantization> {
    let (real, zero, kind) = match zero_point {
        Some(zero) => (scale.scalar()?, zero.scalar()?, zero.element),
        None => (scale.scalar()?, 0.0, element::UINT8),
    };
    let offset = match kind {
        element::INT8 => 0.0,
        element::UINT8 => 128.0,
        other => return Err(unusable(format!("quantizes to {}; INT8 and UINT8 are supported", element::name(other)))),
    };
    let scale = real as f32;
    let zero = zero - offset;
    if !(scale > 0.0 && scale.is_finite() && (-128.0..=127.0).contains(&zero)) {
        return Err(unusable(format!("has a scale of {scale} and a zero point of {zero}")));
    }
    Ok(Quantization { scale, zero_point: zero as i8 })
}

/// The values of `x` in these steps from here on: a node of its own where it has others already.
fn given(c: &mut Conversion<'_, '_>, name: &str, x: &Value, quantization: Quantization) -> Result<Value> {
    let node = match c.builder.given(x.node) {
        Some(known) if known != quantization => {
            let shape = c.builder.shape(x.node).into();
            c.builder.push(name, Reshape { shape }, &[x.node])?
        }
        _ => x.node,
    };
    c.builder.give(node, quantization);
    Ok(x.with(node))
}

/// Inputs: a tensor, scale, zero point.
pub fn quantize<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let x = c.value(node, 0)?;
    let quantization = quantization(&c.constant(node, 1)?, c.known(node, 2)?.as_ref())?;
    Ok(vec![given(c, node.outputs[0], &x, quantization)?])
}

/// As [`quantize`], of a tensor that is quantized: its values stay.
pub fn dequantize<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    quantize(c, node)
}

/// `constant`, which is not a scalar, for each element of `x` along `axis`.
fn along(constant: &Constant, x: &Constant, axis: usize) -> Result<Constant> {
    if constant.values.len() == 1 {
        return Ok(Constant { shape: Vec::new(), ..constant.clone() });
    }
    if constant.values.len() != x.shape.get(axis).copied().unwrap_or(0) {
        return Err(unusable(format!(
            "has {} scales or zero points along axis {axis} of {:?}",
            constant.values.len(),
            x.shape
        )));
    }
    let ones = vec![1; x.shape.len() - axis - 1];
    constant.clone().reshaped([&[constant.values.len()][..], &ones].concat())
}

/// Operands of a (de)quantization: its constant, scales and zero points in shapes that fit, the axis.
fn parts(c: &Conversion<'_, '_>, node: &Node<'_>, inputs: &[Constant]) -> Result<(Constant, Constant, usize)> {
    let [x, scale, rest @ ..] = inputs else { return Err(unusable("lacks an input")) };
    if node.int("block_size", 0)? != 0 {
        return Err(unusable("is in blocks, which is not supported"));
    }
    let axis = if scale.values.len() == 1 { 0 } else { c.axis(node.int("axis", 1)?, x.shape.len())? };
    let zero = match rest.first() {
        Some(zero) => along(zero, x, axis)?,
        None => Constant { shape: vec![], values: vec![0.0], element: element::UINT8, grid: None },
    };
    let scale = along(scale, x, axis)?;
    broadcast(&scale.shape, &x.shape)?;
    Ok((scale, zero, axis))
}

/// `(q - zero point) scale` of a constant.
pub fn dequantized(c: &Conversion<'_, '_>, node: &Node<'_>, inputs: &[Constant]) -> Result<Constant> {
    let (scale, zero, axis) = parts(c, node, inputs)?;
    let symmetric =
        zero.values.iter().all(|zero| *zero == if inputs[0].element == element::UINT8 { 128.0 } else { 0.0 });
    let usable = scale.values.iter().all(|scale| *scale > 0.0 && scale.is_finite());
    let mut real = inputs[0].zip(&zero, |q, zero| q - zero)?.zip(&scale, |steps, scale| steps * scale)?;
    real.element = element::FLOAT;
    if symmetric && usable {
        real.grid = Some(Grid { scales: scale.floats(), axis });
    }
    Ok(real)
}

/// `round(x / scale) + zero point` of a constant, ties to even.
pub fn quantized(c: &Conversion<'_, '_>, node: &Node<'_>, inputs: &[Constant]) -> Result<Constant> {
    let (scale, zero, _) = parts(c, node, inputs)?;
    let (low, high) = match zero.element {
        element::INT8 => (-128.0, 127.0),
        element::UINT8 => (0.0, 255.0),
        element::INT32 => (f64::from(i32::MIN), f64::from(i32::MAX)),
        other => {
            return Err(unusable(format!(
                "quantizes to {}; INT8, UINT8 and INT32 are supported",
                element::name(other)
            )));
        }
    };
    // The division is in f32, as the operator's.
    let steps = inputs[0].zip(&scale, |x, scale| f64::from((x as f32 / scale as f32).round_ties_even()))?;
    let mut steps = steps.zip(&zero, |steps, zero| (steps + zero).clamp(low, high))?;
    steps.element = zero.element;
    Ok(steps)
}

/// Scales of weights, and the weights: inputs `at` to `at + 2` with output channels along `axis`.
fn weights<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>, at: usize, axis: usize) -> Result<Constant> {
    let (q, scale, zero) = (c.constant(node, at)?, c.constant(node, at + 1)?, c.known(node, at + 2)?);
    let scale = along(&scale, &q, axis)?;
    let zero = zero.map_or_else(|| Ok(q.clone().map(|_| 0.0)), |zero| along(&zero, &q, axis))?;
    let centre = if q.element == element::UINT8 { 128.0 } else { 0.0 };
    let symmetric =
        zero.values.iter().all(|zero| *zero == centre) && scale.values.iter().all(|s| *s > 0.0 && s.is_finite());
    let mut real = q.zip(&zero, |q, zero| q - zero)?.zip(&scale, |steps, scale| steps * scale)?;
    real.element = element::FLOAT;
    real.grid = symmetric.then(|| Grid { scales: scale.floats(), axis });
    Ok(real)
}

/// Inputs: x, its scale and zero point, weights with theirs, the output's, perhaps a bias.
pub fn conv<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let x = quantize(c, node)?.remove(0);
    let from = c.builder.given(x.node).map_or(1.0, |from| from.scale);
    let filters = weights(c, node, 3, 0)?;
    let scales = c.constant(node, 4)?;
    let bias = c.known(node, 8)?.map(|bias| {
        let step = Constant { shape: vec![scales.values.len()], ..scales.clone() }.map(|scale| scale * f64::from(from));
        let mut real = bias.zip(&step, |q, step| q * step)?;
        real.grid = Some(Grid { scales: step.floats(), axis: 0 });
        Ok(real)
    });
    let result = convolution(c, node, filters, bias.transpose()?.as_ref())?;
    finish(c, node, &result)
}

/// Inputs: x, its scale and zero point, a matrix with its own, the output's.
pub fn matmul<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let x = quantize(c, node)?.remove(0);
    let matrix = transposed(&weights(c, node, 3, 1)?)?;
    let result = dense(c, node.outputs[0], &x, &matrix, None)?;
    finish(c, node, &result)
}

/// The output's scale and zero point are inputs 6 and 7.
fn finish<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>, result: &Value) -> Result<Vec<Value>> {
    let quantization = quantization(&c.constant(node, 6)?, c.known(node, 7)?.as_ref())?;
    Ok(vec![given(c, node.outputs[0], result, quantization)?])
}
