//! What each int8 gives to a sum, by table: the scaled inputs, doubled, as the short requantization wants its sums.
//!
//! 512 entries cost what a few hundred elements do; the writer gives scratch for them to larger operators.

use super::{Add, LEFT_SHIFT};
use crate::arch::dsp::bytes::Tables;
use crate::blob::Channel;
use crate::ops::Sides;
use crate::quantized::{is_bounded_shift, rounding_constant};

/// Bytes of the tables.
const BYTES: usize = 2048;
/// From so many elements on the tables pay.
const MIN_ELEMENTS: usize = 1024;

/// Bytes of scratch that help with `elements` of output. An operator runs with less, and slower.
pub fn scratch_bytes(elements: usize) -> usize {
    if elements < MIN_ELEMENTS { 0 } else { BYTES }
}

/// The tables of a sum, or of a difference, in scratch, and what requantizes it; `None` without scratch or where the
/// output's shift asks for the long form.
pub(crate) fn fill<'s>(
    add: &Add,
    minus: bool,
    sides: Sides<'_>,
    scratch: &'s mut [i16],
) -> Option<(&'s Tables, Channel)> {
    let Add { output, .. } = *add;
    let words: &mut [i32] = bytemuck::try_cast_slice_mut(scratch).ok()?;
    let tables = words.as_chunks_mut::<256>().0.first_chunk_mut::<2>().filter(|_| is_bounded_shift(output.shift))?;
    let zero_points = sides.inputs().map(|tensor| tensor.zero_point());
    for (((table, input), zero_point), minus) in tables.iter_mut().zip(add.inputs).zip(zero_points).zip([false, minus])
    {
        let scale = input.apply_short();
        let (zero_point, sign) = (zero_point << LEFT_SHIFT, if minus { -2 } else { 2 });
        for (at, entry) in table.iter_mut().enumerate() {
            let q = i32::from(at as i8) << LEFT_SHIFT;
            *entry = scale(q.wrapping_sub(zero_point)).wrapping_mul(sign);
        }
    }
    let rounding = rounding_constant(output.shift, sides.output.zero_point());
    Some((tables, Channel { bias: 0, multiplier: output.multiplier, rounding, shift: output.shift.wrapping_neg() }))
}
