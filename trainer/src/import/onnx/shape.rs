//! What changes shapes and places, not values.

use super::conversion::Conversion;
use super::schema::Node;
use super::value::Value;
use crate::Result;
use crate::import::builder::{MAX_ELEMENTS, MAX_WINDOW};
use crate::import::unusable;
use crate::ops::{Pad, Slice};

/// The values as they are.
pub fn identity<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    Ok(vec![c.value(node, 0)?])
}

/// The shape that a list of `Reshape` means for a tensor of shape `from`: 0 keeps a length, -1 is what is left.
pub fn target(node: &Node<'_>, from: &[usize], list: &[i64]) -> Result<Vec<usize>> {
    let wrong = || unusable(format!("reshapes {from:?} to {list:?}"));
    let keep = node.int("allowzero", 0)? == 0;
    let mut shape = Vec::new();
    for (at, &length) in list.iter().enumerate() {
        shape.push(match length {
            0 if keep => *from.get(at).ok_or_else(wrong)?,
            -1 => 0,
            length => usize::try_from(length).map_err(|_| wrong())?,
        });
    }
    let total: usize = from.iter().product();
    let open: Vec<usize> = (0..list.len()).filter(|at| list[*at] == -1).collect();
    let product = |shape: &[usize]| shape.iter().try_fold(1usize, |product, d| product.checked_mul(*d));
    if let [open] = open[..] {
        shape[open] = 1;
        let known = product(&shape).filter(|known| *known > 0 && total.is_multiple_of(*known)).ok_or_else(wrong)?;
        shape[open] = total / known;
    }
    if product(&shape) == Some(total) && total <= MAX_ELEMENTS { Ok(shape) } else { Err(wrong()) }
}

/// Input 1 (once an attribute): the new shape.
pub fn reshape<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let x = c.value(node, 0)?;
    let list = c.integers(node, 1, "shape")?.ok_or_else(|| unusable("has no shape"))?;
    let shape = target(node, &x.shape(), &list)?;
    Ok(vec![x.reshaped(&mut c.builder, node.outputs[0], &shape)?])
}

/// Two dimensions: those before `axis`, and the rest.
pub fn flatten<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let x = c.value(node, 0)?;
    let shape = x.shape();
    let axis = node.int("axis", 1)?;
    let axis = if axis == shape.len() as i64 { shape.len() } else { c.axis(axis, shape.len().max(1))? };
    let (outer, inner) = shape.split_at(axis.min(shape.len()));
    let flat = [outer.iter().product(), inner.iter().product()];
    Ok(vec![x.reshaped(&mut c.builder, node.outputs[0], &flat)?])
}

/// `shape` without some dimensions of 1: those in input 1 (once an attribute), or all.
pub fn squeezed<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>, shape: &[usize]) -> Result<Vec<usize>> {
    let axes = match c.integers(node, 1, "axes")? {
        None => (0..shape.len()).filter(|at| shape[*at] == 1).collect(),
        Some(list) => list.iter().map(|axis| c.axis(*axis, shape.len())).collect::<Result<Vec<usize>>>()?,
    };
    if axes.iter().any(|axis| shape[*axis] != 1) {
        return Err(unusable(format!("squeezes dimensions {axes:?} of {shape:?}")));
    }
    Ok((0..shape.len()).filter(|at| !axes.contains(at)).map(|at| shape[at]).collect())
}

/// See [`squeezed`].
pub fn squeeze<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let x = c.value(node, 0)?;
    let shape = squeezed(c, node, &x.shape())?;
    Ok(vec![x.reshaped(&mut c.builder, node.outputs[0], &shape)?])
}

/// `shape` with dimensions of 1 at the places of the result in input 1 (once an attribute).
pub fn unsqueezed<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>, shape: &[usize]) -> Result<Vec<usize>> {
    let list = c.integers(node, 1, "axes")?.ok_or_else(|| unusable("has no axes"))?;
    let rank = shape.len() + list.len();
    let axes = list.iter().map(|axis| c.axis(*axis, rank)).collect::<Result<Vec<usize>>>()?;
    let mut rest = shape.iter();
    let length = |at: usize| if axes.contains(&at) { Some(1) } else { rest.next().copied() };
    let shape: Option<Vec<usize>> = (0..rank).map(length).collect();
    shape.filter(|_| rest.next().is_none()).ok_or_else(|| unusable(format!("has axes {list:?}")))
}

