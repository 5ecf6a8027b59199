//! Index of the largest (or smallest) element along one dimension.
//!
//! `output(outer, inner) = argmax over i of input(outer, i, inner)`, int32; the first of equals wins. Source: TFLite
//! `reference_ops::ArgMinMax`.

use super::record::Record;
use super::{Kernels, Node, Sides, parts};
use crate::LoadError;
use crate::blob::Element;
use crate::session::{Memory, Open};

/// An argmax, ready to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argmax {
    /// The dimension, of four (shapes get ones in front).
    pub axis: usize,
    /// The smallest instead of the largest.
    pub smallest: bool,
}

impl Argmax {
    /// Length of the dimension, and elements inside of it.
    fn split(&self, shape: [usize; 4]) -> [usize; 2] {
        let length = shape.get(self.axis).copied().unwrap_or(1);
        [length, shape.iter().skip(self.axis + 1).product()]
    }
}

impl Node<'_> for Argmax {
    fn decode(record: &Record<'_, '_>) -> Result<Self, LoadError> {
        record.expect_no_options()?;
        record.expect_unused(0, 2)?;
        let smallest = record.flag(1)?;
        Ok(Self { axis: record.axis(0)?, smallest })
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        let [length, _] = self.split(sides.input.extended());
        let fits = sides.output.elements().checked_mul(length) == Some(sides.input.elements());
        if fits { Ok(()) } else { Err(LoadError::ShapeMismatch { operator }) }
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        let Some(Open { inputs: [input], output, .. }) = memory.open([sides.input], sides.output) else { return };
        let Ok(indices) = bytemuck::try_cast_slice_mut::<i8, i32>(output) else { return };
        let [length, inner] = self.split(sides.input.extended());
        // -q - 1 turns the order round and stays an int8.
        let sign = if self.smallest { -1i8 } else { 0 };
        let mut indices = indices.iter_mut();
        for block in parts(input, length * inner) {
            for first in 0..inner {
                let mut best = (i8::MIN, 0);
                for (q, index) in block.iter().skip(first).step_by(inner.max(1)).zip(0i32..) {
                    let q = *q ^ sign;
                    best = if q > best.0 { (q, index) } else { best };
                }
                let Some(result) = indices.next() else { return };
                *result = best.1;
            }
        }
    }

    fn accepts(&self, sides: &Sides<'_>) -> bool {
        sides.input.element() == Element::Int8 && sides.output.element() == Element::Int32
    }
}
