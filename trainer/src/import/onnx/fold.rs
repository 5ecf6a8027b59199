//! Operators on known tensors are computed while importing: the arithmetic on shapes that exporters write, and weights that
//! pass through casts, transposes and dequantization.

use super::constant::{Constant, elements, places};
use super::conversion::{Conversion, Entry};
use super::schema::{Node, element};
use super::{quantized, shape};
use crate::Result;
use crate::import::unusable;
use crate::ops::loops::strides;

/// Computes one operator from its inputs, all known.
type Compute = for<'f> fn(&mut Conversion<'_, 'f>, &Node<'f>, &[Constant]) -> Result<Constant>;

const OPERATORS: &[(&str, Compute)] = &[
    ("Add", |_, _, k| two(k)?[0].zip(two(k)?[1], |a, b| a + b)),
    ("Cast", |_, n, k| cast(n, one(k)?)),
    ("Concat", |c, n, k| concat(c, n, k)),
    ("ConstantOfShape", |_, n, k| constant_of_shape(n, one(k)?)),
    ("DequantizeLinear", |c, n, k| quantized::dequantized(c, n, k)),
    ("Div", |_, _, k| {
        two(k)?[0].zip(two(k)?[1], |a, b| a / b).map(|q| if k[0].is_integer() { q.map(f64::trunc) } else { q })
    }),
    ("Expand", |_, _, k| expand(two(k)?)),
    ("Floor", |_, _, k| Ok(one(k)?.clone().map(f64::floor))),
    ("Gather", |c, n, k| gather(c, n, two(k)?)),
    ("Identity", |_, _, k| one(k).cloned()),
    ("Mul", |_, _, k| two(k)?[0].zip(two(k)?[1], |a, b| a * b)),
    ("Neg", |_, _, k| Ok(one(k)?.clone().map(|a| -a))),
    ("QuantizeLinear", |c, n, k| quantized::quantized(c, n, k)),
    ("Reshape", |_, n, k| one(k)?.clone().reshaped(shape::target(n, &one(k)?.shape, &two(k)?[1].integers())?)),
    ("Slice", |c, n, k| slice(c, n, one(k)?)),
    ("Sqrt", |_, _, k| Ok(one(k)?.clone().map(f64::sqrt))),
    ("Squeeze", |c, n, k| {
        let to = shape::squeezed(c, n, &one(k)?.shape)?;
        one(k)?.clone().reshaped(to)
    }),
    ("Sub", |_, _, k| two(k)?[0].zip(two(k)?[1], |a, b| a - b)),
    ("Transpose", |_, n, k| one(k)?.transposed(&shape::order(n, one(k)?.shape.len())?)),
    ("Unsqueeze", |c, n, k| {
        let to = shape::unsqueezed(c, n, &one(k)?.shape)?;
        one(k)?.clone().reshaped(to)
    }),
];

/// Whether the operator can be computed where its inputs are known, or always is.
pub fn knows(node: &Node<'_>) -> bool {
    ["Constant", "Shape"].contains(&node.operator) || OPERATORS.iter().any(|(known, _)| *known == node.operator)
}

/// The output, if it is known.
pub fn known<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Option<Constant>> {
    match node.operator {
        "Constant" => return constant(node).map(Some),
        "Shape" => return shape_of(c, node).map(Some),
        _ => {}
    }
    let Some((_, compute)) = OPERATORS.iter().find(|(known, _)| *known == node.operator) else { return Ok(None) };
    let mut inputs = Vec::new();
    for at in 0..node.inputs.len() {
        match c.operand(node, at)? {
            Some(Entry::Constant(constant)) => inputs.push(constant),
            Some(Entry::Value(_)) => return Ok(None),
            None => {}
        }
    }
    if inputs.is_empty() { Ok(None) } else { compute(c, node, &inputs).map(Some) }
}

fn one(inputs: &[Constant]) -> Result<&Constant> {
    inputs.first().ok_or_else(|| unusable("lacks an input"))
}

fn two(inputs: &[Constant]) -> Result<[&Constant; 2]> {
    if let [a, b, ..] = inputs { Ok([a, b]) } else { Err(unusable("lacks an input")) }
}

fn constant(node: &Node<'_>) -> Result<Constant> {
    if let Some(tensor) = node.tensor("value")? {
        return Constant::of(&tensor);
    }
    if let Some(list) = node.ints("value_ints")? {
        return Ok(Constant::list(list));
    }
    if let Some(list) = node.floats("value_floats")? {
        let values: Vec<f64> = list.into_iter().map(f64::from).collect();
        return Ok(Constant { shape: vec![values.len()], values, element: element::FLOAT, grid: None });
    }
    let single = |value, element| Constant { shape: vec![], values: vec![value], element, grid: None };
    match (node.int("value_int", i64::MIN)?, node.float("value_float", f32::NAN)?) {
        (int, _) if int != i64::MIN => Ok(single(int as f64, element::INT64)),
        (_, float) if !float.is_nan() => Ok(single(f64::from(float), element::FLOAT)),
        _ => Err(unusable("has no value that is supported")),
    }
}

