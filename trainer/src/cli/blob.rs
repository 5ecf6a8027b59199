//! Blobs as files.

use crate::{Error, Result};
use ackermann_core::blob::AlignedBytes;
use std::path::Path;

/// The bytes of a blob file, aligned as the loader wants them.
pub fn read_blob(path: &Path) -> Result<AlignedBytes> {
    let bytes = std::fs::read(path).map_err(|error| Error::reading(path, &error))?;
    Ok(AlignedBytes::copy_of(&bytes))
}
