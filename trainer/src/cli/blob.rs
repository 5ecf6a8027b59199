//! What the commands ask of a blob.

use crate::report::format;
use crate::{Error, ErrorKind, Result};
use ackermann_core::Model;
use std::path::Path;

/// Height, width and channels of the frames that a steering network takes.
pub fn frame_size(model: &Model<'_>, path: &Path) -> Result<[usize; 3]> {
    let outputs = model.output(0).map(|tensor| tensor.shape().iter().map(|&d| d as usize).product::<usize>());
    match (model.input(0).map(|tensor| tensor.shape()), outputs) {
        (Some([1, height, width, 3]), Some(1)) => Ok([*height as usize, *width as usize, 3]),
        (input, _) => {
            let (input, outputs) = (input.unwrap_or_default(), outputs.unwrap_or(0));
            let message = format!(
                "is no steering network: it takes {input:?} and gives {outputs} numbers, not one RGB frame and one number"
            );
            Err(Error::new(ErrorKind::Shape, path.display(), message))
        }
    }
}

/// The arena's size, and how much of it another plan could save at most.
pub fn arena(bytes: usize, lower_bound: usize) -> String {
    let size = format::bytes(bytes as u64);
    match bytes.saturating_sub(lower_bound) {
        0 => format!("{size} (no plan needs less)"),
        saved => format!("{size} (no plan saves more than {})", format::bytes(saved as u64)),
    }
}
