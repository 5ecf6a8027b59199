//! Parametric ReLU: negative values are multiplied by a learned slope, mostly one per channel.
//!
//! ```text
//! x      = input - zero point
//! output = clamp(x * identity + zero point)                              x >= 0
//! output = clamp(x * (slope - slope's zero point) * slope's multiplier + zero point)    x < 0
//! ```
//!
//! Multipliers: `input scale / output scale`, `input scale * slope scale / output scale`. The slopes are the second input,
//! usually constant; their dimensions of 1 are repeated. Source: He et al. 2015; TFLite `prelu` for int8.

use super::record::Record;
use super::{Kernels, Node, Sides, elementwise};
use crate::LoadError;
use crate::blob::Activation;
use crate::quantized::Multiplier;
use crate::session::{Memory, Open};

/// Largest shift to the left: a product of two differences has 16 bits.
const MAX_SHIFT: i32 = 14;

/// A parametric ReLU, ready to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prelu {
    /// For x >= 0.
    pub identity: Multiplier,
    /// For x < 0, times the slope.
    pub slope: Multiplier,
}

impl Prelu {
    /// Multipliers for these scales, combined in f32 as TFLite does it; `None` where one is too large. For hosts.
    #[cfg(any(test, feature = "writer"))]
    pub fn for_scales([input, slope]: [f32; 2], output: f32) -> Option<Self> {
        let quantize = |real: f32| {
            let (multiplier, shift) = crate::quantized::quantize_multiplier(f64::from(real));
            (shift <= MAX_SHIFT).then_some(Multiplier { multiplier, shift })
        };
        Some(Self { identity: quantize(input / output)?, slope: quantize(input * slope / output)? })
    }
}

impl Node<'_> for Prelu {
    fn decode(record: &Record<'_, '_>) -> Result<Self, LoadError> {
        record.expect_no_options()?;
        record.expect_unused(0, 4)?;
        let number = |at| record.multiplier(at, -31..=MAX_SHIFT);
        Ok(Self { identity: number(0)?, slope: number(2)? })
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        elementwise::verify(sides, operator)
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        let Some(slopes) = sides.others[0] else { return };
        let Some(Open { inputs, output, .. }) = memory.open([sides.input, slopes], sides.output) else { return };
        let (zero_x, zero_slope, zero_y) = (sides.input.zero_point(), slopes.zero_point(), sides.output.zero_point());
        elementwise::run(sides, inputs, output, |x, slope| {
            let x = x - zero_x;
            // Both are computed and one is taken: as many instructions for every input.
            let (kept, sloped) = (self.identity.apply(x), self.slope.apply(x * (slope - zero_slope)));
            Activation::NONE.clamp((if x >= 0 { kept } else { sloped }).saturating_add(zero_y))
        });
    }

    fn inputs(&self) -> core::ops::RangeInclusive<usize> {
        2..=2
    }
}
