//! Blobs as files.

use crate::{Error, ErrorKind, Result};
use ackermann_core::blob::AlignedBytes;
use ackermann_core::{LoadError, Model};
use std::path::Path;

/// The bytes of a blob file, aligned as the loader wants them.
pub fn read_blob(path: &Path) -> Result<AlignedBytes> {
    let bytes = std::fs::read(path).map_err(|error| Error::reading(path, &error))?;
    Ok(AlignedBytes::copy_of(&bytes))
}

/// The loader's refusal of a file.
pub fn refused(path: &Path, error: LoadError) -> Error {
    Error::new(ErrorKind::BadBlob, path.display(), error)
}

/// Height and width of the frames that a network takes.
pub fn frame_size(model: &Model<'_>, path: &Path) -> Result<(usize, usize)> {
    match model.input(0).map(|tensor| tensor.shape()) {
        Some([1, height, width, 3]) => Ok((*height as usize, *width as usize)),
        _ => Err(Error::new(ErrorKind::Shape, path.display(), "does not take one RGB frame, so it cannot steer by camera")),
    }
}
