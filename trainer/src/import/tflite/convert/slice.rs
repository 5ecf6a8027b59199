//! Parts of tensors: SLICE, STRIDED_SLICE, SPLIT, SPLIT_V, UNPACK. All are boxes with steps.

use ackermann_core::blob::write::OperatorKind;
use ackermann_core::ops::StridedSlice;

use super::shape::of_four;
use super::{Conversion, place_of};
use crate::Result;
use crate::import::tflite::schema::{Operator, unusable};

/// A box: for each dimension the first index, the step and how many.
struct Part {
    begin: Vec<usize>,
    step: Vec<isize>,
    count: Vec<u32>,
}

impl Part {
    /// All of a tensor.
    fn whole(shape: &[u32]) -> Self {
        Self { begin: vec![0; shape.len()], step: vec![1; shape.len()], count: shape.to_vec() }
    }

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
    let (begin, size) = (c.integers(operator, 1)?, c.integers(operator, 2)?);
    let mut part = Part::whole(c.shape(input));
    if begin.len() != part.begin.len() || size.len() != part.begin.len() {
        return Err(unusable(String::from("has a box of another rank than its input")));
    }
    for axis in 0..begin.len() {
        let first = usize::try_from(begin[axis]).ok();
        let left = u32::try_from(begin[axis]).ok().and_then(|first| part.count[axis].checked_sub(first));
        let count = if size[axis] == -1 { left } else { u32::try_from(size[axis]).ok() };
        let (Some(first), Some(count)) = (first, count) else {
            return Err(unusable(String::from("has a box outside of its input")));
        };
        (part.begin[axis], part.count[axis]) = (first, count);
    }
    part.push(c, input, output)
}

/// `StridedSliceOptions`: masks of begin, end, ellipsis, new axis, shrunk axis, a bit for each dimension. Inputs 1 to 3: first
/// index, index past the last, and step in each (or each of the first) dimensions.
pub fn strided_slice<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    let [begins, ends, steps] = [c.integers(operator, 1)?, c.integers(operator, 2)?, c.integers(operator, 3)?];
    let mut part = Part::whole(c.shape(input));
    let sizes = [begins.len(), ends.len(), steps.len()];
    if operator.option_i32(2, 0)? != 0 || operator.option_i32(3, 0)? != 0 {
        return Err(unusable(String::from("has an ellipsis or a new axis, which is not supported")));
    }
    if sizes.iter().any(|size| *size != begins.len() || *size > part.begin.len()) {
        return Err(unusable(String::from("has a box of another rank than its input")));
    }
    for axis in 0..begins.len() {
        let masked = |field| operator.option_i32(field, 0).map(|mask| mask >> axis & 1 == 1);
        let begin = (!masked(0)?).then_some(begins[axis]);
        let end = (!masked(1)?).then_some(ends[axis]);
        let length = part.count[axis];
        let range = if masked(4)? { one(begin, length) } else { several(begin, end, steps[axis], length) };
        let Some((begin, step, count)) = range else {
            return Err(unusable(format!("takes nothing of dimension {axis}")));
        };
        (part.begin[axis], part.step[axis], part.count[axis]) = (begin, step, count);
    }
    part.push(c, input, output)
}

/// The one index of a dimension that goes.
fn one(begin: Option<i32>, length: u32) -> Option<(usize, isize, u32)> {
    let begin = i64::from(begin.unwrap_or(0));
    let begin = if begin < 0 { begin + i64::from(length) } else { begin };
    usize::try_from(begin).ok().map(|begin| (begin, 1, 1))
}

/// First index, step and number of indices from `begin` to before `end`, as NumPy counts them.
fn several(begin: Option<i32>, end: Option<i32>, step: i32, length: u32) -> Option<(usize, isize, u32)> {
    let (length, step) = (i64::from(length), i64::from(step));
    let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let place = |index: i32| {
        let index = i64::from(index);
        (if index < 0 { index + length } else { index }).clamp(low, high)
    };
    let forward = step > 0;
    let begin = begin.map_or(if forward { low } else { high }, place);
    let end = end.map_or(if forward { high } else { low }, place);
    let distance = if forward { end - begin } else { begin - end };
    let count = u32::try_from(distance.checked_add(step.abs() - 1)?.checked_div(step.abs())?).ok()?;
    (count > 0).then_some((usize::try_from(begin).ok()?, step as isize, count))
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
