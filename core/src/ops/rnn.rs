//! RNN: a recurrent operator without gates (Elman's).
//!
//! ```text
//! s    = from input + from hidden                            int16, saturating
//! h(t) = clamp(tanh(s) * multiplier + zero point)            12 fractional bits in, 15 out
//! h(t) = clamp(max(s, 0) * multiplier + zero point)          ReLU: s in units of any scale
//! ```
//!
//! tanh is that of TFLite Micro's int16 table. Source: the project's own; TFLite has no int8 RNN.

use super::record::Record;
use super::recurrent::{self, Recurrent, sum};
use super::{Kernels, Node, Sides};
use crate::LoadError;
use crate::blob::Activation;
use crate::quantized::{Multiplier, table16};
use crate::session::Memory;

/// An RNN, ready to run.
#[derive(Debug, Clone, Copy)]
pub struct Rnn<'m> {
    /// The one sum.
    pub recurrent: Recurrent<'m>,
    /// Its function and the way to int8.
    pub cell: Cell,
}

/// The numbers of an RNN's cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// The function.
    pub function: Function,
    /// From the function's values, in units of 2^-15 (of the sum's scale for ReLU), to the output's scale.
    pub output: Multiplier,
}

/// The function of an RNN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// Of sums in units of 2^-12.
    Tanh = 0,
    /// `max(x, 0)`.
    Relu = 1,
}

impl<'m> Node<'m> for Rnn<'m> {
    fn decode(record: &Record<'_, 'm>) -> Result<Self, LoadError> {
        record.expect_unused(2, recurrent::PARAMETERS + 3)?;
        record.expect_no_rounding()?;
        let function = if record.flag(4)? { Function::Relu } else { Function::Tanh };
        let cell = Cell { function, output: record.multiplier(5, -31..=0)? };
        Ok(Self { recurrent: Recurrent::decode(record, 1)?, cell })
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        self.recurrent.verify(sides, None, operator)
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        let zero_point = sides.output.zero_point();
        let Cell { function, output } = self.cell;
        if K::SHORT {
            let short = output.apply_short();
            self.recurrent.run::<K, ()>(sides, memory, step(function, |q| short(q).wrapping_add(zero_point)));
        } else {
            let output = |q| output.apply(q).saturating_add(zero_point);
            self.recurrent.run::<K, ()>(sides, memory, step(function, output));
        }
    }

    fn has_clean_weights(&self) -> bool {
        self.recurrent.is_clean(1)
    }

    fn inputs(&self) -> core::ops::RangeInclusive<usize> {
        2..=2
    }

    fn states(&self) -> usize {
        1
    }

    fn accepts(&self, sides: &Sides<'_>) -> bool {
        recurrent::accepts(sides)
    }

    fn scratch_bytes(&self, _: &Sides<'_>) -> usize {
        self.recurrent.scratch_bytes()
    }

    fn macs(&self, sides: &Sides<'_>) -> u64 {
        self.recurrent.macs(1, sides)
    }

    fn parameters(&self) -> u64 {
        self.recurrent.parameters(1)
    }
}

/// One step of all units, with the way from the function's value to the output.
fn step(function: Function, output: impl Fn(i32) -> i32) -> impl FnMut([&[i16]; 2], &mut [i8], &mut [()]) {
    move |[from_input, from_hidden], hidden, _| {
        for ((x, h), hidden) in from_input.iter().zip(from_hidden).zip(hidden) {
            let sum = sum(*x, *h);
            let value = match function {
                Function::Tanh => table16::tanh(sum, 3, 0),
                Function::Relu => sum.max(0),
            };
            *hidden = Activation::NONE.clamp(output(i32::from(value)));
        }
    }
}
