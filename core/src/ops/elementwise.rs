//! Operators on two tensors, element by element, whose shapes may differ: dimensions of 1 are repeated (broadcast). Elements are
//! int8, or int16 with zero point 0.

use super::Sides;
use super::walk::{Walk, rows};
use crate::LoadError;
use crate::blob::{Activation, Element};

/// All int8, or all int16 (which has no fused activation).
pub(crate) fn accepts(sides: &Sides<'_>, activation: Activation) -> bool {
    sides.all(Element::Int8) || sides.all(Element::Int16) && activation == Activation::NONE
}

/// A type of elements.
pub(crate) trait Number: bytemuck::Pod + Into<i32> {
    /// The nearest one.
    fn saturated(value: i32) -> Self;
}

impl Number for i8 {
    fn saturated(value: i32) -> Self {
        Activation::NONE.clamp(value)
    }
}

impl Number for i16 {
    fn saturated(value: i32) -> Self {
        value.max(i32::from(Self::MIN)).min(i32::from(Self::MAX)) as Self
    }
}

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

/// `output = f(a, b)` for all elements, of type `T`.
pub(crate) fn run<T: Number>(sides: Sides<'_>, [a, b]: [&[i8]; 2], output: &mut [i8], f: impl Fn(i32, i32) -> T) {
    let Some(second) = sides.others[0] else { return };
    let (left, right) = (Walk::broadcast(sides.input.extended()), Walk::broadcast(second.extended()));
    let cast = |bytes| bytemuck::try_cast_slice::<i8, T>(bytes).unwrap_or(&[]);
    let (a, b) = (cast(a), cast(b));
    rows(sides.output.extended(), size_of::<T>(), output, |at, row| {
        let (mut i, mut j) = (left.row(at), right.row(at));
        let row = bytemuck::try_cast_slice_mut::<i8, T>(row).unwrap_or(&mut []);
        if let (1, 1, Some(a), Some(b)) = (left.steps[3], right.steps[3], a.get(i as usize..), b.get(j as usize..)) {
            for ((a, b), y) in a.iter().zip(b).zip(row) {
                *y = f((*a).into(), (*b).into());
            }
            return;
        }
        for y in row {
            if let (Some(a), Some(b)) = (a.get(i as usize), b.get(j as usize)) {
                *y = f((*a).into(), (*b).into());
            }
            (i, j) = (i + left.steps[3], j + right.steps[3]);
        }
    });
}

/// [`run`] in the type of the output's elements: saturated and, for int8, within `activation`.
pub(crate) fn run_clamped(
    sides: Sides<'_>,
    inputs: [&[i8]; 2],
    output: &mut [i8],
    activation: Activation,
    f: impl Fn(i32, i32) -> i32,
) {
    match sides.output.element() {
        Element::Int16 => run(sides, inputs, output, |a, b| i16::saturated(f(a, b))),
        _ => run(sides, inputs, output, |a, b| activation.clamp(f(a, b))),
    }
}
