//! A vector times four rows at a time, int16 weights, to int16: the matrices of recurrent operators.
//!
//! Operands. The vector is doubled and widened to int16 in quads: four elements as two words, (0, 2) and (1, 3), the order in
//! which SXTB16 yields them. Weights are int16 in the same order: per quad the words (0, 2) of four rows, then their words (1, 3).
//!
//! Cost: 11 instructions for 16 products (3 LDM, 8 SMLAD), and 30 per four rows to start, to requantize and to store:
//! with sums doubled, biases too, SMMLAR has their product's upper half without a shift.

use super::{sadd16, sxtb16, sxtb16_ror8};
use crate::ops::Rows;

/// Four elements of the vector.
pub type Quad = [u32; 2];
/// The weights of four rows for a quad.
pub type Weights4 = [[u32; 4]; 2];

/// Requantized sums, by the short form: right for a bounded matrix, the biases of which are doubled. `weights` holds, block after block, as many entries as
/// `vector`. Does nothing when the slices do not fit together.
#[inline]
pub fn requantized(vector: &[Quad], weights: &[Weights4], rows: &[Rows], output: &mut [[i16; 4]]) {
    let blocks = rows.len().min(output.len());
    let fits = vector.len().checked_mul(blocks).is_some_and(|needed| needed <= weights.len());
    if !fits || vector.is_empty() || blocks == 0 {
        return;
    }
    let (rows, output) = (rows.get(..blocks).unwrap_or(&[]), output.get_mut(..blocks).unwrap_or(&mut []));
    #[cfg(simd_dsp)]
    super::rows_asm::requantized(vector, weights, rows, output);
    #[cfg(not(simd_dsp))]
    for ((rows, weights), output) in rows.iter().zip(weights.chunks_exact(vector.len())).zip(output) {
        let sums = sums(vector, weights, rows.bias);
        for ((value, sum), scale) in output.iter_mut().zip(sums).zip(&rows.scale) {
            *value = scale.apply_short(sum >> 1);
        }
    }
}

/// The vector doubled and widened.
#[inline(always)]
pub fn widen(x: &[i8], vector: &mut [Quad]) {
    let quad = |bytes: [i8; 4]| {
        let word: u32 = bytemuck::cast(bytes);
        let (even, odd) = (sxtb16(word), sxtb16_ror8(word));
        [sadd16(even, even), sadd16(odd, odd)]
    };
    let (quads, rest) = x.as_chunks::<4>();
    vector.iter_mut().zip(quads).for_each(|(to, bytes)| *to = quad(*bytes));
    if let (Some(last), false) = (vector.get_mut(quads.len()), rest.is_empty()) {
        let mut bytes = [0; 4];
        bytes.iter_mut().zip(rest).for_each(|(byte, q)| *byte = *q);
        *last = quad(bytes);
    }
}

/// Whether every weight is an int8.
pub fn are_int8(weights: &[Weights4]) -> bool {
    let wide = |word: &u32| sxtb16(*word) ^ word;
    weights.as_flattened().as_flattened().iter().fold(0, |all, word| all | wide(word)) == 0
}

/// Doubled sums of one block of four rows, started from `bias`.
#[inline]
pub fn sums(vector: &[Quad], weights: &[Weights4], bias: [i32; 4]) -> [i32; 4] {
    vector.iter().zip(weights).fold(bias, |mut sums, (quad, weights)| {
        for (word, weights) in quad.iter().zip(weights) {
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = super::smlad(*word, *weight, *sum);
            }
        }
        sums
    })
}
