//! Strided slice: a box of a tensor, every so many elements, perhaps backward. Slice and split are boxes with steps of 1.
//!
//! `output(i, j, k, l) = input(begin + (i, j, k, l) * step)`. Scale and zero point stay; any element type.
//! Source: TFLite `reference_ops::StridedSlice`.

use super::record::Record;
use super::walk::{Walk, strides};
use super::{Kernels, Node, Sides};
use crate::LoadError;
use crate::blob::Element;
use crate::blob::format::MAX_DIMENSION;
use crate::session::{Memory, Open};

/// A slice, ready to run; dimensions are of four (shapes get ones in front).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StridedSlice {
    /// First index, 0 to 65,534.
    pub begin: [usize; 4],
    /// From one index to the next: -65,535 to 65,535, not 0.
    pub step: [isize; 4],
}

impl Node<'_> for StridedSlice {
    const ELEMENTS: &'static [Element] = Element::ALL;

    fn decode(record: &Record<'_, '_>) -> Result<Self, LoadError> {
        record.expect_no_options()?;
        record.expect_unused(0, 8)?;
        let error = LoadError::BadParameter { operator: record.index };
        let &[a, b, c, d, e, f, g, h, ..] = &record.raw.parameters;
        let limit = MAX_DIMENSION as i32;
        let begins = [a, b, c, d].iter().all(|v| (0..limit).contains(v));
        let steps = [e, f, g, h].iter().all(|v| *v != 0 && (-limit..=limit).contains(v));
        if !(begins && steps) {
            return Err(error);
        }
        Ok(Self { begin: [a, b, c, d].map(|v| v as usize), step: [e, f, g, h].map(|v| v as isize) })
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        let (input, output) = (sides.input.extended(), sides.output.extended());
        let indices = self.begin.iter().zip(self.step).zip(input.iter().zip(output));
        // 64 bits hold every product of two dimensions.
        let inside = |((begin, step), (length, count)): ((&usize, isize), (&usize, usize))| {
            let last = *begin as i64 + (count as i64 - 1) * step as i64;
            *begin < *length && (0..*length as i64).contains(&last)
        };
        if indices.into_iter().all(inside) {
            sides.same_quantization(operator)
        } else {
            Err(LoadError::ShapeMismatch { operator })
        }
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        let Some(Open { inputs: [input], output, .. }) = memory.open([sides.input], sides.output) else { return };
        let mut walk = Walk { start: 0, steps: strides(sides.input.extended()) };
        for ((stride, begin), step) in walk.steps.iter_mut().zip(self.begin).zip(self.step) {
            walk.start += *stride * begin as isize;
            *stride *= step;
        }
        walk.copy(sides.output.extended(), sides.input.element().bytes(), input, output);
    }
}
