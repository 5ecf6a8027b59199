//! The steps of a recurrent layer, block by block: a product with the input for all steps of a block, one with the hidden state for each.

use super::cells::{elman, gru, lstm};
use super::sizes::{Sizes, cut};
use super::{Cell, Recurrent};
use crate::graph::{Matrix, Real, product};
use crate::ops::View;
use crate::ops::chunks::vectorized;
use crate::ops::kernels::{pack_matrix, packed_elements, rows_times};

/// Parameters as the steps read them.
#[derive(Debug)]
pub struct Weights<'a, T> {
    pub sizes: Sizes,
    /// `w` transposed, `[inputs, gates]`.
    w: &'a [T],
    /// `r` transposed, `[units, gates]`, packed.
    r: &'a [T],
    /// Of both matrices together, `[gates]`; behind them those of the sums that a GRU resets, `[units]`.
    bias: &'a [T],
    peepholes: &'a [T],
    clip: T,
}

/// What some steps of a piece of `rows` sequences leave behind.
#[derive(Debug)]
pub struct Record<'a, T> {
    /// Activated gates, `[steps, rows, gates]`.
    pub gates: &'a mut [T],
    /// See [`Sizes::memory`], `[1 + steps, rows, memory]`: the first is of the step before.
    pub memory: &'a mut [T],
    /// Hidden states, `[1 + steps, rows, units]`: the first is of the step before.
    pub states: &'a mut [T],
}

impl<'a, T: Real> Record<'a, T> {
    /// In `values`, of a sequence that begins: what stands before its first step is zeros.
    pub fn fresh(values: &'a mut [T], sizes: Sizes, rows: usize, steps: usize) -> Self {
        let [gates, memory, states] = cut(values, sizes.record(rows, steps));
        memory[..rows * sizes.memory()].fill(T::ZERO);
        states[..rows * sizes.units].fill(T::ZERO);
        Self { gates, memory, states }
    }

    /// Moves what `steps` steps have come to where the steps begin.
    pub fn carry(&mut self, sizes: Sizes, rows: usize, steps: usize) {
        let (memory, units) = (rows * sizes.memory(), rows * sizes.units);
        self.memory.copy_within(steps * memory..(steps + 1) * memory, 0);
        self.states.copy_within(steps * units..(steps + 1) * units, 0);
    }

    /// The part of `steps` steps from step `first` on.
    pub fn part(&mut self, sizes: Sizes, rows: usize, (first, steps): (usize, usize)) -> Record<'_, T> {
        let (gates, memory, units) = (rows * sizes.gates(), rows * sizes.memory(), rows * sizes.units);
        Record {
            gates: &mut self.gates[first * gates..][..steps * gates],
            memory: &mut self.memory[first * memory..][..(steps + 1) * memory],
            states: &mut self.states[first * units..][..(steps + 1) * units],
        }
    }
}

impl<'a, T: Real> Weights<'a, T> {
    /// Lays the parameters out in the first [`Sizes::weights`] elements of `scratch`; returns the rest of it.
    pub fn prepare(
        layer: &Recurrent,
        sizes: Sizes,
        inputs: &[View<'a, T>],
        scratch: &'a mut [T],
    ) -> (Self, &'a mut [T]) {
        let (gates, units) = (sizes.gates(), sizes.units);
        let (scratch, rest) = scratch.split_at_mut(sizes.weights());
        let [w, r, bias] = cut(scratch, [sizes.inputs * gates, packed_elements(units, gates), gates + units]);
        let hidden = inputs[2].data;
        rayon::join(
            || transpose(inputs[1].data, w, gates),
            || pack_matrix(units, gates, |unit, gate| hidden[gate * units + unit], r),
        );
        let (of_input, of_hidden) = inputs[3].data.split_at(gates);
        bias[..gates].iter_mut().zip(of_input.iter().zip(of_hidden)).for_each(|(sum, (&a, &b))| *sum = a + b);
        if sizes.cell == Cell::Gru {
            bias[2 * units..gates].copy_from_slice(&of_input[2 * units..]);
            bias[gates..].copy_from_slice(&of_hidden[2 * units..]);
        }
        let peepholes = inputs.get(4).filter(|_| sizes.peepholes).map_or(&[][..], |p| p.data);
        (Self { sizes, w, r, bias, peepholes, clip: layer.limit() }, rest)
    }

    /// Runs the steps of `record`, whose inputs are `xs [steps, rows, inputs]`, on the memory and state that stand before them, which are
    /// zeros when `fresh`. `apart` takes the sums from the hidden state of one step, where they stay apart.
    pub fn run(&self, xs: &[T], record: Record<'_, T>, rows: usize, fresh: bool, apart: &mut [T]) {
        let (sizes, gates) = (self.sizes, self.sizes.gates());
        let inputs = Matrix::new(xs, xs.len() / sizes.inputs, sizes.inputs);
        product(record.gates, inputs, Matrix::new(self.w, sizes.inputs, gates), false);
        let lstm = lstm::Parameters::new(sizes.units, self.bias, self.peepholes, self.clip);
        let (of_memory, of_state) = (rows * sizes.memory(), rows * sizes.units);
        for (step, sums) in record.gates.chunks_exact_mut(rows * gates).enumerate() {
            let (before, state) = record.states[step * of_state..][..2 * of_state].split_at_mut(of_state);
            let (remembered, memory) = record.memory[step * of_memory..][..2 * of_memory].split_at_mut(of_memory);
            let apart = &mut apart[..rows * sizes.apart()];
            self.add_hidden(before, sums, apart, fresh && step == 0);
            let apart = &*apart;
            vectorized(
                #[inline(always)]
                || match sizes.cell {
                    Cell::Lstm => lstm.forward(sums, remembered, memory, state),
                    Cell::Gru => gru::forward(self.bias, sums, apart, [memory, state], before),
                    Cell::Tanh => elman::forward(&self.bias[..gates], sums, state, T::tanh),
                    Cell::Relu => elman::forward(&self.bias[..gates], sums, state, elman::relu),
                },
            );
        }
    }

    /// Adds the product with the hidden states `before` to `sums`, or stores it in `apart`.
    fn add_hidden(&self, before: &[T], sums: &mut [T], apart: &mut [T], zeros: bool) {
        let sizes = [self.sizes.units, self.sizes.gates()];
        match (apart.is_empty(), zeros) {
            (true, true) => {}
            (true, false) => rows_times(sums, before, sizes, self.r, true),
            (false, true) => apart.fill(T::ZERO),
            (false, false) => rows_times(apart, before, sizes, self.r, false),
        }
    }
}

/// `to [columns, rows]` of `from [rows, columns]`, in tiles that stay in the first-level cache.
fn transpose<T: Copy>(from: &[T], to: &mut [T], rows: usize) {
    const TILE: usize = 16;
    let columns = from.len() / rows;
    for top in (0..rows).step_by(TILE) {
        for (column, to) in to.chunks_exact_mut(rows).enumerate() {
            let to = &mut to[top..rows.min(top + TILE)];
            to.iter_mut().enumerate().for_each(|(row, to)| *to = from[(top + row) * columns + column]);
        }
    }
}
