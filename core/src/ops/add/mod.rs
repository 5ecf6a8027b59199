//! Sum of two tensors, each with its own scale; dimensions of 1 are repeated.
//!
//! ```text
//! a, b   = ((input - zero point) << 20) * input's multiplier       brings both to one scale, 20 bits finer than needed
//! output = clamp((a + b) * output's multiplier + zero point)
//! ```
//!
//! With s the larger of the two input scales the multipliers are `scale / (2 s)` and `2 s / (2^20 * output scale)`, all
//! below one, and all products round twice ([`crate::quantized`]). |a| + |b| stays below 2^29.
//! int16 tensors are shifted by 15 instead of 20. Source: TFLite `reference_integer_ops::Add` and `add.cc`.

pub mod dsp;
pub mod mve;
pub mod portable;
pub mod reference;
pub mod tables;

use super::record::Record;
use super::{Kernels, Node, Sides, elementwise};
use crate::LoadError;
use crate::blob::{Activation, Element};
use crate::quantized::Multiplier;
use crate::session::{Memory, Open};

/// Bits by which int8 inputs are shifted to the left before they are scaled.
pub const LEFT_SHIFT: u32 = 20;
/// The same for int16 inputs.
pub const LEFT_SHIFT_INT16: u32 = 15;

/// A sum, ready to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Add {
    /// One per input.
    pub inputs: [Multiplier; 2],
    /// From the common scale to the output's.
    pub output: Multiplier,
    /// Range of the output.
    pub activation: Activation,
}

impl Add {
    /// Multipliers for these scales; `None` where the output's is not below one, which TFLite refuses too. For hosts.
    #[cfg(any(test, feature = "writer"))]
    pub fn for_scales(inputs: [f32; 2], output: f32, activation: Activation) -> Option<Self> {
        Self::shifted(inputs, output, activation, LEFT_SHIFT)
    }

    /// The same for int16 tensors, which have no fused activation. For hosts.
    #[cfg(any(test, feature = "writer"))]
    pub fn for_int16(inputs: [f32; 2], output: f32) -> Option<Self> {
        Self::shifted(inputs, output, Activation::NONE, LEFT_SHIFT_INT16)
    }

    #[cfg(any(test, feature = "writer"))]
    fn shifted(inputs: [f32; 2], output: f32, activation: Activation, left_shift: u32) -> Option<Self> {
        let twice = 2.0 * f64::from(inputs[0].max(inputs[1]));
        let quantize = |real| {
            let (multiplier, shift) = crate::quantized::quantize_multiplier(real);
            (shift <= 0).then_some(Multiplier { multiplier, shift })
        };
        let [a, b] = inputs.map(|scale| quantize(f64::from(scale) / twice));
        let output = quantize(twice / (f64::from(1 << left_shift) * f64::from(output)))?;
        Some(Self { inputs: [a?, b?], output, activation })
    }

    /// The sum, or the difference.
    pub(crate) fn combine<K: Kernels>(&self, minus: bool, sides: Sides<'_>, memory: Memory<'_>) {
        let Some(second) = sides.others[0] else { return };
        if is_plain(&sides) {
            if let Some((data, scratch)) = memory.open_pair([sides.input, second], sides.output) {
                K::add(self, minus, sides, data, scratch);
            }
        } else if let Some(Open { inputs, output, .. }) = memory.open([sides.input, second], sides.output) {
            reference::broadcast(self, minus, sides, inputs, output);
        }
    }
}

/// Whether all are int8 and nothing is repeated: element for element, so that the output may lie in an input's bytes.
pub(crate) fn is_plain(sides: &Sides<'_>) -> bool {
    sides.all(Element::Int8) && sides.inputs().all(|input| input.elements() == sides.output.elements())
}

impl Node<'_> for Add {
    const ELEMENTS: &'static [Element] = Element::ACTIVATIONS;

    fn decode(record: &Record<'_, '_>) -> Result<Self, LoadError> {
        record.expect_no_options()?;
        record.expect_unused(0, 8)?;
        let below_one = |at| record.multiplier(at, -31..=0);
        let inputs = [below_one(0)?, below_one(2)?];
        Ok(Self { inputs, output: below_one(4)?, activation: record.activation(6)? })
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        elementwise::verify(sides, operator)
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        self.combine::<K>(false, sides, memory);
    }

    fn accepts(&self, sides: &Sides<'_>) -> bool {
        elementwise::accepts(sides, self.activation)
    }

    fn inputs(&self) -> core::ops::RangeInclusive<usize> {
        2..=2
    }

    fn in_place(&self, sides: &Sides<'_>, _: usize) -> bool {
        is_plain(sides)
    }
}
