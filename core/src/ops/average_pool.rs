//! Average pooling.
//!
//! `output(n, y, x, c) = clamp(round(sum over the window of input(n, ., ., c) / count))`, where `count` is the number of
//! taps inside the input (padding takes no part) and ties round away from zero. Input and output have the same scale and
//! zero point. Source: TFLite `reference_integer_ops::AveragePool`.

use super::record::Record;
use super::{Kernels, Node, Pool, Sides, elementwise, pool};
use crate::LoadError;
use crate::blob::Element;
use crate::session::{Memory, Open};

/// Mean of each window.
#[derive(Debug, Clone, Copy)]
pub struct AveragePool(pub Pool);

impl Node<'_> for AveragePool {
    const ELEMENTS: &'static [Element] = Element::ACTIVATIONS;

    fn decode(record: &Record<'_, '_>) -> Result<Self, LoadError> {
        Pool::decode(record).map(Self)
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        self.0.verify(sides, operator)
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        if let Some(Open { inputs: [input], output, .. }) = memory.open([sides.input], sides.output) {
            let sum = |sum, q| sum + q;
            if sides.output.element() == Element::Int16 {
                return self.0.run_int16(sides, input, output, 0, sum, rounded_mean);
            }
            let single = |source: &[i8], taps: &_| pool::fold(source, taps, 0, sum);
            self.0.run(sides, input, output, K::window_sums, single, rounded_mean);
        }
    }

    fn accepts(&self, sides: &Sides<'_>) -> bool {
        elementwise::accepts(sides, self.0.activation)
    }
}

/// `sum / count`, ties away from zero; `count` is at least 1 in a loaded model.
#[inline(never)]
fn rounded_mean(sum: i32, count: i32) -> i32 {
    let half = count / 2;
    let shifted = if sum > 0 { sum + half } else { sum - half };
    shifted.checked_div(count).unwrap_or(0)
}
