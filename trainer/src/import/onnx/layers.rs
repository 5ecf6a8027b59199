//! Layers with weights.

use super::constant::Constant;
use super::conversion::Conversion;
use super::conversion::Entry;
use super::pools::Sliding;
use super::schema::Node;
use super::value::Value;
use crate::Result;
use crate::graph::NodeId;
use crate::import::builder::ungrouped;
use crate::import::unusable;
use crate::ops::{BatchMatMul, Conv2d, Dense, DepthwiseConv2d, LayerNorm, Window};

/// Weights (output channels outermost) as a node of shape `shape`; scales along axis 0 are kept.
pub fn weights(c: &mut Conversion<'_, '_>, name: &str, shape: &[usize], constant: &Constant) -> Result<NodeId> {
    let node = c.builder.param(name, shape, constant.floats())?;
    if let Some(grid) = constant.grid.as_ref().filter(|grid| grid.scales.len() == 1 || grid.axis == 0) {
        c.builder.give_scales(node, grid.scales.clone());
    }
    Ok(node)
}

/// A bias as a node; what is given in whole steps stays so.
pub fn bias(c: &mut Conversion<'_, '_>, name: &str, constant: &Constant, outputs: usize) -> Result<NodeId> {
    let fits = constant.values.len() == outputs || constant.values.len() == 1;
    if !fits {
        return Err(unusable(format!("has a bias of shape {:?} for {outputs} outputs", constant.shape)));
    }
    let repeat = outputs / constant.values.len();
    let node = c.builder.param(name, &[outputs], constant.floats().repeat(repeat))?;
    if let Some(grid) = &constant.grid {
        let steps = constant.values.iter().zip(grid.scales.iter().cycle());
        let steps = steps.map(|(value, step)| ((value / f64::from(*step)).round() as i32, *step));
        c.builder.give_bias(node, steps.collect::<Vec<_>>().repeat(repeat));
    }
    Ok(node)
}

/// Inputs: image or sequence, weights OIHW, perhaps a bias.
pub fn conv<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let (filters, constant) = (c.constant(node, 1)?, c.known(node, 2)?);
    let value = convolution(c, node, filters, constant.as_ref())?;
    Ok(vec![value])
}

/// A convolution of input 0.
pub fn convolution<'f>(
    c: &mut Conversion<'_, 'f>,
    node: &Node<'f>,
    filters: Constant,
    constant: Option<&Constant>,
) -> Result<Value> {
    let (shape, name) = (filters.shape.clone(), node.outputs[0]);
    let [outputs, depth, kernel @ ..] = &shape[..] else {
        return Err(unusable(format!("has filters of shape {shape:?}")));
    };
    let sliding = Sliding::new(c, node, kernel)?;
    let channels = c.builder.shape(sliding.image)[3];
    let groups = usize::try_from(node.int("group", 1)?).unwrap_or(0);
    if groups == 0 || depth * groups != channels || !outputs.is_multiple_of(groups) || filters.values.is_empty() {
        return Err(unusable(format!("has filters of shape {shape:?} in {groups} groups on {channels} channels")));
    }
    let Window { kernel: [height, width], stride, dilation, padding } = sliding.window;
    let filters = filters.reshaped(vec![*outputs, *depth, height, width])?;
    let mut inputs = vec![sliding.image];
    let is_depthwise = *depth == 1 && groups > 1;
    if is_depthwise {
        inputs.push(weights(c, name, &[*outputs, height, width], &filters)?);
    } else {
        let mut filters = filters.transposed(&[0, 2, 3, 1])?;
        filters.values = ungrouped(&filters.values, *outputs, *depth, groups)?;
        filters.shape[3] = channels;
        inputs.push(weights(c, name, &filters.shape.clone(), &filters)?);
    }
    if let Some(constant) = constant {
        inputs.push(bias(c, name, constant, *outputs)?);
    }
    let result = if is_depthwise {
        c.builder.push(name, DepthwiseConv2d { stride, dilation, padding }, &inputs)?
    } else {
        c.builder.push(name, Conv2d { stride, dilation, padding }, &inputs)?
    };
    Ok(sliding.result(&c.builder, result))
}

/// `scale (x - mean) / sqrt(variance + epsilon) + bias` for each channel, dimension 1.
pub fn batch_normalization<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let (x, name) = (c.value(node, 0)?, node.outputs[0]);
    if node.int("training_mode", 0)? != 0 {
        return Err(unusable("is in training mode; export the network for inference"));
    }
    let [scale, offset, mean, variance] = [1, 2, 3, 4].map(|at| c.constant(node, at));
    let (scale, offset, mean, variance) = (scale?.values, offset?.values, mean?.values, variance?.values);
    let epsilon = f64::from(node.float("epsilon", 1e-5)?);
    let factor: Vec<f64> = scale.iter().zip(&variance).map(|(scale, v)| scale / (v + epsilon).sqrt()).collect();
    let summand: Vec<f64> = offset.iter().zip(&mean).zip(&factor).map(|((b, mean), k)| b - mean * k).collect();
    let shape = x.shape();
    if shape.len() < 2 || [factor.len(), summand.len()] != [shape[1]; 2] {
        return Err(unusable(format!(
            "has {} scales and {} means on a tensor of shape {shape:?}",
            scale.len(),
            mean.len()
        )));
    }
    Ok(vec![super::arithmetic::scaled(c, name, &x, 1, &factor, &summand)?])
}

