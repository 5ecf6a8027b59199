//! The format to write when you have none: `frames.csv` with the columns `path` (relative to the folder) and `angle`
//! (or any other number, as the label), with or without a header line. A `SPLIT.csv` of the same shape is a split.

use std::path::Path;

use super::super::options::LoadOptions;
use super::super::record::{Record, Source, label};
use super::super::split;
use super::super::table::Table;
use super::no_side_cameras;
use crate::{Error, ErrorKind, Result};

pub fn read(folder: &Path, options: &LoadOptions) -> Result<(Vec<Record>, String)> {
    if options.side_correction.is_some() {
        return Err(no_side_cameras(folder));
    }
    let own_split = options.split.as_ref().map(|name| folder.join(format!("{name}.csv"))).filter(|path| path.is_file());
    let path = own_split.clone().unwrap_or_else(|| folder.join("frames.csv"));
    let table = Table::read(&path, |first| {
        let is_data = first.len() == 2 && first.get(1).is_some_and(|cell| cell.parse::<f64>().is_ok());
        is_data.then(|| vec!["path".to_string(), "angle".to_string()])
    })?
    .filled()?;
    let name = options.label.as_deref().unwrap_or("angle");
    let columns = (table.column("path")?, table.column(name)?);
    let record = |row: usize| {
        let place = table.place(row);
        let file = table.text(row, columns.0);
        if file.is_empty() {
            return Err(Error::new(ErrorKind::BadRow, place, "column `path` is empty"));
        }
        let label = label(&place, name, table.number(row, columns.1, "a number")?, options.label_scale)?;
        Ok(Record { label, center: Source::File(folder.join(file)), sides: None, place })
    };
    let rows = match own_split {
        Some(_) => (0..table.len()).collect(),
        None => split::derive(folder, table.len(), options.split.as_deref())?,
    };
    Ok((rows.into_iter().map(record).collect::<Result<_>>()?, name.to_string()))
}
