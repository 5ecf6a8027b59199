//! Operators that pick, resize or multiply tensors with each other.

use ackermann_core::ops::resize_nearest::nearest;

use super::conversion::{Conversion, symmetric};
use crate::Result;
use crate::graph::NodeId;
use crate::import::tflite::convert::place_of;
use crate::import::tflite::schema::Operator;
use crate::import::unusable;
use crate::ops::{Argmax, BatchMatMul, Dense, Gather, ResizeBilinear, ResizeNearest};

/// `GatherOptions`: axis, batch dimensions (0).
pub fn gather<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    if operator.option_i32(1, 0)? != 0 {
        return Err(unusable("has batch dimensions, which are not supported"));
    }
    let (data, indices, name) = (c.operand(operator, 0)?, c.indices(operator, 1)?, c.name(operator)?);
    let axis = place_of(operator.option_i32(0, 0)?, c.builder.shape(data).len())?;
    c.builder.push(&name, Gather { axis }, &[data, indices])
}

/// Input 0: the indices; input 1: the table.
pub fn embedding_lookup<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let (table, indices, name) = (c.operand(operator, 1)?, c.indices(operator, 0)?, c.name(operator)?);
    c.builder.push(&name, Gather { axis: 0 }, &[table, indices])
}

/// ARG_MAX, or ARG_MIN for the `smallest`. Input 1: the dimension.
pub fn argmax<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>, smallest: bool) -> Result<NodeId> {
    let (x, name) = (c.input(operator, 0)?, c.name(operator)?);
    let axis = c.axis(operator, 1, c.builder.shape(x).len())?;
    let node = c.builder.push(&name, Argmax { axis, smallest }, &[x])?;
    let stated = c.output_shape(operator)?;
    c.builder.reshape(&name, node, &stated)
}

/// Height and width of an input and of the output.
fn sides<'f>(c: &Conversion<'_, 'f>, operator: &Operator<'f>, x: NodeId) -> Result<[[usize; 2]; 2]> {
    let stated = c.output_shape(operator)?;
    match (c.builder.shape(x), &stated[..]) {
        (&[_, height, width, _], &[_, rows, columns, _]) => Ok([[height, width], [rows, columns]]),
        (shape, _) => Err(unusable(format!("resizes a tensor of shape {shape:?}"))),
    }
}

/// `ResizeBilinearOptions`: two fields out of use, aligned corners, half pixel centres. The size is the output's.
pub fn resize_bilinear<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let (x, name) = (c.input(operator, 0)?, c.name(operator)?);
    let [_, size] = sides(c, operator, x)?;
    let (aligned, half_pixel) = (operator.option_i8(2)? != 0, operator.option_i8(3)? != 0);
    c.builder.push(&name, ResizeBilinear { size, aligned, half_pixel }, &[x])
}

/// `ResizeNearestNeighborOptions`: aligned corners, half pixel centres.
pub fn resize_nearest<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let (x, name) = (c.input(operator, 0)?, c.name(operator)?);
    let [from, to] = sides(c, operator, x)?;
    let (aligned, half) = (operator.option_i8(0)? != 0, operator.option_i8(1)? != 0);
    let table = |axis: usize| {
        let [from, to] = [from[axis], to[axis]].map(|length| u16::try_from(length).ok());
        let both = from.zip(to).ok_or_else(|| unusable("has a side of more than 65,535"))?;
        Ok(nearest(both.0, both.1, aligned, half))
    };
    let (rows, columns) = (table(0)?, table(1)?);
    c.builder.push(&name, ResizeNearest { rows, columns }, &[x])
}

/// `BatchMatMulOptions`: whether the first and the second are stored transposed. A constant matrix makes a dense layer.
pub fn batch_matmul<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let (name, adjoint) = (c.name(operator)?, [operator.option_i8(0)? != 0, operator.option_i8(1)? != 0]);
    if !adjoint[0]
        && let Some((shape, values)) = c.values(operator, 1)?
        && let &[a, b] = &shape[..]
    {
        let [outputs, depth] = if adjoint[1] { [a, b] } else { [b, a] };
        let turned = || (0..values.len()).map(|at| values[at % depth * outputs + at / depth]).collect();
        let weights = if adjoint[1] { values.clone() } else { turned() };
        let weights = c.builder.param(&name, &[outputs, depth], weights)?;
        if let Some(tensor) = c.constant(operator, 1)?.filter(|tensor| symmetric(tensor) && tensor.scales.len() == 1) {
            c.builder.give_scales(weights, tensor.scales.clone());
        }
        let x = c.input(operator, 0)?;
        let elements: usize = c.builder.shape(x).iter().product();
        let rows = c.builder.reshape(&name, x, &[elements / depth, depth])?;
        let node = c.builder.push(&name, Dense, &[rows, weights])?;
        let stated = c.output_shape(operator)?;
        return c.builder.reshape(&name, node, &stated);
    }
    let inputs = [c.operand(operator, 0)?, c.operand(operator, 1)?];
    c.builder.push(&name, BatchMatMul { adjoint }, &inputs)
}
