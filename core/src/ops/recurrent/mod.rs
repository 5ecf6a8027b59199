//! What LSTM, GRU and RNN share: two matrices per step, states, and the walk over a sequence.
//!
//! ```text
//! from input(r)  = requantize(bias(r) + sum over i of W(r, i) * x(t, i))        int16, r = unit * gates + gate
//! from hidden(r) = requantize(bias(r) + sum over u of R(r, u) * h(t - 1, u))    int16
//! h(t)           = the operator's function of both                              int8, and what else it remembers, int16
//! output(t)      = h(t)
//! ```
//!
//! The input is batch x time x inputs, or time x batch x inputs (time major); the output likewise with `units`. The hidden state
//! (int8, batch x units) and the memory (int16, batch x units) are state tensors: a session keeps them from run to run, so
//! that a sequence may come in pieces, and `Session::reset` clears them. A backward operator reads the sequence from its end.
//! Zero points are folded into the biases. All sums fit into 32 bits, which the loader checks.

pub mod dsp;
#[cfg(feature = "writer")]
pub mod float;
pub mod matrix;
pub mod mve;
pub mod portable;
pub mod reference;

pub use matrix::{Matrix, RowScale, Rows};

use super::record::Record;
use super::{Kernels, Sides};
use crate::LoadError;
use crate::blob::format::FLAG_BOUNDED;
use crate::blob::{Element, Layout};
use crate::session::Memory;

/// The part of a recurrent operator that is not its cell.
#[derive(Debug, Clone, Copy)]
pub struct Recurrent<'m> {
    /// From the input.
    pub input: Matrix<'m>,
    /// From the hidden state.
    pub hidden: Matrix<'m>,
    /// Whether the outermost dimension is time (else it is the batch).
    pub time_major: bool,
    /// Whether the sequence is read from its end.
    pub backward: bool,
}

/// Parameters that [`Recurrent::decode`] reads.
pub(crate) const PARAMETERS: usize = 4;

impl<'m> Recurrent<'m> {
    /// Parameters 0 to 3 (inputs, units, time major, backward), constants 0 (weights) and 1 (rows), layout, flags.
    pub(crate) fn decode(record: &Record<'_, 'm>, gates: usize) -> Result<Self, LoadError> {
        let options = LoadError::UnknownOption { operator: record.index };
        let layout = Layout::decode(record.raw.layout, record.index)?;
        if !matches!(layout, Layout::Natural | Layout::Dsp) || record.raw.flags & !FLAG_BOUNDED != 0 {
            return Err(options);
        }
        let bounded = record.bounded()?;
        let error = LoadError::BadConstant { operator: record.index };
        let [inputs, units] = [record.size(0)?, record.size(1)?];
        let blocks = units.checked_mul(gates).ok_or(error)?.div_ceil(4);
        let (weights, rows): (&[i8], &[Rows]) = (record.constant(0)?, record.constant(1)?);
        let bytes = |columns| matrix::weight_bytes(layout, blocks, columns).ok_or(error);
        let (from_input, from_hidden) = weights.split_at_checked(bytes(inputs)?).ok_or(error)?;
        let (input_rows, hidden_rows) = rows.split_at_checked(blocks).ok_or(error)?;
        if from_hidden.len() != bytes(units)? || hidden_rows.len() != blocks {
            return Err(error);
        }
        Ok(Self {
            input: Matrix { columns: inputs, weights: from_input, rows: input_rows, layout, bounded },
            hidden: Matrix { columns: units, weights: from_hidden, rows: hidden_rows, layout, bounded },
            time_major: record.flag(2)?,
            backward: record.flag(3)?,
        })
    }

    /// Length of an input vector.
    pub fn inputs(&self) -> usize {
        self.input.columns
    }

    /// Length of the hidden state.
    pub fn units(&self) -> usize {
        self.hidden.columns
    }

    /// Checks shapes, quantization of the hidden state, and the matrices' numbers. `memory` is the power of two of the scale of
    /// the int16 state, where there is one.
    pub(crate) fn verify(&self, sides: Sides<'_>, memory: Option<i32>, operator: u16) -> Result<(), LoadError> {
        let error = LoadError::ShapeMismatch { operator };
        let (&[a, b, inputs], &[c, d, outputs]) = (sides.input.shape(), sides.output.shape()) else {
            return Err(error);
        };
        let sizes = [inputs as usize, outputs as usize] == [self.inputs(), self.units()];
        let batch = if self.time_major { b } else { a };
        let mut states = sides.others.iter().flatten();
        if !sizes || [a, b] != [c, d] || !states.clone().all(|state| state.shape() == [batch, outputs]) {
            return Err(error);
        }
        let hidden = states.next().is_some_and(|hidden| hidden.same_quantization(sides.output));
        // Exponent of an f32 that is a power of two.
        let scale = |power: i32| ((power + 127) as u32) << 23;
        let kept = memory.is_none_or(|power| states.next().is_some_and(|s| s.scale().to_bits() == scale(power)));
        if !(hidden && kept) {
            return Err(LoadError::QuantizationMismatch { operator });
        }
        self.input.verify(operator)?;
        self.hidden.verify(operator)
    }

    /// Whether no weight but those of `gates` gates is set.
    pub(crate) fn is_clean(&self, gates: usize) -> bool {
        let rows = self.units().saturating_mul(gates);
        self.input.is_clean(rows) && self.hidden.is_clean(rows)
    }