/// See [`unsqueezed`].
pub fn unsqueeze<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let x = c.value(node, 0)?;
    let shape = unsqueezed(c, node, &x.shape())?;
    Ok(vec![x.reshaped(&mut c.builder, node.outputs[0], &shape)?])
}

/// The order of the dimensions; backward where none is given.
pub fn order(node: &Node<'_>, rank: usize) -> Result<Vec<usize>> {
    let Some(list) = node.ints("perm")? else { return Ok((0..rank).rev().collect()) };
    let order: Vec<usize> = list.iter().map(|axis| usize::try_from(*axis).unwrap_or(usize::MAX)).collect();
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if sorted.iter().copied().eq(0..rank) {
        Ok(order)
    } else {
        Err(unusable(format!("transposes {rank} dimensions by {list:?}")))
    }
}

/// Changes the reading only.
pub fn transpose<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let x = c.value(node, 0)?;
    let order = order(node, x.dims.len())?;
    let dims = order.iter().map(|axis| x.dims[*axis].clone()).collect();
    Ok(vec![Value { dims, ..x }])
}

/// Part of a tensor of shape `shape`: starts, ends, axes and steps as inputs 1 to 4 (once attributes).
pub fn part<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>, shape: &[usize]) -> Result<Slice> {
    let rank = shape.len();
    let missing = || unusable("lacks starts or ends");
    let starts = c.integers(node, 1, "starts")?.ok_or_else(missing)?;
    let ends = c.integers(node, 2, "ends")?.ok_or_else(missing)?;
    let axes = c.integers(node, 3, "axes")?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = c.integers(node, 4, "steps")?.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err(unusable("has lists of different lengths"));
    }
    let mut part = Slice::dense(vec![0; rank], shape.into());
    let mut size = shape.to_vec();
    for (at, axis) in axes.iter().enumerate() {
        let axis = c.axis(*axis, rank)?;
        let length = shape[axis] as i64;
        let bound =
            |place: i64| (if place < 0 { place.saturating_add(length) } else { place }).clamp(0, length) as usize;
        let (start, end) = (bound(starts[at]), bound(ends[at]));
        let step = usize::try_from(steps[at]).ok().filter(|step| *step > 0);
        part.step[axis] =
            step.ok_or_else(|| unusable(format!("has a step of {}; steps forward are supported", steps[at])))?;
        size[axis] = end.saturating_sub(start).div_ceil(part.step[axis]);
        part.begin[axis] = start;
    }
    part.size = size.into();
    Ok(part)
}

/// See [`part`].
pub fn slice<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let x = c.value(node, 0)?;
    let part = part(c, node, &x.shape())?;
    Ok(vec![sliced(c, node.outputs[0], &x, &part)?])
}

/// A part of `x`, whose dimensions are ONNX's.
fn sliced(c: &mut Conversion<'_, '_>, name: &str, x: &Value, part: &Slice) -> Result<Value> {
    let order = x.order();
    let from = x.ordered(&mut c.builder, name, &order)?;
    let of = |list: &[usize]| order.iter().map(|dim| list[*dim]).collect::<Vec<usize>>();
    let slice = Slice { begin: of(&part.begin), step: of(&part.step), size: of(&part.size).into() };
    let node = c.builder.push(name, slice, &[from])?;
    Ok(Value::stored(&c.builder, node, &order))
}

