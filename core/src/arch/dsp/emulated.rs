//! The blocks in plain Rust, for machines without the instructions: the same words in the same places.

use super::blocks::{Gather, Narrow2, Pairs, Product4, Quad1, Quad4};
use super::{smlad, sxtb16, sxtb16_ror8};
use crate::blob::Channel;
use crate::quantized::{requantize_bounded, requantize_doubled_bounded};

/// The words a, b for the first word of a quad, and a, b for the second.
fn unpack(weights: Pairs<'_>, at: usize) -> [u32; 4] {
    match weights {
        Pairs::Wide(weights) => weights.get(at).copied().unwrap_or_default(),
        Pairs::Narrow(weights) => {
            let [p, q, r, s, t, u, v, w] = weights.get(at).copied().unwrap_or_default().map(|byte| byte as u8);
            let (first, second) = (u32::from_le_bytes([p, q, r, s]), u32::from_le_bytes([t, u, v, w]));
            [sxtb16(first), sxtb16_ror8(first), sxtb16(second), sxtb16_ror8(second)]
        }
    }
}

fn requantize(sum: i32, channel: &Channel, weights: Pairs<'_>) -> i8 {
    let value = match weights {
        Pairs::Narrow(_) => requantize_bounded(sum, channel),
        Pairs::Wide(_) => requantize_doubled_bounded(sum, channel),
    };
    value.clamp(-128, 127) as i8
}

/// Sums of any number of pixels (`N` words per word of a quad).
fn sums<const N: usize>(words: &[u32], weights: Pairs<'_>, bias: [i32; 2]) -> [[i32; N]; 2] {
    let mut sums = bias.map(|bias| [bias; N]);
    for (at, word) in words.chunks_exact(N).enumerate() {
        let [a, b, c, d] = unpack(weights, at / 2);
        let channels = if at % 2 == 0 { [a, b] } else { [c, d] };
        for (sums, channel) in sums.iter_mut().zip(channels) {
            for (sum, pixel) in sums.iter_mut().zip(word) {
                *sum = smlad(*pixel, channel, *sum);
            }
        }
    }
    sums
}

fn requantized<const N: usize>(
    words: &[u32],
    weights: Pairs<'_>,
    pairs: &[[Channel; 2]],
    output: &mut [i8],
    stride: usize,
) {
    for (i, pair) in pairs.iter().enumerate() {
        let weights = weights.pair(i, words.len() / N / 2);
        let sums = sums::<N>(words, weights, pair.map(|channel| channel.bias));
        for (c, (sums, channel)) in sums.iter().zip(pair).enumerate() {
            for (p, sum) in sums.iter().enumerate() {
                if let Some(output) = output.get_mut(p * stride + 2 * i + c) {
                    *output = requantize(*sum, channel, weights);
                }
            }
        }
    }
}

/// Nothing to prepare.
#[derive(Debug, Clone, Copy)]
pub struct Plan;

impl Plan {
    pub fn new(_: Pairs<'_>, _: &[[Channel; 2]], _: usize, _: usize) -> Self {
        Self
    }
}

pub fn requantized_4x2(product: &Product4<'_>, columns: &[Quad4], output: &mut [i8]) {
    let (weights, pairs, stride, _) = product.parts();
    requantized::<4>(columns.as_flattened(), weights, pairs, output, stride);
}

pub fn requantized_1x2(column: &[Quad1], weights: Pairs<'_>, pairs: &[[Channel; 2]], output: &mut [i8]) {
    requantized::<1>(column.as_flattened(), weights, pairs, output, 0);
}

pub fn sums_4x2(columns: &[Quad4], weights: &[Narrow2]) -> [[i32; 4]; 2] {
    sums(columns.as_flattened(), Pairs::Narrow(weights), [0, 0])
}

pub fn sums_1x2(column: &[Quad1], weights: &[Narrow2]) -> [i32; 2] {
    sums::<1>(column.as_flattened(), Pairs::Narrow(weights), [0, 0]).map(|[sum]| sum)
}

/// Where in its loop a row of so many whole quads begins: there is no such loop.
pub const fn entry(_: usize) -> usize {
    0
}

pub fn gather(how: &Gather, source: &[i8], starts: [usize; 4], columns: &mut [Quad4]) {
    let [rows, row, step, first, behind_at] = how.parts();
    let (inside, behind) = if row % 4 == 3 { (row, 0) } else { (row / 4 * 4, row % 4) };
    let halves: &mut [i16] = bytemuck::cast_slice_mut(columns.as_flattened_mut());
    for (lane, start) in starts.into_iter().enumerate() {
        for y in 0..rows {
            let taps = source.get(start + y * step..).and_then(|row_on| row_on.get(..row)).unwrap_or(&[]);
            for (i, tap) in taps.iter().enumerate() {
                let at = match i.checked_sub(inside) {
                    None => first / 2 + (y * inside.div_ceil(4) + i / 4) * 16 + i % 2 * 8 + i % 4 / 2,
                    Some(i) => {
                        // Where the first stands among the four of its quad, then the rest in order.
                        let (quad, word, half) = (behind_at / 32, behind_at % 32 / 16, behind_at % 4 / 2);
                        let slot = word * 2 + half + y * behind + i;
                        (quad + slot / 4) * 16 + slot % 4 / 2 * 8 + slot % 2
                    }
                };
                if let Some(half) = halves.get_mut(at + lane * 2) {
                    *half = i16::from(*tap);
                }
            }
        }
    }
}

/// Copies as much as both hold.
pub fn copy(from: &[i8], to: &mut [i8]) {
    from.iter().zip(to).for_each(|(from, to)| *to = *from);
}
