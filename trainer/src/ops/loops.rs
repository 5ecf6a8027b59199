//! Walks over tensors of any rank: NumPy's broadcasting and its transpose, parts, dimensions in another order. They run in every step of a
//! training, so they allocate nothing.

use std::ops::Range;

use crate::graph::{Real, Shape};

/// Whether `small` is repeated to `big` by NumPy's rule: dimensions are aligned at the last, 1 or missing ones repeat.
pub fn broadcasts(small: &[usize], big: &[usize]) -> bool {
    small.len() <= big.len() && small.iter().rev().zip(big.iter().rev()).all(|(own, whole)| own == whole || *own == 1)
}

/// Whether `small` is `big` without some leading dimensions: the case of biases, which is fast.
pub fn is_suffix(small: &Shape, big: &Shape) -> bool {
    big.dims().ends_with(small.dims())
}

/// Distance in memory of neighbours in dimension `axis`.
pub fn stride(shape: &[usize], axis: usize) -> usize {
    shape[axis + 1..].iter().product()
}

/// Distance in memory, for each dimension of `big`, of what belongs to neighbours there in a tensor of shape `small`, which
/// [`broadcasts`]: 0 where it is repeated.
pub fn repeated<'s>(small: &'s [usize], big: &[usize]) -> impl Fn(usize) -> usize + use<'s> {
    let missing = big.len().saturating_sub(small.len());
    move |axis| match axis.checked_sub(missing) {
        Some(axis) if small[axis] != 1 => stride(small, axis),
        _ => 0,
    }
}

/// Distance in memory of neighbours in each dimension.
pub fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

/// Goes through a tensor of shape `big` row by row (last dimension), in order, and beside it through another one, whose neighbours in dimension
/// `axis` are `stride(axis)` apart: `f(row, place, step)` is given a row, and place and distance of its counterparts in the other.
pub fn for_each_row(big: &[usize], stride: impl Fn(usize) -> usize, mut f: impl FnMut(Range<usize>, usize, usize)) {
    let (inner, step) = big.len().checked_sub(1).map_or((1, 0), |last| (big[last], stride(last)));
    let mut start = 0;
    walk(big, 0, 0, &stride, &mut |place| {
        f(start..start + inner, place, step);
        start += inner;
    });
}

/// The place of each row in the other tensor, for dimensions from `axis` on.
fn walk(big: &[usize], axis: usize, place: usize, stride: &impl Fn(usize) -> usize, f: &mut impl FnMut(usize)) {
    if axis + 1 >= big.len() {
        return f(place);
    }
    let step = stride(axis);
    (0..big[axis]).for_each(|at| walk(big, axis + 1, place + at * step, stride, f));
}

/// [`for_each_row`] element by element: `f(element, counterpart)`.
pub fn for_each_pair(big: &[usize], stride: impl Fn(usize) -> usize, mut f: impl FnMut(usize, usize)) {
    for_each_row(big, stride, |row, place, step| {
        row.enumerate().for_each(|(at, element)| f(element, place + at * step));
    });
}

/// The sums of `x`, of shape `big`, over what belongs to the same element of shape `small`, which [`broadcasts`].
pub fn sum<T: Real>(x: &[T], big: &[usize], sums: &mut [T], small: &[usize]) {
    sums.fill(T::ZERO);
    for_each_row(big, repeated(small, big), |row, place, step| match step {
        0 => sums[place] = x[row].iter().fold(sums[place], |sum, &x| sum + x),
        _ => sums[place..].iter_mut().zip(&x[row]).for_each(|(sum, &x)| *sum += x),
    });
}
