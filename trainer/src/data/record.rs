//! What every reader makes of its folder: one record per moment, with its images still encoded.

use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use crate::{Error, ErrorKind, Result};

/// Where an encoded image is.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A file of its own.
    File(PathBuf),
    /// Bytes of a container that is in memory; the path is for messages. The range lies inside.
    Bytes(Arc<(PathBuf, Vec<u8>)>, Range<usize>),
}

impl Source {
    /// Hands the encoded bytes to `use_bytes`.
    pub(super) fn with_bytes<T>(&self, place: &str, use_bytes: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
        match self {
            Self::Bytes(container, range) => use_bytes(container.1.get(range.clone()).unwrap_or_default()),
            Self::File(path) => match fs::read(path) {
                Ok(bytes) => use_bytes(&bytes),
                Err(error) => {
                    let place = format!("{place}: {}", path.display());
                    Err(Error { place, ..Error::reading(path, &error) })
                }
            },
        }
    }

    /// What to call the image in a message.
    pub(super) fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Bytes(container, range) => format!("{} bytes {range:?}", container.0.display()),
        }
    }
}

/// One moment of a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// `file:row` that it came from.
    pub place: String,
    /// Normalized steering, -1 (full left) to 1 (full right).
    pub label: f32,
    /// The image of the centre (or only) camera.
    pub center: Source,
    /// The images of the left and right cameras, where they were asked for.
    pub sides: Option<(Source, Source)>,
}

/// A label from a cell: scaled, finite, within [-1, 1].
pub(super) fn label(place: &str, column: &str, value: f64, scale: f32) -> Result<f32> {
    let scaled = value as f32 * scale;
    if !scaled.is_finite() {
        return Err(Error::new(ErrorKind::BadRow, place, format!("column `{column}` is {value}; it must be finite")));
    }
    if scaled.abs() > 1.0 {
        let message =
            format!("column `{column}` is {value}, outside of -1..1 after scaling by {scale}; set the label scale");
        return Err(Error::new(ErrorKind::BadRow, place, message));
    }
    Ok(scaled)
}