fn shape_of<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Constant> {
    let shape = match c.operand(node, 0)?.ok_or_else(|| unusable("lacks an input"))? {
        Entry::Value(value) => value.shape(),
        Entry::Constant(constant) => constant.shape,
    };
    let rank = shape.len() as i64;
    let bound = |at: i64| (if at < 0 { at + rank } else { at }).clamp(0, rank) as usize;
    let (start, end) = (bound(node.int("start", 0)?), bound(node.int("end", rank)?));
    Ok(Constant::list(shape.get(start..end).unwrap_or_default().iter().map(|d| *d as i64)))
}

fn cast(node: &Node<'_>, x: &Constant) -> Result<Constant> {
    let to = node.int("to", 0)?;
    let cast = Constant { element: to, ..x.clone() };
    Ok(if cast.is_integer() && !x.is_integer() { cast.map(f64::trunc) } else { cast })
}

fn concat(c: &Conversion<'_, '_>, node: &Node<'_>, inputs: &[Constant]) -> Result<Constant> {
    let first = one(inputs)?;
    let axis = c.axis(node.int("axis", 0)?, first.shape.len())?;
    let mut shape = first.shape.clone();
    shape[axis] = 0;
    for input in inputs {
        let fits =
            input.shape.len() == shape.len() && (0..shape.len()).all(|at| at == axis || input.shape[at] == shape[at]);
        if !fits {
            return Err(unusable(format!("joins shapes {:?} and {:?}", first.shape, input.shape)));
        }
        shape[axis] += input.shape[axis];
    }
    elements(&shape)?;
    let rows: usize = shape[..axis].iter().product();
    let mut values = Vec::new();
    for row in 0..rows {
        for input in inputs {
            let length: usize = input.shape[axis..].iter().product();
            values.extend_from_slice(&input.values[row * length..(row + 1) * length]);
        }
    }
    Ok(Constant { shape, values, element: first.element, grid: None })
}

fn constant_of_shape(node: &Node<'_>, shape: &Constant) -> Result<Constant> {
    let value = node.tensor("value")?.map(|tensor| Constant::of(&tensor)).transpose()?;
    let shape = lengths(shape)?;
    let count = elements(&shape)?;
    let (fill, element) = match value {
        Some(value) => (value.scalar()?, value.element),
        None => (0.0, element::FLOAT),
    };
    Ok(Constant { shape, values: vec![fill; count], element, grid: None })
}

fn lengths(list: &Constant) -> Result<Vec<usize>> {
    let lengths: Option<Vec<usize>> = list.integers().iter().map(|d| usize::try_from(*d).ok()).collect();
    lengths.ok_or_else(|| unusable("has a negative dimension"))
}

fn expand([x, shape]: [&Constant; 2]) -> Result<Constant> {
    let shape = super::constant::broadcast(&x.shape, &lengths(shape)?)?;
    x.expanded(&shape)
}

fn gather(c: &Conversion<'_, '_>, node: &Node<'_>, [x, indices]: [&Constant; 2]) -> Result<Constant> {
    let axis = c.axis(node.int("axis", 0)?, x.shape.len())?;
    let inner: usize = x.shape[axis + 1..].iter().product();
    let outer: usize = x.shape[..axis].iter().product();
    let shape = [&x.shape[..axis], &indices.shape, &x.shape[axis + 1..]].concat();
    elements(&shape)?;
    let mut values = Vec::new();
    for row in 0..outer {
        for index in indices.integers() {
            let start = (row * x.shape[axis] + c.axis(index, x.shape[axis])?) * inner;
            values.extend_from_slice(&x.values[start..start + inner]);
        }
    }
    Ok(Constant { shape, values, element: x.element, grid: None })
}

fn slice<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>, x: &Constant) -> Result<Constant> {
    let part = shape::part(c, node, &x.shape)?;
    let from = strides(&x.shape);
    let first: usize = part.begin.iter().zip(&from).map(|(begin, stride)| begin * stride).sum();
    let steps: Vec<usize> = part.step.iter().zip(&from).map(|(step, stride)| step * stride).collect();
    let values = places(&part.size, &steps).map(|at| x.values[first + at]).collect();
    Ok(Constant { shape: part.size.to_vec(), values, element: x.element, grid: None })
}
