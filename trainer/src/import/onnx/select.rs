//! What picks elements: Gather, ArgMax.

use super::constant::Constant;
use super::conversion::{Conversion, Entry};
use super::layers::weights;
use super::schema::Node;
use super::value::Value;
use crate::Result;
use crate::import::unusable;
use crate::ops::{Argmax, Gather};

/// Index of the largest (or smallest) value along `axis`.
pub fn argmax<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>, smallest: bool) -> Result<Vec<Value>> {
    let (x, name) = (c.value(node, 0)?, node.outputs[0]);
    if node.int("select_last_index", 0)? != 0 {
        return Err(unusable("takes the last of equal values; the first is supported"));
    }
    let shape = x.shape();
    let axis = c.axis(node.int("axis", 0)?, shape.len())?;
    let order = x.order();
    let from = x.ordered(&mut c.builder, name, &order)?;
    let at = order.iter().position(|dim| *dim == axis).unwrap_or(0);
    let picked = c.builder.push(name, Argmax { axis: at, smallest }, &[from])?;
    let picked = Value::stored(&c.builder, picked, &order);
    if node.int("keepdims", 1)? != 0 {
        return Ok(vec![picked]);
    }
    let kept: Vec<usize> = (0..shape.len()).filter(|dim| *dim != axis).map(|dim| shape[dim]).collect();
    Ok(vec![picked.reshaped(&mut c.builder, name, &kept)?])
}

/// Input 0: the data, or a table; input 1: indices along `axis`.
pub fn gather<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let (name, missing) = (node.outputs[0], || unusable("lacks an input"));
    let axis = node.int("axis", 0)?;
    let (data, indices) = (c.operand(node, 0)?.ok_or_else(missing)?, c.operand(node, 1)?.ok_or_else(missing)?);
    let inputs = match (data, indices) {
        (Entry::Value(data), Entry::Constant(indices)) => return picked(c, node, &data, &indices),
        (Entry::Value(data), Entry::Value(indices)) => {
            [data.in_order(&mut c.builder, name)?, indices.in_order(&mut c.builder, name)?]
        }
        (Entry::Constant(table), Entry::Value(indices)) => {
            [weights(c, name, &table.shape, &table)?, indices.in_order(&mut c.builder, name)?]
        }
        (Entry::Constant(_), Entry::Constant(_)) => return Err(unusable("has constants only")),
    };
    let axis = c.axis(axis, c.builder.shape(inputs[0]).len())?;
    let gathered = c.builder.push(name, Gather { axis }, &inputs)?;
    Ok(vec![Value::plain(&c.builder, gathered)])
}

/// Fixed picks.
fn picked<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>, x: &Value, indices: &Constant) -> Result<Vec<Value>> {
    let (name, shape) = (node.outputs[0], x.shape());
    let axis = c.axis(node.int("axis", 0)?, shape.len())?;
    let places = indices.integers().iter().map(|index| c.axis(*index, shape[axis])).collect::<Result<Vec<usize>>>()?;
    let order = x.order();
    let from = x.ordered(&mut c.builder, name, &order)?;
    let at = order.iter().position(|dim| *dim == axis).unwrap_or(0);
    let picked = c.builder.picked(name, from, at, &places)?;
    let result = Value::stored(&c.builder, picked, &order);
    let whole = [&shape[..axis], &indices.shape, &shape[axis + 1..]].concat();
    Ok(vec![result.reshaped(&mut c.builder, name, &whole)?])
}