/// Rows of `x` (its last dimension) times weights `[outputs, inputs]`, plus a bias.
pub fn dense(
    c: &mut Conversion<'_, '_>,
    name: &str,
    x: &Value,
    matrix: &Constant,
    constant: Option<&Constant>,
) -> Result<Value> {
    let mut shape = x.shape();
    let &[outputs, depth] = &matrix.shape[..] else {
        return Err(unusable(format!("has weights of shape {:?}", matrix.shape)));
    };
    if shape.last() != Some(&depth) {
        return Err(unusable(format!("has weights for {depth} inputs on a tensor of shape {shape:?}")));
    }
    let (rows, places) = x.rows(&mut c.builder, name)?;
    let values = matrix.values.chunks(depth.max(1)).flat_map(|row| places.iter().map(|at| row[*at])).collect();
    let matrix = Constant { values, ..matrix.clone() };
    let mut inputs = vec![rows, weights(c, name, &matrix.shape.clone(), &matrix)?];
    if let Some(constant) = constant {
        inputs.push(bias(c, name, constant, outputs)?);
    }
    let node = c.builder.push(name, Dense, &inputs)?;
    *shape.last_mut().ok_or_else(|| unusable("has no dimensions"))? = outputs;
    Value::plain(&c.builder, node).reshaped(&mut c.builder, name, &shape)
}

/// `alpha A B + beta C`.
pub fn gemm<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    if node.int("transA", 0)? != 0 {
        return Err(unusable("transposes its input, which is not supported"));
    }
    let (x, mut matrix, mut constant) = (c.value(node, 0)?, c.constant(node, 1)?, c.known(node, 2)?);
    if node.int("transB", 0)? == 0 {
        matrix = transposed(&matrix)?;
    }
    let (alpha, beta) = (f64::from(node.float("alpha", 1.0)?), f64::from(node.float("beta", 1.0)?));
    if alpha != 1.0 {
        matrix = matrix.map(|value| alpha * value);
    }
    if beta != 1.0 {
        constant = constant.map(|constant| constant.map(|value| beta * value));
    }
    Ok(vec![dense(c, node.outputs[0], &x, &matrix, constant.as_ref())?])
}

/// A tensor times a constant matrix, or matrices times matrices.
pub fn matmul<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let name = node.outputs[0];
    let missing = || unusable("lacks an input");
    let sides = [c.operand(node, 0)?.ok_or_else(missing)?, c.operand(node, 1)?.ok_or_else(missing)?];
    if let [Entry::Value(x), Entry::Constant(matrix)] = &sides
        && matrix.shape.len() == 2
    {
        return Ok(vec![dense(c, name, x, &transposed(matrix)?, None)?]);
    }
    let mut inputs = Vec::new();
    for side in &sides {
        inputs.push(match side {
            Entry::Value(value) => value.in_order(&mut c.builder, name)?,
            Entry::Constant(constant) => weights(c, name, &constant.shape, constant)?,
        });
    }
    let product = c.builder.push(name, BatchMatMul { adjoint: [false, false] }, &inputs)?;
    Ok(vec![Value::plain(&c.builder, product)])
}

/// `scale (x - mean) / sqrt(variance + epsilon) + bias` over the dimensions from `axis` on.
pub fn layer_normalization<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let (x, name) = (c.value(node, 0)?, node.outputs[0]);
    let shape = x.shape();
    let axis = c.axis(node.int("axis", -1)?, shape.len())?;
    let depth: usize = shape[axis..].iter().product();
    let (gamma, beta) = (c.constant(node, 1)?.floats(), c.known(node, 2)?.map(|beta| beta.floats()));
    let beta = beta.unwrap_or_else(|| vec![0.0; depth]);
    if [gamma.len(), beta.len()] != [depth; 2] {
        return Err(unusable(format!("has {} scales and {} biases for {depth} values", gamma.len(), beta.len())));
    }
    let (gamma, beta) = (c.builder.param(name, &[depth], gamma)?, c.builder.param(name, &[depth], beta)?);
    let norm = LayerNorm { epsilon: f64::from(node.float("epsilon", 1e-5)?) };
    if axis + 1 == shape.len() {
        let order = super::arithmetic::last(&x, axis);
        let from = x.ordered(&mut c.builder, name, &order)?;
        let node = c.builder.push(name, norm, &[from, gamma, beta])?;
        return Ok(vec![Value::stored(&c.builder, node, &order)]);
    }
    let from = x.in_order(&mut c.builder, name)?;
    let from = c.builder.reshape(name, from, &[shape[..axis].iter().product(), depth])?;
    let node = c.builder.push(name, norm, &[from, gamma, beta])?;
    let node = c.builder.reshape(name, node, &shape)?;
    Ok(vec![Value::plain(&c.builder, node)])
}

/// `[inputs, outputs]` as `[outputs, inputs]`.
pub fn transposed(matrix: &Constant) -> Result<Constant> {
    if matrix.shape.len() == 2 {
        matrix.transposed(&[1, 0])
    } else {
        Err(unusable(format!("has weights of shape {:?}", matrix.shape)))
    }
}
