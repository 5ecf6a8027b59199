//! Concatenation: tensors that differ in one dimension, one after the other along it.
//!
//! `output(.., i, ..) = input k(.., i - sum of the lengths before, ..)`. All scales and zero points are equal (the importer
//! puts a requantization before an input that differs). Any element type. Source: TFLite `reference_ops::Concatenation`.

use super::record::Record;
use super::{Kernels, Node, Sides, parts, parts_mut};
use crate::LoadError;
use crate::blob::Element;
use crate::blob::format::MAX_INPUTS;
use crate::session::{Memory, Open};

/// A concatenation, ready to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concat {
    /// The dimension, of four (shapes get ones in front).
    pub axis: usize,
}

impl Concat {
    /// Bytes of a tensor of `shape` from one index of the axis's outer dimension to the next.
    fn run_length(&self, shape: [usize; 4], unit: usize) -> usize {
        shape.iter().skip(self.axis).product::<usize>() * unit
    }
}

impl Node<'_> for Concat {
    const ELEMENTS: &'static [Element] = Element::ALL;

    fn decode(record: &Record<'_, '_>) -> Result<Self, LoadError> {
        record.expect_no_options()?;
        record.expect_unused(0, 1)?;
        Ok(Self { axis: record.axis(0)? })
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        let output = sides.output.extended();
        let mut length = 0;
        for tensor in sides.inputs() {
            let shape = tensor.extended();
            let others =
                shape.iter().zip(output).enumerate().all(|(axis, (d, whole))| axis == self.axis || *d == whole);
            if !others {
                return Err(LoadError::ShapeMismatch { operator });
            }
            if !tensor.same_quantization(sides.output) {
                return Err(LoadError::QuantizationMismatch { operator });
            }
            length += shape.get(self.axis).copied().unwrap_or(0);
        }
        if output.get(self.axis) == Some(&length) { Ok(()) } else { Err(LoadError::ShapeMismatch { operator }) }
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        let mut tensors = [sides.input; MAX_INPUTS];
        for (tensor, input) in tensors.iter_mut().zip(sides.inputs()) {
            *tensor = input;
        }
        let Some(Open { inputs, output, .. }) = memory.open(tensors, sides.output) else { return };
        let unit = sides.output.element().bytes();
        let whole = self.run_length(sides.output.extended(), unit);
        let mut before = 0;
        for (tensor, input) in sides.inputs().zip(inputs) {
            let length = self.run_length(tensor.extended(), unit);
            for (from, to) in parts(input, length).zip(parts_mut(output, whole)) {
                to.iter_mut().skip(before).zip(from).for_each(|(to, from)| *to = *from);
            }
            before += length;
        }
    }

    fn inputs(&self) -> core::ops::RangeInclusive<usize> {
        1..=MAX_INPUTS
    }
}
