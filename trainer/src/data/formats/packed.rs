//! Packed frames: `SPLIT.csv` has, for each camera, the byte range of every JPEG in `SPLIT-CAMERA.mjpeg`, a plain
//! concatenation. Few files, quick to copy and to read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::options::LoadOptions;
use super::super::record::{Record, Source, label};
use super::super::table::{Table, header_of};
use super::{file_names, no_side_cameras};
use crate::{Error, ErrorKind, Result};

pub fn read(folder: &Path, options: &LoadOptions) -> Result<(Vec<Record>, String)> {
    let mut splits: Vec<String> = file_names(folder)?
        .iter()
        .filter_map(|name| name.strip_suffix(".csv"))
        .filter(|name| header_of(&folder.join(format!("{name}.csv"))).iter().any(|column| column == "center_offset"))
        .map(String::from)
        .collect();
    if let Some(wanted) = &options.split {
        if !splits.contains(wanted) {
            let message = format!("has no split `{wanted}`; its splits are {}", splits.join(", "));
            return Err(Error::new(ErrorKind::MissingFile, folder.display(), message));
        }
        splits.retain(|name| name == wanted);
    }
    let mut records = Vec::new();
    let mut column = String::new();
    for split in splits {
        let (more, name) = read_split(folder, &split, options)?;
        records.extend(more);
        column = name;
    }
    Ok((records, column))
}

fn read_split(folder: &Path, split: &str, options: &LoadOptions) -> Result<(Vec<Record>, String)> {
    let table = Table::read(&folder.join(format!("{split}.csv")), |_| None)?;
    let default = if table.has("steering_smooth") { "steering_smooth" } else { "steering" };
    let name = options.label.as_deref().unwrap_or(default);
    let label_column = table.column(name)?;
    let center = Camera::open(folder, split, &table, "center")?;
    let sides = match options.side_correction {
        None => None,
        Some(_) if !table.has("left_offset") => return Err(no_side_cameras(folder)),
        Some(_) => Some((Camera::open(folder, split, &table, "left")?, Camera::open(folder, split, &table, "right")?)),
    };
    let record = |row: usize| {
        let place = table.place(row);
        Ok(Record {
            label: label(&place, name, table.number(row, label_column, "a number")?, options.label_scale)?,
            center: center.source(&table, row)?,
            sides: match &sides {
                Some((left, right)) => Some((left.source(&table, row)?, right.source(&table, row)?)),
                None => None,
            },
            place,
        })
    };
    Ok(((0..table.len()).map(record).collect::<Result<_>>()?, name.to_string()))
}

/// One camera's container and its columns.
struct Camera {
    container: Arc<(PathBuf, Vec<u8>)>,
    offset: usize,
    length: usize,
}

impl Camera {
    fn open(folder: &Path, split: &str, table: &Table, camera: &str) -> Result<Self> {
        let offset = table.column(&format!("{camera}_offset"))?;
        let length = table.column(&format!("{camera}_len"))?;
        let path = folder.join(format!("{split}-{camera}.mjpeg"));
        let bytes = std::fs::read(&path).map_err(|error| Error::reading(&path, &error))?;
        Ok(Self { container: Arc::new((path, bytes)), offset, length })
    }

    fn source(&self, table: &Table, row: usize) -> Result<Source> {
        let offset: usize = table.number(row, self.offset, "a byte offset")?;
        let length: usize = table.number(row, self.length, "a byte count")?;
        let (path, bytes) = &*self.container;
        match offset.checked_add(length) {
            Some(end) if end <= bytes.len() => Ok(Source::Bytes(self.container.clone(), offset..end)),
            _ => {
                let message = format!(
                    "names bytes {offset} to {offset}+{length} of {}, which has {}; the copy is not complete",
                    path.display(),
                    bytes.len()
                );
                Err(Error::new(ErrorKind::BadRow, table.place(row), message))
            }
        }
    }
}
