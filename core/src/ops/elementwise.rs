//! Operators on two tensors, element by element, whose shapes may differ: dimensions of 1 are repeated (broadcast).

use super::Sides;
use super::walk::{Walk, rows};
use crate::LoadError;

/// Each dimension of both inputs is the output's or 1.
pub(crate) fn verify(sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
    let output = sides.output.extended();
    let fits = |input: [usize; 4]| input.iter().zip(output).all(|(d, whole)| *d == whole || *d == 1);
    if sides.inputs().all(|tensor| fits(tensor.extended())) {
        Ok(())
    } else {
        Err(LoadError::ShapeMismatch { operator })
    }
}

/// `output = f(a, b)` for all elements.
pub(crate) fn run(sides: Sides<'_>, [a, b]: [&[i8]; 2], output: &mut [i8], f: impl Fn(i32, i32) -> i8) {
    let Some(second) = sides.others[0] else { return };
    let (left, right) = (Walk::broadcast(sides.input.extended()), Walk::broadcast(second.extended()));
    rows(sides.output.extended(), 1, output, |at, row| {
        let (mut i, mut j) = (left.row(at), right.row(at));
        for y in row {
            if let (Some(a), Some(b)) = (a.get(i as usize), b.get(j as usize)) {
                *y = f(i32::from(*a), i32::from(*b));
            }
            (i, j) = (i + left.steps[3], j + right.steps[3]);
        }
    });
}
