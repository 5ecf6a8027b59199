//! Gather: slices of a tensor picked by indices; with a constant table and axis 0 an embedding.
//!
//! `output(outer, i.., inner) = data(outer, indices(i..), inner)`. Indices are int32; one outside of the dimension is taken as
//! the nearest one inside (TFLite stops with an error, a control loop must not). Scale and zero point are those of the data.
//! Source: TFLite `reference_ops::Gather`, `embedding_lookup`.

use super::record::Record;
use super::{Kernels, Node, Sides, parts, parts_mut};
use crate::LoadError;
use crate::arch::mve::gather;
use crate::blob::Element;
use crate::session::{Memory, Open};

/// A gather, ready to run; the inputs are data and indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gather {
    /// The data's dimension that the indices count, of four (shapes get ones in front).
    pub axis: usize,
}

impl Gather {
    /// Outer count, length of the dimension, and inner elements of `shape`.
    fn split(&self, shape: [usize; 4]) -> [usize; 3] {
        let length = shape.get(self.axis).copied().unwrap_or(1);
        let outer: usize = shape.iter().take(self.axis).product();
        [outer, length, shape.iter().skip(self.axis + 1).product()]
    }
}

impl Node<'_> for Gather {
    const ELEMENTS: &'static [Element] = Element::ALL;

    fn decode(record: &Record<'_, '_>) -> Result<Self, LoadError> {
        record.expect_no_options()?;
        record.expect_unused(0, 1)?;
        Ok(Self { axis: record.axis(0)? })
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        let error = LoadError::ShapeMismatch { operator };
        let indices = sides.others[0].ok_or(error)?;
        let [outer, _, inner] = self.split(sides.input.extended());
        let elements = outer.checked_mul(inner).and_then(|rest| rest.checked_mul(indices.elements()));
        if elements == Some(sides.output.elements()) { sides.same_quantization(operator) } else { Err(error) }
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        let Some(indices) = sides.others[0] else { return };
        let Some(Open { inputs: [data, picks], output, .. }) = memory.open([sides.input, indices], sides.output) else {
            return;
        };
        let picks: &[i32] = bytemuck::try_cast_slice(picks).unwrap_or(&[]);
        let [_, length, inner] = self.split(sides.input.extended());
        let unit = inner * sides.input.element().bytes();
        let mut results = parts_mut(output, unit);
        for block in parts(data, length * unit) {
            for pick in picks {
                let at = (*pick).max(0) as usize;
                let source = block.get(at.min(length - 1) * unit..).unwrap_or(&[]);
                let Some(result) = results.next() else { return };
                gather::copy(source, result);
            }
        }
    }

    fn inputs(&self) -> core::ops::RangeInclusive<usize> {
        2..=2
    }

    fn accepts(&self, sides: &Sides<'_>) -> bool {
        let indices = sides.others[0].is_some_and(|tensor| tensor.element() == Element::Int32);
        indices && sides.output.element() == sides.input.element()
    }
}
