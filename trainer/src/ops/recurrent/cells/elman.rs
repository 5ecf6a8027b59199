//! RNN: `h = f(sum)`.

use super::activate;
use crate::graph::Real;

/// `max(x, 0)`; NaN stays NaN.
#[inline(always)]
pub fn relu<T: Real>(x: T) -> T {
    if x < T::ZERO { T::ZERO } else { x }
}

/// Activates `sums [rows, units]`, which also are the new states.
#[inline(always)]
pub fn forward<T: Real>(bias: &[T], sums: &mut [T], state: &mut [T], f: impl Fn(T) -> T) {
    for row in sums.chunks_exact_mut(bias.len()) {
        activate(row, bias, &f);
    }
    state.copy_from_slice(sums);
}

/// `d_sums = d_state f'`, of the slope where the function has the value that stands in `activated`.
#[inline(always)]
pub fn backward<T: Real>(activated: &[T], d_state: &[T], d_sums: &mut [T], slope: impl Fn(T) -> T) {
    for ((out, &y), &d) in d_sums.iter_mut().zip(activated).zip(d_state) {
        *out = d * slope(y);
    }
}
