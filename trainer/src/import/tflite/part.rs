//! Boxes with steps, as SLICE and STRIDED_SLICE state them.

use super::schema::unusable;
use crate::Result;

/// A box: for each dimension the first index, the step and how many.
pub struct Part {
    /// First index.
    pub begin: Vec<usize>,
    /// From one to the next.
    pub step: Vec<isize>,
    /// How many.
    pub count: Vec<u32>,
}

/// What STRIDED_SLICE states: first index, index past the last and step in each (or each of the first) dimensions, and masks
/// with a bit for each dimension.
pub struct Strides {
    /// First indices, indices past the last, steps.
    pub lists: [Vec<i32>; 3],
    /// `StridedSliceOptions`: dimensions whose begin, end are left out, ellipsis, new ones, those of which one place is taken.
    pub masks: [i32; 5],
}

impl Part {
    /// All of a tensor.
    pub fn whole(shape: &[u32]) -> Self {
        Self { begin: vec![0; shape.len()], step: vec![1; shape.len()], count: shape.to_vec() }
    }

    /// First index and length (-1: to the end) in each dimension.
    pub fn slice(shape: &[u32], begin: &[i32], size: &[i32]) -> Result<Self> {
        let mut part = Self::whole(shape);
        if begin.len() != shape.len() || size.len() != shape.len() {
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
        Ok(part)
    }

    /// Of a tensor of this shape.
    pub fn strided(shape: &[u32], strides: &Strides) -> Result<Self> {
        let mut part = Self::whole(shape);
        let [begins, ends, steps] = &strides.lists;
        let [begin_mask, end_mask, ellipsis, new, shrunk] = strides.masks;
        if ellipsis != 0 || new != 0 {
            return Err(unusable(String::from("has an ellipsis or a new axis, which is not supported")));
        }
        let sizes = [begins.len(), ends.len(), steps.len()];
        if sizes.iter().any(|size| *size != begins.len() || *size > shape.len()) {
            return Err(unusable(String::from("has a box of another rank than its input")));
        }
        for axis in 0..begins.len() {
            let masked = |mask: i32| mask >> axis & 1 == 1;
            let begin = (!masked(begin_mask)).then_some(begins[axis]);
            let end = (!masked(end_mask)).then_some(ends[axis]);
            let length = part.count[axis];
            let range = if masked(shrunk) { one(begin, length) } else { several(begin, end, steps[axis], length) };
            let Some((begin, step, count)) = range else {
                return Err(unusable(format!("takes nothing of dimension {axis}")));
            };
            (part.begin[axis], part.step[axis], part.count[axis]) = (begin, step, count);
        }
        Ok(part)
    }
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
