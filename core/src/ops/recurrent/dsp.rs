//! For Armv7E-M DSP: the vector is widened to int16 once, the weights are int16, four rows at a time. DSP layout.

use super::Matrix;
use crate::arch::dsp::rows;
use crate::ops::parts;

/// `values` become the requantized sums; `column` holds the vector as int16.
pub fn matrix(matrix: &Matrix<'_>, x: &[i8], column: &mut [i16], values: &mut [[i16; 4]]) {
    let (Ok(words), Ok(weights)) = (bytemuck::try_cast_slice_mut(column), bytemuck::try_cast_slice(matrix.weights))
    else {
        return;
    };
    let Some(vector) = words.as_chunks_mut().0.get_mut(..matrix.columns.div_ceil(4)) else { return };
    rows::widen(x, vector);
    if matrix.is_bounded() {
        rows::requantized(vector, weights, matrix.rows, values);
        return;
    }
    for ((values, rows), weights) in values.iter_mut().zip(matrix.rows).zip(parts(weights, vector.len())) {
        // The bias may be too large to be doubled.
        let sums = rows::sums(vector, weights, [0; 4]);
        for (((value, sum), bias), scale) in values.iter_mut().zip(sums).zip(rows.bias).zip(&rows.scale) {
            *value = scale.apply((sum >> 1).wrapping_add(bias));
        }
    }
}
