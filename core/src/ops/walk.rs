//! Walks over four-dimensional tensors: what broadcasting, transposing, slicing and padding share.

use super::parts_mut;
use crate::blob::Tensor;

impl Tensor {
    /// The shape with ones in front, four dimensions, none 0 (as for [`Tensor::nhwc`]).
    #[inline]
    pub(crate) fn extended(&self) -> [usize; 4] {
        let mut shape = [1; 4];
        for (extended, d) in shape.iter_mut().rev().zip(self.shape().iter().rev()) {
            *extended = (*d as usize).max(1);
        }
        shape
    }
}

/// Elements from one index to the next, by dimension.
pub(crate) fn strides([_, a, b, c]: [usize; 4]) -> [isize; 4] {
    [(a * b * c) as isize, (b * c) as isize, c as isize, 1]
}

/// Where the elements of an output come from: element (i, j, k, l) from `start + i * steps[0] + .. + l * steps[3]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Walk {
    pub start: isize,
    pub steps: [isize; 4],
}

impl Walk {
    /// Over an input whose dimensions of 1 are repeated as often as the output wants.
    pub fn broadcast(input: [usize; 4]) -> Self {
        let mut steps = strides(input);
        for (step, d) in steps.iter_mut().zip(input) {
            *step = if d == 1 { 0 } else { *step };
        }
        Self { start: 0, steps }
    }

    /// Source of the first element of row (i, j, k).
    pub fn row(&self, [i, j, k]: [usize; 3]) -> isize {
        let [a, b, c, _] = self.steps;
        self.start + i as isize * a + j as isize * b + k as isize * c
    }

    /// Copies elements of `unit` bytes into an output of `shape`. What lies outside of the input is left alone.
    pub fn copy(&self, shape: [usize; 4], unit: usize, input: &[i8], output: &mut [i8]) {
        let step = self.steps[3];
        rows(shape, unit, output, |at, row| {
            let first = self.row(at);
            if step == 1 {
                if let Some(source) = bytes(input, first, row.len(), unit) {
                    row.iter_mut().zip(source).for_each(|(to, from)| *to = *from);
                }
                return;
            }
            for (element, place) in parts_mut(row, unit).zip(0isize..) {
                if let Some(source) = bytes(input, first + place * step, unit, unit) {
                    element.iter_mut().zip(source).for_each(|(to, from)| *to = *from);
                }
            }
        });
    }
}

/// `length` bytes from element number `first`.
fn bytes(input: &[i8], first: isize, length: usize, unit: usize) -> Option<&[i8]> {
    let start = usize::try_from(first).ok()?.checked_mul(unit)?;
    input.get(start..)?.get(..length)
}

/// Calls `f` with the index and bytes of each row (last dimension) of an output of `shape`.
pub(crate) fn rows(shape: [usize; 4], unit: usize, output: &mut [i8], mut f: impl FnMut([usize; 3], &mut [i8])) {
    let [a, b, c, d] = shape;
    let mut rows = parts_mut(output, d * unit);
    for i in 0..a {
        for j in 0..b {
            for k in 0..c {
                let Some(row) = rows.next() else { return };
                f([i, j, k], row);
            }
        }
    }
}
