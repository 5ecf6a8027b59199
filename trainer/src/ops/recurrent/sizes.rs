//! Sizes of a recurrent layer, and how its work is cut: the batch into pieces of rows, which run in parallel, the time into blocks of
//! steps, whose products with the input are one matrix product. Neither depends on the number of threads.

use super::Cell;
use crate::graph::Shape;
use crate::ops::kernels::packed_elements;

/// Sequences of a piece: enough for the product of a step to run near the rate of a large one.
const ROWS: usize = 16;

/// Rows of the matrix products of a block; its parts stay in the second-level cache.
const BLOCK_ROWS: usize = 256;

/// Sizes of a recurrent layer.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    pub cell: Cell,
    pub batch: usize,
    pub time: usize,
    pub inputs: usize,
    pub units: usize,
    pub peepholes: bool,
}

impl Sizes {
    /// Shape of the output.
    pub fn states(self) -> Shape {
        [self.batch, self.time, self.units].into()
    }

    /// Rows of a matrix.
    pub fn gates(self) -> usize {
        self.cell.gates() * self.units
    }

    /// Sequences of a piece (the last one may have fewer): two pieces at least.
    pub fn rows(self) -> usize {
        self.batch.div_ceil(self.batch.div_ceil(ROWS).max(2)).max(1)
    }

    /// How many pieces there are.
    pub fn pieces(self) -> usize {
        self.batch.div_ceil(self.rows())
    }

    /// Steps of a block (the last one may have fewer).
    pub fn steps(self) -> usize {
        (BLOCK_ROWS / self.rows()).clamp(1, self.time)
    }

    /// First step and number of steps of each block, in the order of the steps.
    pub fn blocks(self) -> impl DoubleEndedIterator<Item = (usize, usize)> {
        let steps = self.steps();
        (0..self.time.div_ceil(steps)).map(move |block| (block * steps, steps.min(self.time - block * steps)))
    }

    /// Lengths of what `steps` steps of `rows` sequences leave behind: activated gates of each step; memory and state of each, and of the
    /// step before the first.
    pub fn record(self, rows: usize, steps: usize) -> [usize; 3] {
        [steps * self.gates(), (steps + 1) * self.memory(), (steps + 1) * self.units].map(|each| rows * each)
    }

    /// Values per sequence and step that a cell remembers beside its state: the cell of an LSTM; of a GRU the sum that it resets.
    pub fn memory(self) -> usize {
        match self.cell {
            Cell::Lstm | Cell::Gru => self.units,
            Cell::Tanh | Cell::Relu => 0,
        }
    }

    /// Sums from the hidden state that must stay apart from those from the input, per sequence.
    pub fn apart(self) -> usize {
        if self.cell == Cell::Gru { self.gates() } else { 0 }
    }

    /// Elements of scratch memory of the parameters as the steps read them.
    pub fn weights(self) -> usize {
        packed_elements(self.units, self.gates()) + (self.inputs + 1) * self.gates() + self.units
    }

    /// Values that the steps of a block of a piece leave behind.
    pub fn block(self) -> usize {
        self.record(self.rows(), self.steps()).iter().sum()
    }

    /// Elements of scratch memory of a piece on its way forward.
    pub fn scratch(self) -> usize {
        self.rows() * (self.steps() * self.inputs + self.apart())
    }

    /// Elements of scratch memory of a piece on its way back.
    pub fn back_scratch(self) -> usize {
        let of_steps = self.steps() * (self.gates() + self.apart() + self.inputs);
        self.rows() * (of_steps + self.units + self.memory())
    }

    /// Lengths of w, r, b and peepholes.
    pub fn parameters(self) -> [usize; 4] {
        let gates = self.gates();
        let peepholes = if self.peepholes { 3 * self.units } else { 0 };
        [gates * self.inputs, gates * self.units, 2 * gates, peepholes]
    }
}

/// The first `lengths` of `values`, one after another.
#[inline(always)]
pub fn cut<T, const N: usize>(mut values: &mut [T], lengths: [usize; N]) -> [&mut [T]; N] {
    lengths.map(|length| {
        let (part, rest) = std::mem::take(&mut values).split_at_mut(length);
        values = rest;
        part
    })
}

/// Copies steps of sequences `from [rows, time, width]` to `to [steps, rows, width]`; step `s` is that of time `at(s)`.
pub fn gather<T: Copy>(from: &[T], to: &mut [T], [time, width]: [usize; 2], at: impl Fn(usize) -> usize) {
    let rows = from.len() / (time * width);
    for (step, to) in to.chunks_exact_mut(rows * width).enumerate() {
        let t = at(step);
        for (to, from) in to.chunks_exact_mut(width).zip(from.chunks_exact(time * width)) {
            to.copy_from_slice(&from[t * width..][..width]);
        }
    }
}

/// The way back of [`gather`].
pub fn scatter<T: Copy>(from: &[T], to: &mut [T], [time, width]: [usize; 2], at: impl Fn(usize) -> usize) {
    let rows = to.len() / (time * width);
    for (step, from) in from.chunks_exact(rows * width).enumerate() {
        let t = at(step);
        for (from, to) in from.chunks_exact(width).zip(to.chunks_exact_mut(time * width)) {
            to[t * width..][..width].copy_from_slice(from);
        }
    }
}
