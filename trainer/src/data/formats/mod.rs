//! The layouts that recordings come in, one file each, and which one a folder has.

mod donkey;
mod packed;
mod plain;
mod udacity;

use std::fs;
use std::path::Path;

use super::labelled::{self, FileKind, packed_sounds};
use super::options::LoadOptions;
use super::record::Record;
use super::table;
use crate::{Error, ErrorKind, Result};

/// Layout of a data folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// `SPLIT.csv` with byte ranges into `SPLIT-CAMERA.mjpeg`.
    Packed,
    /// `driving_log.csv` and `IMG/` of the Udacity simulator.
    Udacity,
    /// Donkeycar tub of `record_N.json` files.
    TubV1,
    /// Donkeycar tub of a `manifest.json` and catalogs.
    TubV2,
    /// `frames.csv`: path, angle.
    Plain,
    /// A folder of pictures for each class.
    PictureFolders,
    /// MNIST's `SPLIT-images-idx3-ubyte` and `SPLIT-labels-idx1-ubyte`.
    Idx,
    /// WAV files in a folder for each class, or with the class in their names.
    Wav,
    /// `SPLIT.csv` with ranges of samples in `SPLIT.s16le`.
    PackedSounds,
    /// `SPLIT.tsv`: text, tab, class.
    Texts,
    /// `x.npy` and `y.npy`.
    Arrays,
}

impl Format {
    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Packed => "packed frames",
            Self::Udacity => "Udacity driving log",
            Self::TubV1 => "donkeycar tub v1",
            Self::TubV2 => "donkeycar tub v2",
            Self::Plain => "frames.csv",
            Self::PictureFolders => "folders of pictures",
            Self::Idx => "IDX files",
            Self::Wav => "WAV files",
            Self::PackedSounds => "packed recordings of sound",
            Self::Texts => "texts (tsv)",
            Self::Arrays => "arrays (npy)",
        }
    }

    /// Whether it is recorded driving: frames with steering.
    pub fn is_driving(self) -> bool {
        matches!(self, Self::Packed | Self::Udacity | Self::TubV1 | Self::TubV2 | Self::Plain)
    }

    /// Finds out what `folder` holds.
    ///
    /// # Errors
    /// A folder that is not there, or that has none of the files that would tell.
    pub fn detect(folder: &Path) -> Result<Self> {
        if folder.is_file() {
            let message = "is a file; name the folder that it is in";
            return Err(Error::new(ErrorKind::BadFile, folder.display(), message));
        }
        let names = file_names(folder)?;
        let has = |name: &str| names.iter().any(|n| n == name);
        let csv_with = |wanted: fn(&str) -> bool| {
            let mut tables = names.iter().filter(|name| name.ends_with(".csv"));
            tables.any(|name| table::header_of(&folder.join(name)).iter().any(|column| wanted(column)))
        };
        if has("driving_log.csv") {
            Ok(Self::Udacity)
        } else if has("manifest.json") {
            Ok(Self::TubV2)
        } else if names.iter().any(|name| donkey::record_number(name).is_some()) {
            Ok(Self::TubV1)
        } else if csv_with(|column| column == packed::OFFSET)
            || names.iter().any(|name| name.ends_with("-center.mjpeg"))
        {
            Ok(Self::Packed)
        } else if has("frames.csv") || csv_with(|column| column == "path") {
            Ok(Self::Plain)
        } else if csv_with(|column| column == packed_sounds::OFFSET) {
            Ok(Self::PackedSounds)
        } else if labelled::is_idx(&names) {
            Ok(Self::Idx)
        } else if labelled::is_arrays(folder, &names) {
            Ok(Self::Arrays)
        } else if names.iter().any(|name| name.ends_with(".tsv")) {
            Ok(Self::Texts)
        } else if names.iter().any(|name| FileKind::SOUNDS.fits(name)) || labelled::holds(folder, FileKind::SOUNDS) {
            Ok(Self::Wav)
        } else if labelled::holds(folder, FileKind::PICTURES) {
            Ok(Self::PictureFolders)
        } else {
            let message = "holds no data that is known: looked for driving (SPLIT.csv with SPLIT-center.mjpeg, driving_log.csv, \
                           manifest.json, record_N.json, frames.csv), CLASS/*.png or *.jpg, CLASS/*.wav, SPLIT.csv with SPLIT.s16le, \
                           SPLIT-images-idx3-ubyte, SPLIT.tsv and x.npy with y.npy";
            Err(Error::new(ErrorKind::BadFile, folder.display(), message))
        }
    }

    /// The records of `folder`, and the column that their labels are from.
    pub(super) fn read(self, folder: &Path, options: &LoadOptions) -> Result<(Vec<Record>, String)> {
        match self {
            Self::Packed => packed::read(folder, options),
            Self::Udacity => udacity::read(folder, options),
            Self::TubV1 => donkey::read_v1(folder, options),
            Self::TubV2 => donkey::read_v2(folder, options),
            Self::Plain => plain::read(folder, options),
            other => {
                let message = format!("holds {}; recorded driving is needed here", other.name());
                Err(Error::new(ErrorKind::Usage, folder.display(), message))
            }
        }
    }
}

/// Names of the files in `folder`, sorted.
pub fn file_names(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).map_err(|error| Error::reading(folder, &error))?;
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

/// The complaint about side cameras where there are none.
fn no_side_cameras(folder: &Path) -> Error {
    let message = "has one camera only; leave the side correction out";
    Error::new(ErrorKind::Usage, folder.display(), message)
}
