//! GRU: a recurrent operator whose gates mix its hidden state with a candidate.
//!
//! ```text
//! z, r = logistic(from input + from hidden)                  gates 0 (update), 1 (reset); 12 fractional bits in, 15 out
//! g    = tanh(from input + r * from hidden)                  gate 2 (candidate)
//! m(t) = g + z * (m(t - 1) - g)                              int16, 15 fractional bits
//! h(t) = clamp(m(t) * multiplier + zero point)
//! ```
//!
//! Products with r and z are divided by 2^15, rounded to nearest with ties away from zero; the sums before the functions
//! saturate. The memory m is what h stands for, without its rounding, so that small changes add up; m stays between its last
//! value and g. The reset gate meets the hidden state after the matrix, with its bias (Keras `reset_after`, ONNX
//! `linear_before_reset`, PyTorch). The logistic and tanh are those of TFLite Micro's int16 table.
//!
//! Source: the project's own; TFLite has no int8 GRU. In the style of its LSTM.

use super::record::Record;
use super::recurrent::{self, Recurrent, sum};
use super::{Kernels, Node, Sides};
use crate::LoadError;
use crate::blob::Activation;
use crate::quantized::{Multiplier, rounding_divide_by_pot, scaled_15, table16};
use crate::session::Memory;

/// Update, reset, candidate.
pub(crate) const GATES: usize = 3;

/// A GRU, ready to run.
#[derive(Debug, Clone, Copy)]
pub struct Gru<'m> {
    /// The gates, in units of 2^-12.
    pub recurrent: Recurrent<'m>,
    /// `2^-15 / output scale`.
    pub output: Multiplier,
}

impl<'m> Node<'m> for Gru<'m> {
    fn decode(record: &Record<'_, 'm>) -> Result<Self, LoadError> {
        record.expect_unused(2, recurrent::PARAMETERS + 2)?;
        record.expect_no_rounding()?;
        Ok(Self { recurrent: Recurrent::decode(record, GATES)?, output: record.multiplier(4, -31..=0)? })
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        self.recurrent.verify(sides, Some(-15), operator)
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        let zero_point = sides.output.zero_point();
        if K::SHORT {
            let output = self.output.apply_short();
            self.recurrent.run::<K, i16>(sides, memory, step(scaled_15, |m| output(m).wrapping_add(zero_point)));
        } else {
            let output = |m| self.output.apply(m).saturating_add(zero_point);
            self.recurrent.run::<K, i16>(sides, memory, step(|p| rounding_divide_by_pot(p, 15), output));
        }
    }

    fn has_clean_weights(&self) -> bool {
        self.recurrent.is_clean(GATES)
    }

    fn inputs(&self) -> core::ops::RangeInclusive<usize> {
        3..=3
    }

    fn states(&self) -> usize {
        2
    }

    fn accepts(&self, sides: &Sides<'_>) -> bool {
        recurrent::accepts(sides)
    }

    fn scratch_bytes(&self, _: &Sides<'_>) -> usize {
        self.recurrent.scratch_bytes()
    }

    fn macs(&self, sides: &Sides<'_>) -> u64 {
        self.recurrent.macs(GATES, sides)
    }

    fn parameters(&self) -> u64 {
        self.recurrent.parameters(GATES)
    }
}

/// One step of all units, with a division by 2^15 and the way from memory to output.
fn step(scaled: impl Fn(i32) -> i32, output: impl Fn(i32) -> i32) -> impl FnMut([&[i16]; 2], &mut [i8], &mut [i16]) {
    move |[from_input, from_hidden], hidden, memory| {
        let gates = from_input.as_chunks::<GATES>().0.iter().zip(from_hidden.as_chunks::<GATES>().0);
        for (((&[xz, xr, xc], &[hz, hr, hc]), hidden), m) in gates.zip(hidden).zip(memory) {
            let z = i32::from(table16::logistic(sum(xz, hz)));
            let r = i32::from(table16::logistic(sum(xr, hr)));
            let candidate = sum(xc, scaled(r * i32::from(hc)) as i16);
            let g = i32::from(table16::tanh(candidate, 3, 0));
            let new = g + scaled(z * (i32::from(*m) - g));
            (*hidden, *m) = (Activation::NONE.clamp(output(new)), new as i16);
        }
    }
}
