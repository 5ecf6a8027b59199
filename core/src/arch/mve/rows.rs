//! A vector times four rows at a time, int8, to int16: the matrices of recurrent operators, row by row as they are trained.
//!
//! Cost: 10 instructions for up to 64 products, and 24 per four rows to start, to requantize and to store.

use crate::ops::Rows;

/// Requantized sums, by the short form: right for a bounded matrix. `weights` holds four rows of as many bytes as `x` for each of
/// `rows`. Does nothing when the slices do not fit together.
#[inline]
pub fn requantized(x: &[i8], weights: &[i8], rows: &[Rows], output: &mut [[i16; 4]]) {
    let fits = x.len().checked_mul(4).and_then(|block| block.checked_mul(rows.len())) == Some(weights.len());
    let Some(output) = output.get_mut(..rows.len()).filter(|_| fits && !x.is_empty() && !rows.is_empty()) else {
        return;
    };
    #[cfg(simd_mve)]
    super::rows_asm::requantized(x, weights, rows, output);
    #[cfg(not(simd_mve))]
    for ((rows, weights), output) in rows.iter().zip(weights.chunks_exact(4 * x.len())).zip(output) {
        let sums = weights.chunks_exact(x.len()).zip(rows.bias).map(|(weights, bias)| {
            let products = x.iter().zip(weights).map(|(q, w)| i32::from(*q) * i32::from(*w));
            products.fold(bias, i32::wrapping_add)
        });
        for ((value, sum), scale) in output.iter_mut().zip(sums).zip(&rows.scale) {
            *value = scale.apply_short(sum);
        }
    }
}
