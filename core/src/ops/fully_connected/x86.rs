//! Fully connected for x86-64: a product over the input's rows where they lie, or over a copy with rows of whole fours.
//! X86 layout.

/// Scratch bytes: a copy of the input where its rows are not whole fours.
pub fn scratch_bytes([rows, inputs]: [usize; 2]) -> usize {
    if inputs.is_multiple_of(4) { 0 } else { inputs.div_ceil(4).saturating_mul(4).saturating_mul(rows) }
}

/// Writes one output row per input row.
#[cfg(target_arch = "x86_64")]
pub fn run(
    isa: crate::arch::x86::Isa,
    dense: &super::FullyConnected<'_>,
    sides: crate::ops::Sides<'_>,
    input: &[i8],
    output: &mut [i8],
    scratch: &mut [i16],
) -> Option<()> {
    use crate::arch::x86::product::{self, Patches};
    use crate::ops::{parts, parts_mut};

    let copy: &mut [i8] = bytemuck::cast_slice_mut(scratch);
    let (count, quads) = ([input.len() / dense.inputs.max(1), 1], dense.inputs.div_ceil(4));
    let bytes = if dense.inputs.is_multiple_of(4) {
        input
    } else {
        for (from, to) in parts(input, dense.inputs).zip(parts_mut(copy, 4 * quads)) {
            to.get_mut(..from.len())?.copy_from_slice(from);
        }
        copy
    };
    let patches = Patches { bytes, count, steps: [4 * quads, 0], rows: 1, line: 0, quads, flipped: false };
    product::run(isa, &patches, &dense.weighted, sides.output.zero_point(), output);
    Some(())
}
