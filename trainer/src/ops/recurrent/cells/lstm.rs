//! LSTM: `c = f c' + i g`, `h = o tanh(c)`.

use super::{activate, add_product, each, gates, logistic_slope, tanh_slope};
use crate::graph::Real;
use crate::ops::recurrent::sizes::cut;

/// What a step reads beside its sums.
#[derive(Debug, Clone, Copy)]
pub struct Parameters<'a, T> {
    /// Units of the layer.
    pub units: usize,
    /// At least `[4 units]`.
    pub bias: &'a [T],
    /// Of input, forget, output gate, `[units]` each.
    pub peepholes: Option<[&'a [T]; 3]>,
    /// Largest magnitude of a cell.
    pub clip: T,
}

/// One step of some sequences on the way back.
#[derive(Debug)]
pub struct Back<'a, T> {
    /// Activated gates, `[rows, 4 units]`.
    pub gates: &'a [T],
    /// Cells before the step and after it, `[rows, units]`.
    pub cells: [&'a [T]; 2],
    /// Derivative by the states, `[rows, units]`.
    pub d_state: &'a [T],
    /// Derivative by the cells, of the steps behind; becomes that by the cells before.
    pub d_cell: &'a mut [T],
    /// Takes the derivative by the sums, `[rows, 4 units]`.
    pub d_sums: &'a mut [T],
    /// Gains the derivative by the peepholes, `[3 units]`, where there are any.
    pub d_peepholes: &'a mut [T],
}

impl<'a, T: Real> Parameters<'a, T> {
    /// Of a layer with `peepholes [3 units]`, or none.
    pub fn new(units: usize, bias: &'a [T], peepholes: &'a [T], clip: T) -> Self {
        let peepholes = (!peepholes.is_empty()).then(|| gates(peepholes, units));
        Self { units, bias, peepholes, clip }
    }

    /// Activates the `sums [rows, 4 units]`; cells and states are `[rows, units]`.
    #[inline(always)]
    pub fn forward(self, sums: &mut [T], before: &[T], cells: &mut [T], states: &mut [T]) {
        let units = self.units;
        let [of_i, of_f, of_g, of_o] = gates(self.bias, units);
        for (row, sums) in sums.chunks_exact_mut(4 * units).enumerate() {
            let before = &before[row * units..][..units];
            let cell = &mut cells[row * units..][..units];
            let [i, f, g, o] = cut(sums, [units; 4]);
            if let Some([peep_i, peep_f, _]) = self.peepholes {
                add_product(i, peep_i, before);
                add_product(f, peep_f, before);
            }
            activate(i, of_i, T::logistic);
            activate(f, of_f, T::logistic);
            activate(g, of_g, T::tanh);
            let (i, f, g) = (&*i, &*f, &*g);
            each(cell, |u| limited(f[u] * before[u] + i[u] * g[u], self.clip));
            if let Some([_, _, peep_o]) = self.peepholes {
                add_product(o, peep_o, cell);
            }
            activate(o, of_o, T::logistic);
            let (o, cell) = (&*o, &*cell);
            each(&mut states[row * units..][..units], |u| o[u] * cell[u].tanh());
        }
    }

    /// The derivatives of one step.
    #[inline(always)]
    pub fn backward(self, step: Back<'_, T>) {
        let units = self.units;
        for (row, d_sums) in step.d_sums.chunks_exact_mut(4 * units).enumerate() {
            let [i, f, g, o] = gates(&step.gates[4 * row * units..], units);
            let [before, cell] = step.cells.map(|cells| &cells[row * units..][..units]);
            let d_state = &step.d_state[row * units..][..units];
            let d_cell = &mut step.d_cell[row * units..][..units];
            let [d_i, d_f, d_g, d_o] = cut(d_sums, [units; 4]);
            for u in 0..units {
                let y = cell[u].tanh();
                d_o[u] = d_state[u] * y * logistic_slope(o[u]);
                d_cell[u] += d_state[u] * o[u] * tanh_slope(y);
            }
            if let Some([_, _, peep_o]) = self.peepholes {
                add_product(d_cell, d_o, peep_o);
            }
            if self.clip < T::of(f64::INFINITY) {
                d_cell.iter_mut().zip(cell).filter(|(_, c)| c.abs() >= self.clip).for_each(|(d, _)| *d = T::ZERO);
            }
            let d = &*d_cell;
            each(d_i, |u| d[u] * g[u] * logistic_slope(i[u]));
            each(d_f, |u| d[u] * before[u] * logistic_slope(f[u]));
            each(d_g, |u| d[u] * i[u] * tanh_slope(g[u]));
            d_cell.iter_mut().zip(f).for_each(|(d, &f)| *d = *d * f);
            if let Some([peep_i, peep_f, _]) = self.peepholes {
                add_product(d_cell, d_i, peep_i);
                add_product(d_cell, d_f, peep_f);
                let [d_peep_i, d_peep_f, d_peep_o] = cut(step.d_peepholes, [units; 3]);
                add_product(d_peep_i, d_i, before);
                add_product(d_peep_f, d_f, before);
                add_product(d_peep_o, d_o, cell);
            }
        }
    }
}

/// `x` with a magnitude of at most `most`; NaN stays NaN.
#[inline(always)]
fn limited<T: Real>(x: T, most: T) -> T {
    let below = if x > most { most } else { x };
    if below < -most { -most } else { below }
}
