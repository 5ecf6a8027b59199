//! Fully connected for Armv7E-M DSP: the input row is widened to int16 once, then meets two channels at a time. DSP layouts.

use super::FullyConnected;
use crate::arch::dsp::{blocks, halves, sxtb16, sxtb16_ror8};
use crate::ops::dot_dsp::{clamp, one_pixel};
use crate::ops::{Sides, parts, parts_mut};

/// Writes one output row per input row; `scratch` holds one input row.
pub fn run(dense: &FullyConnected<'_>, sides: Sides<'_>, input: &[i8], output: &mut [i8], scratch: &mut [i16]) {
    let Ok(words) = bytemuck::try_cast_slice_mut::<i16, u32>(scratch) else { return };
    let Some(column) = words.as_chunks_mut().0.get_mut(..dense.quads().count()) else { return };
    for (x, y) in parts(input, dense.inputs).zip(parts_mut(output, dense.weighted.channels.len())) {
        widen(x, column);
        one_pixel(&dense.weighted, column, sides.output.zero_point(), y);
    }
    clamp(dense.weighted.activation, output);
}

/// A row as quads, see [`Quads`](crate::blob::Quads).
fn widen(row: &[i8], column: &mut [blocks::Quad1]) {
    let (taps, rest) = row.as_chunks::<4>();
    for (taps, quad) in taps.iter().zip(column.iter_mut()) {
        let word: u32 = bytemuck::cast(*taps);
        *quad = [sxtb16(word), sxtb16_ror8(word)];
    }
    let Some(last) = column.get_mut(taps.len()) else { return };
    let tap = |i: usize| rest.get(i).map_or(0, |q| i16::from(*q));
    *last = if rest.len() == 3 { [halves(tap(0), tap(2)), halves(tap(1), 0)] } else { [halves(tap(0), tap(1)), 0] };
}
