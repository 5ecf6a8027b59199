//! Max pooling.
//!
//! `output(n, y, x, c) = clamp(max over the window of input(n, ., ., c))`; padding takes no part.
//! Input and output have the same scale and zero point. Source: TFLite `reference_integer_ops::MaxPool`.

use super::record::Record;
use super::{Kernels, Node, Pool, Sides, elementwise, pool};
use crate::LoadError;
use crate::blob::Element;
use crate::session::{Memory, Open};

/// Largest value of each window.
#[derive(Debug, Clone, Copy)]
pub struct MaxPool(pub Pool);

impl Node<'_> for MaxPool {
    const ELEMENTS: &'static [Element] = Element::ACTIVATIONS;

    fn decode(record: &Record<'_, '_>) -> Result<Self, LoadError> {
        Pool::decode(record).map(Self)
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        self.0.verify(sides, operator)
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        if let Some(Open { inputs: [input], output, .. }) = memory.open([sides.input], sides.output) {
            if sides.output.element() == Element::Int16 {
                return self.0.run_int16(sides, input, output, i32::MIN, i32::max, |largest, _| largest);
            }
            let single = |source: &[i8], taps: &_| pool::fold(source, taps, i32::from(i8::MIN), i32::max);
            self.0.run(sides, input, output, K::window_maxima, single, |largest, _| largest);
        }
    }

    fn accepts(&self, sides: &Sides<'_>) -> bool {
        elementwise::accepts(sides, self.0.activation)
    }
}
