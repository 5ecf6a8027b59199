//! The layouts that recordings come in, one file each, and which one a folder has.

mod donkey;
mod packed;
mod plain;
mod udacity;

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::options::LoadOptions;
use super::record::Record;
use super::table;
use crate::{Error, ErrorKind, Result};

/// Layout of a data folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
        }
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
        } else if csv_with(|column| column == "center_offset") {
            Ok(Self::Packed)
        } else if has("frames.csv") || csv_with(|column| column == "path") {
            Ok(Self::Plain)
        } else {
            let message = "holds no recording: looked for SPLIT.csv with SPLIT-center.mjpeg, driving_log.csv, \
                           manifest.json, record_N.json and frames.csv";
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
        }
    }
}

/// Names of the files in `folder`, sorted.
fn file_names(folder: &Path) -> Result<Vec<String>> {
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
