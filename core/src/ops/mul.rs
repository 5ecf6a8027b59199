//! Product of two tensors, element by element.
//!
//! `output = clamp((a - a's zero point) * (b - b's zero point) * multiplier + zero point)`, where the multiplier is
//! `a's scale * b's scale / output scale`, rounded twice. Dimensions of 1 are repeated. Source: TFLite
//! `reference_integer_ops::Mul`.

use super::record::Record;
use super::{Kernels, Node, Sides, elementwise};
use crate::LoadError;
use crate::blob::{Activation, Element};
use crate::quantized::Multiplier;
use crate::session::{Memory, Open};

/// Largest shift to the left: a product of two int8 differences has 16 bits.
const MAX_SHIFT: i32 = 14;

/// A product, ready to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mul {
    /// From the product of the input scales to the output's; its shift is -31 to 14.
    pub output: Multiplier,
    /// Range of the output.
    pub activation: Activation,
}

impl Mul {
    /// The multiplier for these scales, combined in f32 as TFLite does it; `None` where it is too large. For hosts.
    #[cfg(any(test, feature = "writer"))]
    pub fn for_scales(inputs: [f32; 2], output: f32, activation: Activation) -> Option<Self> {
        let (multiplier, shift) = crate::quantized::quantize_multiplier(f64::from(inputs[0] * inputs[1] / output));
        (shift <= MAX_SHIFT).then_some(Self { output: Multiplier { multiplier, shift }, activation })
    }
}

impl Node<'_> for Mul {
    const ELEMENTS: &'static [Element] = Element::ACTIVATIONS;

    fn decode(record: &Record<'_, '_>) -> Result<Self, LoadError> {
        record.expect_no_options()?;
        record.expect_unused(0, 4)?;
        Ok(Self { output: record.multiplier(0, -31..=MAX_SHIFT)?, activation: record.activation(2)? })
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        // A product of int16 has 31 bits.
        if sides.input.element() == Element::Int16 && self.output.shift > 0 {
            return Err(LoadError::BadMultiplier { operator });
        }
        elementwise::verify(sides, operator)
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        let Some(second) = sides.others[0] else { return };
        let Some(Open { inputs, output, .. }) = memory.open([sides.input, second], sides.output) else { return };
        let (zero_a, zero_b, zero_point) = (sides.input.zero_point(), second.zero_point(), sides.output.zero_point());
        elementwise::run_clamped(sides, inputs, output, self.activation, |a, b| {
            self.output.apply((a - zero_a).wrapping_mul(b - zero_b)).saturating_add(zero_point)
        });
    }

    fn accepts(&self, sides: &Sides<'_>) -> bool {
        elementwise::accepts(sides, self.activation)
    }

    fn inputs(&self) -> core::ops::RangeInclusive<usize> {
        2..=2
    }
}
