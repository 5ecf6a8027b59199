//! Parts of tensors: SLICE, STRIDED_SLICE, REVERSE_V2, SPLIT, SPLIT_V, UNPACK. All are boxes with steps.

use ackermann_core::blob::write::OperatorKind;
use ackermann_core::ops::StridedSlice;

use super::shape::of_four;
use super::{Conversion, place_of};
use crate::Result;
use crate::import::tflite::part::{Part, Strides};
use crate::import::tflite::schema::{Operator, unusable};

impl Part {
    /// Pushes the operator that cuts it out of `input`, and one that drops dimensions of 1 where `output` has fewer.
    fn push(&self, c: &mut Conversion<'_, '_>, input: u16, output: u16) -> Result<()> {
        let (mut begin, mut step) = ([0; 4], [1; 4]);
        for axis in 0..self.begin.len() {
            let at = of_four(axis, self.begin.len());
            (begin[at], step[at]) = (self.begin[axis], self.step[axis]);
        }
        let kind = OperatorKind::StridedSlice(StridedSlice { begin, step });
        if c.shape(output) == self.count {
            return c.push(&[input], output, kind);
        }
        let part = c.between(output, &self.count)?;
        c.push(&[input], part, kind)?;
        c.push(&[part], output, OperatorKind::Reshape)
    }
}

/// Inputs 1 and 2: first index and length (-1: to the end) in each dimension.
pub fn slice<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    let part = Part::slice(c.shape(input), &c.integers(operator, 1)?, &c.integers(operator, 2)?)?;
    part.push(c, input, output)
}

/// Inputs 1 to 3: see [`Strides`].
pub fn strided_slice<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    let lists = [c.integers(operator, 1)?, c.integers(operator, 2)?, c.integers(operator, 3)?];
    let part = Part::strided(c.shape(input), &Strides { lists, masks: operator.masks()? })?;
    part.push(c, input, output)
}

/// Input 1: the dimensions whose order is turned round.
pub fn reverse<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    let mut part = Part::whole(c.shape(input));
    for axis in c.integers(operator, 1)? {
        let axis = place_of(axis, part.begin.len())?;
        (part.begin[axis], part.step[axis]) = (part.count[axis] as usize - 1, -1);
    }
    part.push(c, input, output)
}

/// Input 0: the dimension; input 1: what is split into as many equal parts as there are outputs.
pub fn split<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let input = c.input(operator, 1)?;
    let axis = c.axis(operator, 0, c.shape(input).len())?;
    parts(c, operator, input, axis, false)
}

/// Input 1: the lengths, which the outputs have too; input 2: the dimension.
pub fn split_v<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let input = c.input(operator, 0)?;
    let axis = c.axis(operator, 2, c.shape(input).len())?;
    parts(c, operator, input, axis, false)
}

/// `UnpackOptions`: number, axis. As a split into parts of length 1 that lose the dimension.
pub fn unpack<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let input = c.input(operator, 0)?;
    let axis = place_of(operator.option_i32(1, 0)?, c.shape(input).len())?;
    parts(c, operator, input, axis, true)
}

/// One part after the other along `axis`, each of its output's length or of 1.
fn parts<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>, input: u16, axis: usize, single: bool) -> Result<()> {
    let (mut begin, whole) = (0u32, c.shape(input).to_vec());
    for output in &operator.outputs {
        let output = c.tensor(*output)?;
        let length = if single { Some(1) } else { c.shape(output).get(axis).copied() };
        let mut part = Part::whole(&whole);
        part.begin[axis] = begin as usize;
        part.count[axis] = length.ok_or_else(|| unusable(String::from("has an output of another rank")))?;
        begin = begin.saturating_add(part.count[axis]);
        part.push(c, input, output)?;
    }
    if begin == whole[axis] {
        return Ok(());
    }
    Err(unusable(format!("splits dimension {axis} of {} into parts that make {begin}", whole[axis])))
}
