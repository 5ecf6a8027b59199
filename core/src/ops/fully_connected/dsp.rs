//! Fully connected for Armv7E-M DSP: the input row is widened to int16 once, then meets two channels at a time. DSP layout.

use super::FullyConnected;
use crate::arch::dsp::{blocks, sxtb16, sxtb16_ror8};
use crate::ops::{Sides, parts, parts_mut};

/// Writes one output row per input row; `scratch` holds one input row.
pub fn run(dense: &FullyConnected<'_>, sides: Sides<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i16]) {
    let Ok(words) = bytemuck::try_cast_slice_mut::<i16, u32>(scratch) else { return };
    let quads = dense.inputs.div_ceil(4);
    let Some(column) = words.as_chunks_mut().0.get_mut(..quads) else { return };
    let outputs = dense.weighted.channels.len();
    for (x, y) in parts(input, dense.inputs).zip(parts_mut(output, outputs)) {
        widen(x, column);
        let weights = parts(dense.weighted.weights.as_chunks().0, quads);
        for ((values, channels), weights) in y.chunks_mut(2).zip(dense.weighted.channels.chunks(2)).zip(weights) {
            let sums = blocks::sums_1x2(column, weights);
            for ((value, channel), sum) in values.iter_mut().zip(channels).zip(sums) {
                let sum = sum.wrapping_add(channel.bias);
                *value = dense.weighted.finish_fast(sum, channel, sides.output.zero_point());
            }
        }
    }
}

fn widen(row: &[i8], column: &mut [blocks::Quad1]) {
    for (taps, quad) in row.chunks(4).zip(column) {
        let mut bytes = [0u8; 4];
        bytes.iter_mut().zip(taps).for_each(|(byte, q)| *byte = *q as u8);
        let word = u32::from_le_bytes(bytes);
        *quad = [sxtb16(word), sxtb16_ror8(word)];
    }
}
