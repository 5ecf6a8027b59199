//! Operators that pick, resize or sum up: GATHER, EMBEDDING_LOOKUP, ARG_MAX, MEAN, resizes.

use ackermann_core::blob::write::OperatorKind;
use ackermann_core::ops::resize_nearest::nearest;
use ackermann_core::ops::{Argmax, Gather, Mean, ResizeBilinear};

use super::shape::of_four;
use super::{Conversion, place_of};
use crate::Result;
use crate::import::tflite::schema::{Operator, unusable};

/// `GatherOptions`: axis, batch dimensions (0).
pub fn gather<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    if operator.option_i32(1, 0)? != 0 {
        return Err(unusable(String::from("has batch dimensions, which are not supported")));
    }
    let (data, indices) = (c.input(operator, 0)?, c.input(operator, 1)?);
    let rank = c.shape(data).len();
    let axis = of_four(place_of(operator.option_i32(0, 0)?, rank)?, rank);
    let output = c.output(operator)?;
    c.push(&[data, indices], output, OperatorKind::Gather(Gather { axis }))
}

/// Input 0: the indices; input 1: the table.
pub fn embedding_lookup<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let (indices, table) = (c.input(operator, 0)?, c.input(operator, 1)?);
    let axis = of_four(0, c.shape(table).len());
    let output = c.output(operator)?;
    c.push(&[table, indices], output, OperatorKind::Gather(Gather { axis }))
}

/// ARG_MAX, or ARG_MIN for the `smallest`. Input 1: the dimension.
pub fn argmax<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>, smallest: bool) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    let rank = c.shape(input).len();
    let axis = of_four(c.axis(operator, 1, rank)?, rank);
    c.push(&[input], output, OperatorKind::Argmax(Argmax { axis, smallest }))
}

/// Input 1: the dimensions that are averaged.
pub fn mean<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    let rank = c.shape(input).len();
    let (mut over, mut count) = ([false; 4], 1usize);
    for axis in c.integers(operator, 1)? {
        let axis = place_of(axis, rank)?;
        if !std::mem::replace(&mut over[of_four(axis, rank)], true) {
            count = count.saturating_mul(c.shape(input)[axis] as usize);
        }
    }
    let mean = Mean::for_scales(over, c.spec(input).scale, c.spec(output).scale, count).ok_or_else(|| {
        unusable(String::from("has an input scale that is too large for its output's, or too many terms"))
    })?;
    c.push(&[input], output, OperatorKind::Mean(mean))
}

/// `ResizeBilinearOptions`: two fields out of use, aligned corners, half pixel centres. The size is the output's.
pub fn resize_bilinear<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    let [from, to] = [image(c, input)?, image(c, output)?];
    let (aligned, half) = (operator.option_i8(2)? != 0, operator.option_i8(3)? != 0);
    let resize = ResizeBilinear::for_sizes(from, to, aligned, half)
        .ok_or_else(|| unusable(format!("resizes {from:?} to {to:?}, which is too much")))?;
    c.push(&[input], output, OperatorKind::ResizeBilinear(resize))
}

/// `ResizeNearestNeighborOptions`: aligned corners, half pixel centres. The size is the output's.
pub fn resize_nearest<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    let [from, to] = [image(c, input)?, image(c, output)?];
    let (aligned, half) = (operator.option_i8(0)? != 0, operator.option_i8(1)? != 0);
    let mut table = Vec::new();
    for (from, to) in from.into_iter().zip(to) {
        let [from, to] = [from, to].map(|length| u16::try_from(length).ok());
        let (Some(from), Some(to)) = (from, to) else {
            return Err(unusable(String::from("has a side of more than 65,535")));
        };
        table.extend(nearest(from, to, aligned, half));
    }
    c.push(&[input], output, OperatorKind::ResizeNearest { table })
}

/// Height and width.
fn image(c: &Conversion<'_, '_>, tensor: u16) -> Result<[u32; 2]> {
    match c.shape(tensor) {
        &[_, height, width, _] => Ok([height, width]),
        shape => Err(unusable(format!("resizes a tensor of shape {shape:?}"))),
    }
}
