//! Readers of samples that come with a class or numbers: pictures, sounds, texts, arrays. One file each.
//!
//! All of them take the numbers of classes and words from the training data and refuse what that does not have.

mod arrays;
mod folders;
pub mod idx;
pub mod packed_sounds;
mod pictures;
mod texts;
pub mod wav;

pub use arrays::is_arrays;
pub use folders::Kind as FileKind;
pub use folders::holds;
pub use idx::is_idx;

use std::path::Path;

use super::classes::Classes;
use super::dataset::Dataset;
use super::encoding::Encoding;
use super::formats::Format;
use super::load::Watch;
use super::vocabulary::Extras;
use crate::{Error, ErrorKind, Result};

/// What to read.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// The split; `None` is everything.
    pub split: Option<String>,
    /// Height, width and channels (1 or 3) that picture files are made into.
    pub picture: [usize; 3],
    /// Column of the class, for tables; `None` takes the format's own.
    pub label: Option<String>,
    /// Numbers of classes and words, where training has fixed them.
    pub encoding: Option<Encoding>,
    /// Words in a text; `None` is those of the longest one.
    pub length: Option<usize>,
    /// What follows each word of a text.
    pub extras: Extras,
    /// Leave picture files where they are until a batch asks for them.
    pub stream: bool,
}

/// Reads a split of `folder`, which is of `format` (not one of recorded driving).
///
/// # Errors
/// The first thing that cannot be used: file, row, column.
pub fn read(folder: &Path, format: Format, options: &ReadOptions, watch: Watch<'_>) -> Result<Dataset> {
    match format {
        Format::PictureFolders => pictures::read(folder, options, watch),
        Format::Idx => idx::read(folder, options),
        Format::Wav => wav::read(folder, options),
        Format::PackedSounds => packed_sounds::read(folder, options),
        Format::Texts => texts::read(folder, options),
        Format::Arrays => arrays::read(folder, options),
        other => Err(Error::new(ErrorKind::Usage, folder.display(), format!("holds {}", other.name()))),
    }
}

/// The classes that training fixed, or those `found` in the data.
fn classes(folder: &Path, options: &ReadOptions, found: impl FnOnce() -> Classes) -> Result<Classes> {
    match &options.encoding {
        Some(encoding) if !encoding.classes.is_empty() => Ok(encoding.classes.clone()),
        _ => {
            let classes = found();
            classes.check(folder)?;
            Ok(classes)
        }
    }
}

/// Numbers of the classes of samples, given as (place, name).
fn numbers<'a, P: std::fmt::Display>(
    classes: &Classes,
    samples: impl Iterator<Item = (P, &'a str)>,
) -> Result<Vec<f32>> {
    samples.map(|(place, name)| classes.number(name, &place).map(|number| number as f32)).collect()
}

/// The complaint about a split that a folder does not have.
pub fn no_split(folder: &Path, wanted: &str, there: &[String]) -> Error {
    let message = match there {
        [] => format!("has no split `{wanted}`"),
        there => format!("has no split `{wanted}`; its splits are {}", there.join(", ")),
    };
    Error::new(ErrorKind::MissingFile, folder.display(), message)
}
