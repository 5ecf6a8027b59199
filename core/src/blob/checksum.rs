//! The blob's CRC-32: whether it is the blob that was written. Apart from [`Model::load`](crate::Model::load), which keeps a
//! board safe from any bytes and reads only a small part of them, this reads every byte: once wherever a blob arrives.

use super::ALIGNMENT;
use super::format::CRC;
use crate::LoadError;

/// Byte of the header at which the CRC stands.
const AT: usize = 12;

/// Whether `blob` arrived as it was written: the CRC-32 in its header is that of its bytes 16 to the end.
///
/// Guards against damage and cuts, not against malice. `blob` may lie at any address.
///
/// # Errors
/// [`LoadError::TooShort`] without a CRC to compare with, [`LoadError::BadChecksum`] when it does not match.
pub fn verify_checksum(blob: &[u8]) -> Result<(), LoadError> {
    let (head, covered) = blob.split_at_checked(ALIGNMENT).ok_or(LoadError::TooShort)?;
    let stated = head.get(AT..).and_then(|bytes| bytes.first_chunk()).ok_or(LoadError::TooShort)?;
    if CRC.checksum(covered) == u32::from_le_bytes(*stated) { Ok(()) } else { Err(LoadError::BadChecksum) }
}
