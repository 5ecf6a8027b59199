//! GRU: `h = (1 - z) n + z h'`, `n = tanh(a + r s)`.

use super::{activate, add_product, each, gates, logistic_slope, tanh_slope};
use crate::graph::Real;
use crate::ops::recurrent::sizes::cut;

/// One step of some sequences on the way back.
#[derive(Debug)]
pub struct Back<'a, T> {
    /// Activated gates, `[rows, 3 units]`.
    pub gates: &'a [T],
    /// The sums that were reset, `[rows, units]`.
    pub resettable: &'a [T],
    /// States before the step, `[rows, units]`.
    pub before: &'a [T],
    /// Derivative by the states, `[rows, units]`; becomes the part of that by the states before which does not pass a matrix.
    pub d_state: &'a mut [T],
    /// Takes the derivative by the sums from the input, `[rows, 3 units]`.
    pub d_sums: &'a mut [T],
    /// Takes the derivative by the sums from the hidden state, `[rows, 3 units]`.
    pub d_apart: &'a mut [T],
}

/// Activates the `sums [rows, 3 units]` from the input with those from the hidden state, `apart`; biases are `[4 units]`: of reset, update,
/// new, and of the sum that is reset. `after` takes what is reset and the new states, `[rows, units]`.
#[inline(always)]
pub fn forward<T: Real>(bias: &[T], sums: &mut [T], apart: &[T], [resettable, states]: [&mut [T]; 2], before: &[T]) {
    let units = bias.len() / 4;
    let [of_r, of_z, of_n, of_reset] = gates(bias, units);
    for (row, sums) in sums.chunks_exact_mut(3 * units).enumerate() {
        let [from_r, from_z, from_n] = gates(&apart[3 * row * units..], units);
        let [r, z, n] = cut(sums, [units; 3]);
        r.iter_mut().zip(from_r).for_each(|(r, &s)| *r += s);
        activate(r, of_r, T::logistic);
        z.iter_mut().zip(from_z).for_each(|(z, &s)| *z += s);
        activate(z, of_z, T::logistic);
        let s = &mut resettable[row * units..][..units];
        each(s, |u| from_n[u] + of_reset[u]);
        add_product(n, r, s);
        activate(n, of_n, T::tanh);
        let (z, n, before) = (&*z, &*n, &before[row * units..][..units]);
        each(&mut states[row * units..][..units], |u| n[u] + z[u] * (before[u] - n[u]));
    }
}

/// The derivatives of one step.
#[inline(always)]
pub fn backward<T: Real>(units: usize, step: Back<'_, T>) {
    let sums = step.d_sums.chunks_exact_mut(3 * units).zip(step.d_apart.chunks_exact_mut(3 * units));
    for (row, (d_sums, d_apart)) in sums.enumerate() {
        let [r, z, n] = gates(&step.gates[3 * row * units..], units);
        let [resettable, before] = [step.resettable, step.before].map(|x| &x[row * units..][..units]);
        let d_state = &mut step.d_state[row * units..][..units];
        let [d_r, d_z, d_n] = cut(d_sums, [units; 3]);
        let d = &*d_state;
        each(d_n, |u| d[u] * (T::ONE - z[u]) * tanh_slope(n[u]));
        each(d_z, |u| d[u] * (before[u] - n[u]) * logistic_slope(z[u]));
        each(d_r, |u| d_n[u] * resettable[u] * logistic_slope(r[u]));
        let [to_r, to_z, to_n] = cut(d_apart, [units; 3]);
        to_r.copy_from_slice(d_r);
        to_z.copy_from_slice(d_z);
        each(to_n, |u| d_n[u] * r[u]);
        d_state.iter_mut().zip(z).for_each(|(d, &z)| *d = *d * z);
    }
}
