//! The constants and weights of four channels as the DSP kernels want them.

use super::DepthwiseConv2d;
use super::planes::{LANES, Planes};
use crate::arch::dsp::planes::LANE_HEAD;
use crate::arch::dsp::strips::{CUT, Lane};
use crate::arch::dsp::{halves, sadd16, sxtb16, sxtb16_ror8};
use crate::blob::Channel;
use crate::ops::parts_mut;

/// Those of the channels from number `first` on; `cut` says that outputs of sums below zero are cut off.
#[inline(never)]
pub fn load(conv: &DepthwiseConv2d<'_>, planes: &Planes, cut: bool, first: usize, lanes: &mut [u32]) {
    let channels = conv.weighted.channels.get(first..).unwrap_or(&[]);
    match planes.kernel.planes() {
        None => {
            if let Some(lanes) = lanes.as_chunks_mut().0.first_chunk_mut::<LANES>() {
                load_strips(conv, planes.rows, first, lanes);
                for (lane, channel) in lanes.iter_mut().zip(channels) {
                    let [.., bias, multiplier, rounding, right] = lane;
                    [*bias, *multiplier, *rounding, *right] = constants(channel);
                    *right |= if cut { CUT } else { 0 };
                }
            }
        }
        Some(kernel) => {
            for ((lane, channel), o) in parts_mut(lanes, kernel.lane_words()).zip(channels).zip(first..) {
                let Some((head, words)) = lane.split_first_chunk_mut::<LANE_HEAD>() else { return };
                let [bias, multiplier, rounding, right] = constants(channel);
                *head = [bias, bias, bias, bias, multiplier, rounding, right];
                load_pairs(conv, planes, o, words);
            }
        }
    }
}

/// Twice the bias (twice the sum is what the requantization multiplies), multiplier, rounding constant, right shift.
fn constants(channel: &Channel) -> [u32; 4] {
    let Channel { bias, multiplier, rounding, shift } = *channel;
    [bias.wrapping_shl(1) as u32, multiplier as u32, rounding as u32, shift.wrapping_neg() as u32]
}

/// 3 x 3 taps, along rows or columns.
fn load_strips(conv: &DepthwiseConv2d<'_>, rows: bool, first: usize, lanes: &mut [Lane; LANES]) {
    let mut taps = [0; 9];
    for (at, tap) in taps.iter_mut().enumerate() {
        *tap = four(conv.weighted.weights.get(at * conv.weighted.channels.len() + first..).unwrap_or(&[]));
    }
    let [a, b, c, d, e, f, g, h, i] = taps;
    let lines = if rows { [[a, b, c], [d, e, f], [g, h, i]] } else { [[a, d, g], [b, e, h], [c, f, i]] };
    let [first, second, third, fourth] = lanes;
    for (line, taps) in lines.into_iter().enumerate() {
        // Doubled weights: of channels 0 and 2, and of 1 and 3.
        let even = taps.map(|tap| sadd16(sxtb16(tap), sxtb16(tap)));
        let odd = taps.map(|tap| sadd16(sxtb16_ror8(tap), sxtb16_ror8(tap)));
        let put = |lane: &mut Lane, words| lane.as_chunks_mut::<2>().0.get_mut(line).map_or((), |pair| *pair = words);
        put(first, low(even));
        put(second, low(odd));
        put(third, high(even));
        put(fourth, high(odd));
    }
}

/// The first four bytes, or what there is.
#[inline(always)]
fn four(bytes: &[i8]) -> u32 {
    match bytes.first_chunk::<4>() {
        Some(bytes) => u32::from_le_bytes(bytes.map(|byte| byte as u8)),
        None => bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte as u8)),
    }
}

/// (w0, w1) and (w1, w2) of the lower halves.
fn low([a, b, c]: [u32; 3]) -> [u32; 2] {
    [a & 0xffff | b << 16, b & 0xffff | c << 16]
}

/// The same of the upper halves.
fn high([a, b, c]: [u32; 3]) -> [u32; 2] {
    [a >> 16 | b & 0xffff_0000, b >> 16 | c & 0xffff_0000]
}

/// The weights of output channel `o`, doubled, in pairs.
fn load_pairs(conv: &DepthwiseConv2d<'_>, planes: &Planes, o: usize, words: &mut [u32]) {
    let weights = conv.weighted.weights.get(o..).unwrap_or(&[]);
    let taps = weights.iter().step_by(conv.weighted.channels.len().max(1)).map(|weight| i16::from(*weight) * 2);
    let (lines, count) = (planes.across.kernel, planes.along.kernel);
    let [from_line, from_tap] = if planes.rows { [count, 1] } else { [1, lines] };
    for (line, words) in parts_mut(words, 2 * (count / 2 + 1)).enumerate() {
        let weight = |tap: Option<usize>| {
            let at = tap.filter(|tap| *tap < count).map(|tap| line * from_line + tap * from_tap);
            at.and_then(|at| taps.clone().nth(at)).unwrap_or(0)
        };
        for ([even, odd], tap) in words.as_chunks_mut().0.iter_mut().zip((0usize..).step_by(2)) {
            *even = halves(weight(Some(tap)), weight(Some(tap + 1)));
            *odd = halves(weight(tap.checked_sub(1)), weight(Some(tap)));
        }
    }
}