    /// Runs `cell` on each step of each sequence: it gets what comes from the input and from the hidden state, and writes the
    /// new hidden state and memory.
    pub(crate) fn run<K: Kernels, M: Remembered>(
        &self,
        sides: Sides<'_>,
        memory: Memory<'_>,
        mut cell: impl FnMut([&[i16]; 2], &mut [i8], &mut [M]),
    ) {
        let Some(Buffers { x, hidden, memory, y, scratch }) = M::open(sides, memory) else { return };
        let (inputs, units) = (self.inputs(), self.units());
        let Some((column, rows)) = scratch.split_at_mut_checked(column_length(inputs, units)) else { return };
        let Some((from_input, from_hidden)) = rows.as_chunks_mut().0.split_at_mut_checked(self.input.rows.len()) else {
            return;
        };
        let &[outer, inner, _] = sides.input.shape() else { return };
        let [batch, steps] = if self.time_major { [inner, outer] } else { [outer, inner] }.map(|d| d as usize);
        for b in 0..batch {
            let Some(memory) = M::part(memory, units, b) else { return };
            let Some(hidden) = part(hidden, units, b) else { return };
            for step in 0..steps {
                let t = if self.backward { steps - 1 - step } else { step };
                let at = if self.time_major { t * batch + b } else { b * steps + t };
                let (Some(x), Some(y)) = (x.get(at * inputs..), y.get_mut(at * units..)) else { return };
                let Some(x) = x.get(..inputs) else { return };
                K::matrix(&self.input, x, column, from_input);
                K::matrix(&self.hidden, hidden, column, from_hidden);
                cell([from_input.as_flattened(), from_hidden.as_flattened()], hidden, memory);
                y.iter_mut().zip(&*hidden).for_each(|(y, h)| *y = *h);
            }
        }
    }

    /// Bytes of scratch: one vector as int16, and what comes from both.
    pub(crate) fn scratch_bytes(&self) -> usize {
        scratch_bytes(self.inputs(), self.units(), self.input.rows.len())
    }

    /// Multiply-accumulates of `gates` gates over the whole input.
    pub(crate) fn macs(&self, gates: usize, sides: &Sides<'_>) -> u64 {
        sides.output.elements() as u64 * gates as u64 * (self.inputs() + self.units()) as u64
    }

    /// Weights and biases of `gates` gates.
    pub(crate) fn parameters(&self, gates: usize) -> u64 {
        (self.units() * gates) as u64 * (self.inputs() + self.units() + 1) as u64
    }
}

fn column_length(inputs: usize, units: usize) -> usize {
    inputs.max(units).next_multiple_of(4)
}

/// Scratch of an operator with `blocks` blocks of four rows.
pub fn scratch_bytes(inputs: usize, units: usize, blocks: usize) -> usize {
    (column_length(inputs, units) + 2 * 4 * blocks) * 2
}

/// What a cell remembers beside its hidden state: int16, or nothing.
pub(crate) trait Remembered: Sized {
    /// The operator's memory, opened.
    fn open<'a>(sides: Sides<'_>, memory: Memory<'a>) -> Option<Buffers<'a, Self>>;

    /// Of sequence number `b` of the batch.
    fn part(memory: &mut [Self], units: usize, b: usize) -> Option<&mut [Self]>;
}

/// The `units` elements of sequence number `b`.
fn part<T>(all: &mut [T], units: usize, b: usize) -> Option<&mut [T]> {
    all.get_mut(b * units..)?.get_mut(..units)
}

/// The bytes of a recurrent operator.
pub(crate) struct Buffers<'a, M> {
    x: &'a [i8],
    hidden: &'a mut [i8],
    memory: &'a mut [M],
    y: &'a mut [i8],
    scratch: &'a mut [i16],
}

impl Remembered for i16 {
    fn open<'a>(sides: Sides<'_>, memory: Memory<'a>) -> Option<Buffers<'a, Self>> {
        let [Some(hidden), Some(kept), ..] = sides.others else { return None };
        let tensors = [Some(sides.input), Some(hidden), Some(kept), Some(sides.output), None];
        let [x, hidden, kept, y, scratch] = memory.disjoint(tensors)?;
        let [memory, scratch] = [bytemuck::try_cast_slice_mut(kept).ok()?, bytemuck::try_cast_slice_mut(scratch).ok()?];
        Some(Buffers { x, hidden, memory, y, scratch })
    }

    fn part(memory: &mut [Self], units: usize, b: usize) -> Option<&mut [Self]> {
        part(memory, units, b)
    }
}

impl Remembered for () {
    fn open<'a>(sides: Sides<'_>, memory: Memory<'a>) -> Option<Buffers<'a, Self>> {
        let tensors = [Some(sides.input), Some(sides.others[0]?), Some(sides.output), None];
        let [x, hidden, y, scratch] = memory.disjoint(tensors)?;
        Some(Buffers { x, hidden, memory: &mut [], y, scratch: bytemuck::try_cast_slice_mut(scratch).ok()? })
    }

    fn part(_: &mut [Self], _: usize, _: usize) -> Option<&mut [Self]> {
        Some(&mut [])
    }
}

/// Whether input and output are int8, the first state too, and the second, where there is one, int16.
pub(crate) fn accepts(sides: &Sides<'_>) -> bool {
    let elements = [Element::Int8, Element::Int8, Element::Int16];
    sides.output.element() == Element::Int8 && sides.inputs().zip(elements).all(|(tensor, e)| tensor.element() == e)
}

/// The sum of both parts of a gate, saturated.
#[inline(always)]
pub(crate) fn sum(from_input: i16, from_hidden: i16) -> i16 {
    from_input.saturating_add(from_hidden)
}
