//! The formula as it is written, one product at a time; any layout.

use super::{Matrix, Rows};

/// `rows` become the requantized sums.
pub fn matrix(matrix: &Matrix<'_>, x: &[i8], rows: &mut [[i16; 4]]) {
    for (block, (values, Rows { bias, scale })) in rows.iter_mut().zip(matrix.rows).enumerate() {
        for (i, ((value, bias), scale)) in values.iter_mut().zip(bias).zip(scale).enumerate() {
            let products =
                x.iter().enumerate().map(|(column, q)| i32::from(*q) * i32::from(matrix.weight(4 * block + i, column)));
            *value = scale.apply(products.fold(matrix.bias(*bias), i32::wrapping_add));
        }
    }
}
