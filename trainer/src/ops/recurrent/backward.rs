//! The way back through the steps of a recurrent layer, block by block: one product with the hidden state's matrix for each step, one with
//! the inputs and one with the states for all steps of a block.

use super::cells::{elman, gru, lstm};
use super::sizes::{Sizes, cut, gather, scatter};
use super::{Cell, Recurrent};
use crate::graph::{Matrix, Real, product};
use crate::ops::chunks::vectorized;
use crate::ops::kernels::rows_times;

/// Some sequences of the batch.
#[derive(Debug)]
pub struct Piece<'a, T> {
    pub layer: &'a Recurrent,
    pub sizes: Sizes,
    /// w, r packed, and peepholes.
    pub parameters: [&'a [T]; 3],
    /// See [`Sizes::record`].
    pub tape: &'a [T],
    /// `[rows, time, inputs]`.
    pub x: &'a [T],
    /// `[rows, time, units]`.
    pub dy: &'a [T],
    /// Takes the derivatives by w, r, b and peepholes, one after another.
    pub sums: &'a mut [T],
    /// At least [`Sizes::back_scratch`].
    pub scratch: &'a mut [T],
}

/// Derivatives on their way, of all sequences of a piece.
struct Going<'a, T> {
    /// By the state, `[rows, units]`.
    state: &'a mut [T],
    /// By the cell of an LSTM.
    cell: &'a mut [T],
    /// By the sums of a block, `[steps, rows, gates]`.
    sums: &'a mut [T],
    /// By those from the hidden state, where they stand apart.
    apart: &'a mut [T],
    /// By the peepholes.
    peepholes: &'a mut [T],
}

impl<T: Real> Piece<'_, T> {
    /// Runs; `dx [rows, time, inputs]` takes the derivative by x, unless it is empty.
    pub fn run(self, dx: &mut [T]) {
        let Self { layer, sizes, parameters: [w, ..], tape, x, dy, sums, scratch } = self;
        let (gates, units, inputs) = (sizes.gates(), sizes.units, sizes.inputs);
        let rows = dy.len() / (sizes.time * units);
        sums.fill(T::ZERO);
        let [dw, dr, db, d_peepholes] = cut(sums, sizes.parameters());
        let parts =
            [units, sizes.memory(), sizes.steps() * gates, sizes.steps() * sizes.apart(), sizes.steps() * inputs];
        let [state, cell, d_sums, apart, xs] = cut(scratch, parts.map(|each| rows * each));
        state.fill(T::ZERO);
        cell.fill(T::ZERO);
        let mut going = Going { state, cell, sums: d_sums, apart, peepholes: d_peepholes };
        let walk =
            Walk { sizes, rows, r: self.parameters[1], peepholes: self.parameters[2], clip: layer.limit(), tape };
        for (first, steps) in sizes.blocks().rev() {
            let at = |step: usize| layer.time(sizes, first + step);
            for step in (0..steps).rev() {
                add_rows(going.state, dy, [sizes.time, units], at(step));
                walk.step(first + step, step, &mut going);
            }
            let (count, xs) = (steps * rows, &mut xs[..steps * rows * inputs]);
            let d_sums = &going.sums[..count * gates];
            let d_hidden = if sizes.apart() > 0 { &going.apart[..count * gates] } else { d_sums };
            gather(x, xs, [sizes.time, inputs], at);
            let by_sums = Matrix::new(d_sums, count, gates);
            product(dw, by_sums.t(), Matrix::new(xs, count, inputs), true);
            let before = walk.states(first, steps);
            product(dr, Matrix::new(d_hidden, count, gates).t(), Matrix::new(before, count, units), true);
            let (of_input, of_hidden) = db.split_at_mut(gates);
            add_up(of_input, d_sums);
            match sizes.apart() {
                0 => of_hidden.copy_from_slice(of_input),
                _ => add_up(of_hidden, d_hidden),
            }
            if !dx.is_empty() {
                product(xs, by_sums, Matrix::new(w, gates, inputs), false);
                scatter(xs, dx, [sizes.time, inputs], at);
            }
        }
    }
}

/// What the steps of a piece read.
struct Walk<'a, T> {
    sizes: Sizes,
    rows: usize,
    r: &'a [T],
    peepholes: &'a [T],
    clip: T,
    tape: &'a [T],
}

impl<T: Real> Walk<'_, T> {
    /// The states before each of `steps` steps from `first` on.
    fn states(&self, first: usize, steps: usize) -> &[T] {
        let [gates, memory, _] = self.sizes.record(self.rows, self.sizes.time);
        let units = self.rows * self.sizes.units;
        &self.tape[gates + memory + first * units..][..steps * units]
    }

    /// The memory after `steps` steps.
    fn memory(&self, steps: usize) -> &[T] {
        let [gates, ..] = self.sizes.record(self.rows, self.sizes.time);
        let each = self.rows * self.sizes.memory();
        &self.tape[gates + steps * each..][..each]
    }

    /// Goes back over step `step` of the sequence, number `at` in its block.
    fn step(&self, step: usize, at: usize, going: &mut Going<'_, T>) {
        let (sizes, rows, units, gates) = (self.sizes, self.rows, self.sizes.units, self.sizes.gates());
        let activated = &self.tape[step * rows * gates..][..rows * gates];
        let d_sums = &mut going.sums[at * rows * gates..][..rows * gates];
        let of_apart = rows * sizes.apart();
        let d_apart = &mut going.apart[at * of_apart..][..of_apart];
        let (d_state, d_cell, d_peepholes) = (&mut *going.state, &mut *going.cell, &mut *going.peepholes);
        let (memory, before) = (self.memory(step + 1), self.states(step, 1));
        let lstm = lstm::Parameters::new(units, &[], self.peepholes, self.clip);
        vectorized(
            #[inline(always)]
            || match sizes.cell {
                Cell::Lstm => {
                    let cells = [self.memory(step), memory];
                    lstm.backward(lstm::Back { gates: activated, cells, d_state, d_cell, d_sums, d_peepholes });
                }
                Cell::Gru => {
                    gru::backward(
                        units,
                        gru::Back { gates: activated, resettable: memory, before, d_state, d_sums, d_apart },
                    );
                }
                Cell::Tanh => elman::backward(activated, d_state, d_sums, |y| T::ONE - y * y),
                Cell::Relu => {
                    elman::backward(activated, d_state, d_sums, |y| if y > T::ZERO { T::ONE } else { T::ZERO })
                }
            },
        );
        if step > 0 {
            let through = if of_apart > 0 { &*d_apart } else { &*d_sums };
            rows_times(going.state, through, [gates, units], self.r, of_apart > 0);
        }
    }
}

/// Adds to `state [rows, units]` time `t` of `dy [rows, time, units]`.
fn add_rows<T: Real>(state: &mut [T], dy: &[T], [time, units]: [usize; 2], t: usize) {
    for (state, dy) in state.chunks_exact_mut(units).zip(dy.chunks_exact(time * units)) {
        state.iter_mut().zip(&dy[t * units..]).for_each(|(sum, &d)| *sum += d);
    }
}

/// Adds to `sums [n]` the rows of `values [.., n]`.
fn add_up<T: Real>(sums: &mut [T], values: &[T]) {
    vectorized(
        #[inline(always)]
        || {
            for row in values.chunks_exact(sums.len()) {
                sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += value);
            }
        },
    );
}
