//! Difference of two tensors, each with its own scale.
//!
//! `output = clamp((a - b) * output's multiplier + zero point)`, with a and b brought to one scale as [`super::add`] does it.
//! Dimensions of 1 are repeated. Source: TFLite `reference_ops::Sub`, `sub.cc`.

use super::record::Record;
use super::{Add, Kernels, Node, Sides, elementwise};
use crate::LoadError;
use crate::blob::Element;
use crate::session::Memory;

/// A difference, ready to run: the numbers of the sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sub(pub Add);

impl Node<'_> for Sub {
    const ELEMENTS: &'static [Element] = Element::ACTIVATIONS;

    fn decode(record: &Record<'_, '_>) -> Result<Self, LoadError> {
        Add::decode(record).map(Self)
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        elementwise::verify(sides, operator)
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        self.0.combine::<K>(true, sides, memory);
    }

    fn accepts(&self, sides: &Sides<'_>) -> bool {
        self.0.accepts(sides)
    }

    fn inputs(&self) -> core::ops::RangeInclusive<usize> {
        2..=2
    }

    fn in_place(&self, sides: &Sides<'_>, _: usize) -> bool {
        super::add::is_plain(sides)
    }
}
