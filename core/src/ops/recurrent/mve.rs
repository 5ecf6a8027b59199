//! For Armv8.1-M MVE: the vector and the rows as they lie, 16 products at a time. Natural layout, bounded matrices.

use super::Matrix;
use crate::arch::mve::rows;

/// `values` become the requantized sums.
pub fn matrix(matrix: &Matrix<'_>, x: &[i8], values: &mut [[i16; 4]]) {
    let Some(x) = x.get(..matrix.columns) else { return };
    rows::requantized(x, matrix.weights, matrix.rows, values);
}