/// Input 1 (once an attribute): the lengths of the parts along `axis`, else equal ones.
pub fn split<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let x = c.value(node, 0)?;
    let shape = x.shape();
    let axis = c.axis(node.int("axis", 0)?, shape.len())?;
    let (whole, parts) = (shape[axis], node.outputs.len());
    let lengths = match c.integers(node, 1, "split")? {
        Some(list) => list.iter().map(|length| usize::try_from(*length).unwrap_or(0)).collect(),
        None => {
            let length = whole.div_ceil(parts);
            (0..parts).map(|at| length.min(whole.saturating_sub(at * length))).collect::<Vec<usize>>()
        }
    };
    let total = lengths.iter().fold(0usize, |sum, length| sum.saturating_add(*length));
    if lengths.len() != parts || total != whole || lengths.contains(&0) {
        return Err(unusable(format!("splits {whole} into {lengths:?}")));
    }
    let (mut values, mut begin) = (Vec::new(), 0);
    for (name, length) in node.outputs.iter().zip(lengths) {
        let mut part = Slice::dense(vec![0; shape.len()], shape.as_slice().into());
        let mut size = shape.clone();
        (size[axis], part.begin[axis]) = (length, begin);
        part.size = size.into();
        values.push(sliced(c, name, &x, &part)?);
        begin += length;
    }
    Ok(values)
}

/// Zeros around a tensor: input 1 (once an attribute), all befores, then all afters.
pub fn pad<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let x = c.value(node, 0)?;
    if !["", "constant"].contains(&node.text("mode")?.unwrap_or_default()) {
        return Err(unusable("pads with values of the tensor; padding with zeros is supported"));
    }
    let value = c.known(node, 2)?.map_or(Ok(0.0), |value| value.scalar())?;
    if value != 0.0 || node.float("value", 0.0)? != 0.0 {
        return Err(unusable("pads with other values than zeros"));
    }
    let old = node.ints("paddings")?;
    let list = old.map_or_else(|| c.integers(node, 1, "pads"), |list| Ok(Some(list)))?;
    let list = list.ok_or_else(|| unusable("has no pads"))?;
    let rank = x.dims.len();
    let axes = match c.known(node, 3)? {
        Some(axes) => axes.integers().iter().map(|axis| c.axis(*axis, rank)).collect::<Result<Vec<usize>>>()?,
        None => (0..rank).collect(),
    };
    let sizes: Option<Vec<usize>> =
        list.iter().map(|d| usize::try_from(*d).ok().filter(|d| *d <= MAX_WINDOW)).collect();
    let sizes = sizes.filter(|sizes| sizes.len() == 2 * axes.len());
    let sizes = sizes.ok_or_else(|| unusable(format!("has pads {list:?} on {rank} dimensions")))?;
    let (mut before, mut after) = (vec![0; rank], vec![0; rank]);
    for (at, axis) in axes.iter().enumerate() {
        (before[*axis], after[*axis]) = (sizes[at], sizes[at + axes.len()]);
    }
    Ok(vec![padded(c, node.outputs[0], &x, &before, &after)?])
}

/// Zeros around `x`, whose dimensions are ONNX's.
pub fn padded(c: &mut Conversion<'_, '_>, name: &str, x: &Value, before: &[usize], after: &[usize]) -> Result<Value> {
    if before.iter().chain(after).all(|zeros| *zeros == 0) {
        return Ok(x.clone());
    }
    let order = x.order();
    let from = x.ordered(&mut c.builder, name, &order)?;
    let of = |list: &[usize]| order.iter().map(|dim| list[*dim]).collect::<Vec<usize>>();
    let pad = Pad::around(&c.builder.shape(from).into(), of(before), &of(after));
    let node = c.builder.push(name, pad, &[from])?;
    Ok(Value::stored(&c.builder, node, &order))
}

/// Tensors one after another.
pub fn concat<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let values = (0..node.inputs.len()).map(|at| c.value(node, at)).collect::<Result<Vec<Value>>>()?;
    let first = values.first().ok_or_else(|| unusable("has no inputs"))?;
    let axis = c.axis(node.int("axis", 1)?, first.dims.len())?;
    if values.iter().any(|value| value.dims.len() != first.dims.len()) {
        return Err(unusable("has inputs of different numbers of dimensions"));
    }
    let order = first.order();
    let name = node.outputs[0];
    let parts = values.iter().map(|value| value.ordered(&mut c.builder, name, &order)).collect::<Result<Vec<_>>>()?;
    let axis = order.iter().position(|dim| *dim == axis).unwrap_or(0);
    let node = c.builder.concat(name, &parts, axis)?;
    Ok(vec![Value::stored(&c.builder, node, &order)])
}
