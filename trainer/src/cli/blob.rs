//! What the commands ask of a blob.

use crate::{Error, ErrorKind, Result};
use ackermann_core::Model;
use std::path::Path;

/// Height, width and channels of the frames that a network takes.
pub fn frame_size(model: &Model<'_>, path: &Path) -> Result<[usize; 3]> {
    match model.input(0).map(|tensor| tensor.shape()) {
        Some([1, height, width, 3]) => Ok([*height as usize, *width as usize, 3]),
        _ => {
            let message = "does not take one RGB frame, so it cannot steer by camera";
            Err(Error::new(ErrorKind::Shape, path.display(), message))
        }
    }
}
