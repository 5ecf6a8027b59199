//! The blocks in plain Rust, for machines without the instructions: the same words in the same places.

use super::blocks::{Gather, Narrow2, Pairs, Quad1, Quad4};
use super::{halves, smlad, sxtb16, sxtb16_ror8};
use crate::blob::{Channel, Quads};
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

pub fn requantized_4x2(
    columns: &[Quad4],
    weights: Pairs<'_>,
    pairs: &[[Channel; 2]],
    output: &mut [i8],
    stride: usize,
) {
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

pub fn gather(how: Gather, source: &[i8], starts: [usize; 4], columns: &mut [Quad4]) {
    let quads = Quads { rows: how.of, row: how.row };
    for (lane, start) in starts.into_iter().enumerate() {
        for y in 0..how.rows {
            let row = source.get(start + y * how.step..).and_then(|row| row.get(..how.row)).unwrap_or(&[]);
            let (inside, behind) = row.split_at(row.len().min(quads.inside() * 4));
            for (taps, quad) in inside.chunks(4).zip(columns.iter_mut().skip((how.done + y) * quads.inside())) {
                let tap = |i: usize| taps.get(i).map_or(0, |q| i16::from(*q));
                (quad[lane], quad[lane + 4]) = (halves(tap(0), tap(2)), halves(tap(1), tap(3)));
            }
            for (tap, at) in behind.iter().zip((how.done + y) * quads.behind()..) {
                let Some(quad) = columns.get_mut(how.of * quads.inside() + at / 4) else { continue };
                let word = &mut quad[lane + at % 4 / 2 * 4];
                let [low, high] = [*word as i16, (*word >> 16) as i16];
                *word = if at % 2 == 0 { halves(i16::from(*tap), high) } else { halves(low, i16::from(*tap)) };
            }
        }
    }
}

/// Copies as much as both hold.
pub fn copy(from: &[i8], to: &mut [i8]) {
    from.iter().zip(to).for_each(|(from, to)| *to = *from);
}
