//! For any machine: four rows at a time, natural layout.

use super::{Matrix, Rows};
use crate::ops::dot::dot4;

/// `rows` become the requantized sums; `column` holds the vector as int16.
pub fn matrix(matrix: &Matrix<'_>, x: &[i8], column: &mut [i16], rows: &mut [[i16; 4]]) {
    let Some(column) = column.get_mut(..matrix.columns) else { return };
    for (q, wide) in x.iter().zip(column.iter_mut()) {
        *wide = i16::from(*q);
    }
    for ((values, Rows { bias, scale }), block) in rows.iter_mut().zip(matrix.rows).zip(0..) {
        let weights = matrix.weights.get(4 * block * matrix.columns..).unwrap_or(&[]);
        let row = |i: usize| weights.get(i * matrix.columns..).unwrap_or(&[]);
        let sums = dot4(column, [row(0), row(1), row(2), row(3)]);
        for (((value, sum), bias), scale) in values.iter_mut().zip(sums).zip(bias).zip(scale) {
            *value = matrix.finish(scale, sum.wrapping_add(*bias));
        }
    }
}
