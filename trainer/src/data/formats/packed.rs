//! Packed frames: `SPLIT.csv` has, for each camera, the byte range of every JPEG in `SPLIT-CAMERA.mjpeg`, a plain
//! concatenation. Few files, quick to copy and to read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::options::LoadOptions;
use super::super::record::{Record, Source, label};
use super::super::table::Table;
use super::super::tables::Tables;
use super::no_side_cameras;
use crate::{Error, ErrorKind, Result};

/// Column that tells these tables from others.
pub const OFFSET: &str = "center_offset";
/// Columns that the label is looked for in, in this order.
const LABELS: [&str; 2] = ["steering_smooth", "steering"];

pub fn read(folder: &Path, options: &LoadOptions) -> Result<(Vec<Record>, String)> {
    let tables = Tables::of(folder, OFFSET)?;
    let name = options.label.as_deref().or(tables.common_column(&LABELS)).unwrap_or(LABELS[1]);
    let mut records = Vec::new();
    for split in tables.chosen(options.split.as_deref())? {
        records.extend(read_split(folder, &split, name, options)?);
    }
    Ok((records, name.to_string()))
}

fn read_split(folder: &Path, split: &str, name: &str, options: &LoadOptions) -> Result<Vec<Record>> {
    let table = Table::read(&folder.join(format!("{split}.csv")), |_| None)?.filled()?;
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
    (0..table.len()).map(record).collect()
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
