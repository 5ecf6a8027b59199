//! Parts of tensors.

use super::conversion::Conversion;
use crate::Result;
use crate::graph::NodeId;
use crate::import::tflite::convert::place_of;
use crate::import::tflite::part::{Part, Strides};
use crate::import::tflite::schema::Operator;
use crate::import::unusable;
use crate::ops::Slice;

/// Cuts `part` out of `x` as output number `at`, whose shape may lack dimensions of 1.
fn cut<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>, x: NodeId, part: &Part, at: usize) -> Result<NodeId> {
    let name = c.name(operator)?;
    let mut slice =
        Slice::dense(part.begin.clone(), part.count.iter().map(|count| *count as usize).collect::<Vec<_>>().into());
    let mut from = x;
    for (axis, step) in part.step.iter().enumerate() {
        slice.step[axis] = step.unsigned_abs();
        if *step < 0 {
            // Backward: by indices.
            let places: Option<Vec<usize>> =
                (0..slice.size[axis]).map(|i| part.begin[axis].checked_sub(i * step.unsigned_abs())).collect();
            let places = places.ok_or_else(|| unusable("has a box outside of its input"))?;
            from = c.builder.picked(&name, from, axis, &places)?;
            (slice.begin[axis], slice.step[axis]) = (0, 1);
        }
    }
    let is_whole = slice.size.dims() == c.builder.shape(from);
    let cut = if is_whole { from } else { c.builder.push(&name, slice, &[from])? };
    let stated = c.stated(operator, at)?;
    c.builder.reshape(&name, cut, &stated)
}

/// Shape of a node.
fn shape(c: &Conversion<'_, '_>, x: NodeId) -> Vec<u32> {
    c.builder.shape(x).iter().map(|d| u32::try_from(*d).unwrap_or(u32::MAX)).collect()
}

/// Inputs 1 and 2: first index and length in each dimension.
pub fn slice<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let x = c.input(operator, 0)?;
    let part = Part::slice(&shape(c, x), &c.integers(operator, 1)?, &c.integers(operator, 2)?)?;
    cut(c, operator, x, &part, 0)
}

/// Inputs 1 to 3: see [`Strides`].
pub fn strided_slice<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let x = c.input(operator, 0)?;
    let lists = [c.integers(operator, 1)?, c.integers(operator, 2)?, c.integers(operator, 3)?];
    let part = Part::strided(&shape(c, x), &Strides { lists, masks: operator.masks()? })?;
    cut(c, operator, x, &part, 0)
}

/// Input 1: the dimensions whose order is turned round.
pub fn reverse<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let x = c.input(operator, 0)?;
    let mut part = Part::whole(&shape(c, x));
    for axis in c.integers(operator, 1)? {
        let axis = place_of(axis, part.begin.len())?;
        (part.begin[axis], part.step[axis]) = (part.count[axis] as usize - 1, -1);
    }
    cut(c, operator, x, &part, 0)
}

/// Input 0: the dimension; input 1: what is split into equal parts.
pub fn split<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let x = c.input(operator, 1)?;
    let axis = c.axis(operator, 0, c.builder.shape(x).len())?;
    parts(c, operator, x, axis, false)
}

/// Input 1: the lengths, which the outputs have too; input 2: the dimension.
pub fn split_v<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let x = c.input(operator, 0)?;
    let axis = c.axis(operator, 2, c.builder.shape(x).len())?;
    parts(c, operator, x, axis, false)
}

/// `UnpackOptions`: number, axis. As a split into parts of length 1 that lose the dimension.
pub fn unpack<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let x = c.input(operator, 0)?;
    let axis = place_of(operator.option_i32(1, 0)?, c.builder.shape(x).len())?;
    parts(c, operator, x, axis, true)
}

/// One part after the other along `axis`, each of its output's length or of 1.
fn parts<'f>(
    c: &mut Conversion<'_, 'f>,
    operator: &Operator<'f>,
    x: NodeId,
    axis: usize,
    single: bool,
) -> Result<NodeId> {
    let (mut begin, whole, mut first) = (0u32, shape(c, x), None);
    for (at, output) in operator.outputs.iter().enumerate() {
        let stated = c.stated(operator, at)?.get(axis).map(|length| u32::try_from(*length).unwrap_or(u32::MAX));
        let length = if single { Some(1) } else { stated };
        let mut part = Part::whole(&whole);
        part.begin[axis] = begin as usize;
        part.count[axis] = length.ok_or_else(|| unusable("has an output of another rank"))?;
        begin = begin.saturating_add(part.count[axis]);
        let node = cut(c, operator, x, &part, at)?;
        if at > 0 {
            c.set(*output, node)?;
        }
        first = first.or(Some(node));
    }
    match first {
        Some(first) if begin == whole[axis] => Ok(first),
        _ => Err(unusable(format!("splits dimension {axis} of {} into parts that make {begin}", whole[axis]))),
    }
}
