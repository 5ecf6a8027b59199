//! What a cell does with its sums in one step, and the derivative, for some sequences at a time. Loops run over the units of one gate,
//! so that they become vector instructions.

pub mod elman;
pub mod gru;
pub mod lstm;

use crate::graph::Real;

/// The slope of the logistic function where it has the value `y`.
#[inline(always)]
fn logistic_slope<T: Real>(y: T) -> T {
    y * (T::ONE - y)
}

/// The slope of tanh where it has the value `y`.
#[inline(always)]
fn tanh_slope<T: Real>(y: T) -> T {
    T::ONE - y * y
}

/// `out[u] = f(u)`.
#[inline(always)]
fn each<T>(out: &mut [T], f: impl Fn(usize) -> T) {
    for (u, out) in out.iter_mut().enumerate() {
        *out = f(u);
    }
}

/// `x[u] = f(x[u] + bias[u])`.
#[inline(always)]
fn activate<T: Real>(x: &mut [T], bias: &[T], f: impl Fn(T) -> T) {
    x.iter_mut().zip(bias).for_each(|(x, &bias)| *x = f(*x + bias));
}

/// `out[u] += a[u] b[u]`.
#[inline(always)]
fn add_product<T: Real>(out: &mut [T], a: &[T], b: &[T]) {
    out.iter_mut().zip(a.iter().zip(b)).for_each(|(out, (&a, &b))| *out += a * b);
}

/// The gates of one sequence, each `[units]`.
#[inline(always)]
fn gates<const N: usize, T>(row: &[T], units: usize) -> [&[T]; N] {
    std::array::from_fn(|gate| &row[gate * units..][..units])
}
