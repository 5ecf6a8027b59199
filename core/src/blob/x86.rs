//! The order of weights for x86-64 ([`Layout::X86`](super::Layout)).
//!
//! VPDPBUSD multiplies unsigned bytes with signed ones, so activations become unsigned by adding 128, and each sum must
//! give back 128 times the sum of its weights. That number is stored with the weights and checked by the loader.

/// Channels of one group.
pub const GROUP: usize = 16;
/// Bytes of the numbers that a group begins with, and of its four taps.
pub const BLOCK: usize = 4 * GROUP;

/// Bytes of one group with `rows` kernel rows of `row` elements.
pub fn group_bytes(rows: usize, row: usize) -> Option<usize> {
    rows.checked_mul(row.div_ceil(4))?.checked_add(1)?.checked_mul(BLOCK)
}

/// Where element `i` of kernel row `y` of output channel `o` is.
pub(super) fn index(rows: usize, row: usize, [o, y, i]: [usize; 3]) -> usize {
    let quads = row.div_ceil(4);
    let group = o / GROUP * (1 + rows * quads);
    (group + 1 + y * quads + i / 4) * BLOCK + o % GROUP * 4 + i % 4
}

/// What a channel's sum begins with beside its bias: the number stored for channel `o` of all `weights`.
#[inline]
pub fn folded(weights: &[i8], group_bytes: usize, o: usize) -> i32 {
    let start = o / GROUP * group_bytes + o % GROUP * 4;
    let number = weights.get(start..).and_then(|rest| rest.first_chunk::<4>());
    number.map_or(0, |bytes| i32::from_le_bytes(bytes.map(|byte| byte as u8)))
}

/// The number to be stored: -128 times the sum of the weights of channel number `lane` of a group.
fn fold(taps: &[i8], lane: usize) -> i32 {
    let blocks = taps.chunks_exact(BLOCK).filter_map(|block| block.get(lane * 4..lane * 4 + 4));
    blocks.flatten().fold(0i32, |sum, weight| sum.wrapping_sub(i32::from(*weight) << 7))
}

/// Stores the numbers of all groups.
#[cfg(feature = "writer")]
pub(super) fn store(weights: &mut [i8], group_bytes: usize) {
    for group in weights.chunks_exact_mut(group_bytes.max(BLOCK)) {
        let (head, taps) = group.split_at_mut(BLOCK);
        for (lane, place) in head.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            *place = fold(taps, lane).to_le_bytes().map(|byte| byte as i8);
        }
    }
}

/// Whether the numbers stored belong to the weights.
pub(crate) fn is_consistent(weights: &[i8], rows: usize, row: usize) -> bool {
    let Some(bytes) = group_bytes(rows, row) else { return false };
    weights.chunks_exact(bytes.max(BLOCK)).all(|group| {
        let taps = group.get(BLOCK..).unwrap_or(&[]);
        (0..GROUP).all(|lane| folded(group, bytes, lane) == fold(taps, lane))
    })
}
