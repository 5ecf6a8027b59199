//! The layout of a matrix that kernels stream through: group of columns after group, in each tap after tap.

use pulp::Simd;

use super::columns::{Columns, VECTORS};
use super::dispatch::Kernel;
use crate::graph::Real;

/// Packs the matrix `value(tap, column)` for [`super::Correlate`]; `packed` has room for [`Columns::padded`] columns of every tap.
pub struct Pack<'a, T, F> {
    /// Taps: rows of the matrix.
    pub taps: usize,
    /// Its columns.
    pub columns: usize,
    /// Most vectors of a group of columns, 1 to 4.
    pub vectors: usize,
    /// Its elements.
    pub value: F,
    /// Where it goes.
    pub packed: &'a mut [T],
}

impl<T: Real, F: Fn(usize, usize) -> T> Kernel for Pack<'_, T, F> {
    #[inline(always)]
    fn run<S: Simd, H: Simd>(self, _simd: S, _half: H) {
        let mut packed = self.packed;
        for (group, width) in Columns::new::<T, S, H>(self.columns, self.vectors).all::<T, S, H>() {
            let (own, rest) = packed.split_at_mut(self.taps * width);
            for (tap, row) in own.chunks_exact_mut(width).enumerate() {
                row[..group.columns].iter_mut().enumerate().for_each(|(c, p)| *p = (self.value)(tap, group.first + c));
                row[group.columns..].fill(T::ZERO);
            }
            packed = rest;
        }
    }
}

/// The inverse of [`Pack`]: calls `give(tap, column, value)` with each element.
pub struct Unpack<'a, T, F> {
    /// Taps: rows of the matrix.
    pub taps: usize,
    /// Its columns.
    pub columns: usize,
    /// The packed matrix.
    pub packed: &'a [T],
    /// Takes its elements.
    pub give: F,
}

impl<T: Real, F: FnMut(usize, usize, T)> Kernel for Unpack<'_, T, F> {
    #[inline(always)]
    fn run<S: Simd, H: Simd>(mut self, _simd: S, _half: H) {
        let mut packed = self.packed;
        for (group, width) in Columns::new::<T, S, H>(self.columns, VECTORS).all::<T, S, H>() {
            let (own, rest) = packed.split_at(self.taps * width);
            for (tap, row) in own.chunks_exact(width).enumerate() {
                row[..group.columns].iter().enumerate().for_each(|(c, &p)| (self.give)(tap, group.first + c, p));
            }
            packed = rest;
        }
    }
}
