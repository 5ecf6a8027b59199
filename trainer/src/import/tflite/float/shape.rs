//! What changes shapes and places, not values.

use super::conversion::Conversion;
use crate::Result;
use crate::graph::NodeId;
use crate::import::builder::MAX_WINDOW;
use crate::import::tflite::convert::place_of;
use crate::import::tflite::schema::Operator;
use crate::import::unusable;
use crate::ops::Pad;

/// The new shape is the output's.
pub fn reshape<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let (x, name, shape) = (c.input(operator, 0)?, c.name(operator)?, c.output_shape(operator)?);
    c.builder.reshape(&name, x, &shape)
}

/// The values as they are; a node of its own, since scales may differ on the two sides.
pub fn identity<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let (x, name) = (c.input(operator, 0)?, c.name(operator)?);
    match c.builder.given(x) {
        None => Ok(x),
        Some(_) => {
            let shape = c.builder.shape(x).into();
            c.builder.push(&name, crate::ops::Reshape { shape }, &[x])
        }
    }
}

/// Input 1: the order of the dimensions.
pub fn transpose<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let (x, name) = (c.input(operator, 0)?, c.name(operator)?);
    let order: Vec<usize> =
        c.integers(operator, 1)?.iter().map(|d| usize::try_from(*d).unwrap_or(usize::MAX)).collect();
    c.builder.transpose(&name, x, &order)
}

/// Input 1: rows of zeros before and after, for each dimension.
pub fn pad<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let (x, name) = (c.input(operator, 0)?, c.name(operator)?);
    let sizes: Option<Vec<usize>> =
        c.integers(operator, 1)?.iter().map(|d| usize::try_from(*d).ok().filter(|d| *d <= MAX_WINDOW)).collect();
    let sizes = sizes.filter(|sizes| sizes.len() == 2 * c.builder.shape(x).len());
    let sizes = sizes.ok_or_else(|| unusable("has paddings that do not fit its input"))?;
    let (before, after): (Vec<usize>, Vec<usize>) = sizes.as_chunks::<2>().0.iter().map(|[b, a]| (*b, *a)).unzip();
    let pad = Pad::around(&c.builder.shape(x).into(), before, &after);
    c.builder.push(&name, pad, &[x])
}

/// `PackOptions`: number, axis.
pub fn pack<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let (name, whole) = (c.name(operator)?, c.output_shape(operator)?);
    let axis = place_of(operator.option_i32(1, 0)?, whole.len())?;
    let mut one = whole.clone();
    one[axis] = 1;
    let part = |at| {
        let x = c.input(operator, at)?;
        c.builder.reshape(&name, x, &one)
    };
    let parts = (0..operator.inputs.len()).map(part).collect::<Result<Vec<NodeId>>>()?;
    c.builder.concat(&name, &parts, axis)
}

/// `ConcatenationOptions`: axis, activation.
pub fn concatenation<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let name = c.name(operator)?;
    let inputs: Vec<NodeId> = (0..operator.inputs.len()).map(|at| c.input(operator, at)).collect::<Result<_>>()?;
    let axis = place_of(operator.option_i32(0, 0)?, c.output_shape(operator)?.len())?;
    let node = c.builder.concat(&name, &inputs, axis)?;
    c.builder.activation(&name, node, operator.option_i8(1)?)
}
