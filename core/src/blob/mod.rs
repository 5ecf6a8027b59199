//! The blob: the file that carries a network from the trainer to a board. `docs/blob-format.md` is normative.
//!
//! Everything is little-endian and 16-byte aligned, and is used where it lies (flash, a file in memory): no copy is made.
//! `format` names the bytes, [`Model`](crate::Model) checks them, `write` makes them (hosts only).

#[cfg(feature = "writer")]
mod aligned;
mod checksum;
#[cfg(feature = "writer")]
mod encode;
pub mod format;
#[cfg(feature = "writer")]
mod general;
mod layout;
mod metadata;
#[cfg(feature = "writer")]
mod pack;
mod quads;
mod received;
#[cfg(feature = "writer")]
mod recurrent;
#[cfg(feature = "writer")]
mod unpack;
#[cfg(feature = "writer")]
mod weights;
#[cfg(feature = "writer")]
pub mod write;
pub mod x86;

pub use checksum::verify_checksum;
pub use format::{Activation, Channel, Element, Place, Rounding, Scaling, Tensor, WideChannel, Window};
pub use layout::Layout;
pub use metadata::{Metadata, keys};
pub use quads::Quads;
pub use received::received;
#[cfg(feature = "writer")]
pub use {aligned::AlignedBytes, general::GeneralSpec, general::LayerNormSpec, layout::Target, unpack::repack};

/// Alignment of blobs, sections, constants, tensors and scratch, in bytes.
pub const ALIGNMENT: usize = 16;

/// The arena a blob asks for, in bytes, readable at compile time:
/// `static ARENA: Arena<{ arena_bytes(MODEL) }>`. 0 when `blob` is no blob of this version.
pub const fn arena_bytes(blob: &[u8]) -> usize {
    match blob {
        [b'A', b'C', b'K', b'M', 2, 0, _, _, _, _, _, _, _, _, _, _, a, b, c, d, ..] => {
            u32::from_le_bytes([*a, *b, *c, *d]) as usize
        }
        _ => 0,
    }
}
