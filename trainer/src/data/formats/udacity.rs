//! The Udacity simulator's recordings: `driving_log.csv` (with or without a header line) and images in `IMG/`. The cells
//! hold the paths of the machine that recorded, so only their file names count.

use std::path::Path;

use super::super::options::LoadOptions;
use super::super::record::{Record, Source, label};
use super::super::split;
use super::super::table::Table;
use crate::{Error, ErrorKind, Result};

const COLUMNS: [&str; 7] = ["center", "left", "right", "steering", "throttle", "brake", "speed"];

pub fn read(folder: &Path, options: &LoadOptions) -> Result<(Vec<Record>, String)> {
    let table = Table::read(&folder.join("driving_log.csv"), |first| {
        let is_header = first.get(0).is_some_and(|cell| cell.eq_ignore_ascii_case("center"));
        (!is_header).then(|| COLUMNS.map(String::from).to_vec())
    })?;
    let name = options.label.as_deref().unwrap_or("steering");
    let columns = (table.column("center")?, table.column("left")?, table.column("right")?, table.column(name)?);
    let image = |row, column| {
        let cell = table.text(row, column);
        match cell.rsplit(['/', '\\']).next() {
            Some(name) if !name.is_empty() => Ok(Source::File(folder.join("IMG").join(name))),
            _ => Err(Error::new(ErrorKind::BadRow, table.place(row), format!("`{cell}` does not name an image"))),
        }
    };
    let record = |row: usize| {
        let place = table.place(row);
        Ok(Record {
            label: label(&place, name, table.number(row, columns.3, "a number")?, options.label_scale)?,
            center: image(row, columns.0)?,
            sides: match options.side_correction {
                Some(_) => Some((image(row, columns.1)?, image(row, columns.2)?)),
                None => None,
            },
            place,
        })
    };
    let rows = split::derive(folder, table.len(), options.split.as_deref())?;
    Ok((rows.into_iter().map(record).collect::<Result<_>>()?, name.to_string()))
}
