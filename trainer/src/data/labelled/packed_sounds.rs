//! Packed recordings: `SPLIT.csv` has, for each one, its class and where it lies in `SPLIT.s16le`, which is nothing but signed 16-bit
//! little-endian samples: `offset_samples`, `n_samples`. The rate is 8000 samples per second unless a column `rate` says otherwise.

use std::path::Path;

use super::{ReadOptions, classes, numbers, wav};
use crate::data::classes::Classes;
use crate::data::dataset::{Content, Dataset};
use crate::data::encoding::Encoding;
use crate::data::samples::Target;
use crate::data::sounds::Sounds;
use crate::data::table::Table;
use crate::data::tables::Tables;
use crate::{Error, ErrorKind, Result};

/// Column that tells these tables from others.
pub const OFFSET: &str = "offset_samples";
/// Columns that a class is looked for in, in this order.
const LABELS: [&str; 4] = ["label", "class", "digit", "word"];
const RATE: u32 = 8000;

pub fn read(folder: &Path, options: &ReadOptions) -> Result<Dataset> {
    let tables = Tables::of(folder, OFFSET)?;
    let label = options.label.as_deref().or(tables.common_column(&LABELS)).unwrap_or(LABELS[0]);
    let mut all = Packed { rate: None, samples: Vec::new(), clips: Vec::new(), names: Vec::new() };
    for split in tables.chosen(options.split.as_deref())? {
        all.append(folder, &split, label)?;
    }
    let classes = classes(folder, options, || Classes::of(all.names.iter().map(|(_, name)| name.as_str())))?;
    let targets = numbers(&classes, all.names.iter().map(|(place, name)| (place, name.as_str())))?;
    Ok(Dataset {
        content: Content::Sounds(Sounds::new(all.rate.unwrap_or(RATE), all.samples, all.clips)),
        target: Target::Class(classes.len()),
        targets,
        encoding: Encoding { classes, ..Encoding::default() },
    })
}

struct Packed {
    rate: Option<u32>,
    samples: Vec<i16>,
    clips: Vec<std::ops::Range<usize>>,
    /// Place in the table and class.
    names: Vec<(String, String)>,
}

impl Packed {
    fn append(&mut self, folder: &Path, split: &str, label: &str) -> Result<()> {
        let table = Table::read(&folder.join(format!("{split}.csv")), |_| None)?.filled()?;
        let label = table.column(label)?;
        let (offset, length) = (table.column(OFFSET)?, table.column("n_samples")?);
        let path = folder.join(format!("{split}.s16le"));
        let bytes = std::fs::read(&path).map_err(|error| Error::reading(&path, &error))?;
        let (pairs, rest) = bytes.as_chunks::<2>();
        if !rest.is_empty() {
            let message = "has an odd number of bytes, samples have two each; the copy is not complete";
            return Err(Error::new(ErrorKind::BadFile, path.display(), message));
        }
        let first = self.samples.len();
        for row in 0..table.len() {
            let wrong = |message: String| Err(Error::new(ErrorKind::BadRow, table.place(row), message));
            let begin: usize = table.number(row, offset, "a number of samples")?;
            let count: usize = table.number(row, length, "a number of samples")?;
            match begin.checked_add(count) {
                Some(end) if end <= pairs.len() && count > 0 => self.clips.push(first + begin..first + end),
                Some(end) if end <= pairs.len() => {
                    return wrong("column `n_samples` is 0; a recording needs some".into());
                }
                _ => {
                    let (path, there) = (path.display(), pairs.len());
                    return wrong(format!(
                        "names samples {begin} to {begin}+{count} of {path}, which has {there}; the copy is not complete"
                    ));
                }
            }
            self.check_rate(&table, row)?;
            self.names.push((table.place(row), table.text(row, label).to_string()));
        }
        self.samples.extend(pairs.iter().map(|pair| i16::from_le_bytes(*pair)));
        Ok(())
    }

    fn check_rate(&mut self, table: &Table, row: usize) -> Result<()> {
        let rate = if table.has("rate") { table.number(row, table.column("rate")?, "a sample rate")? } else { RATE };
        let wrong = |message: String| Err(Error::new(ErrorKind::BadRow, table.place(row), message));
        if !wav::RATES.contains(&rate) {
            return wrong(format!(
                "column `rate` is {rate}; {} to {} can be read",
                wav::RATES.start(),
                wav::RATES.end()
            ));
        }
        match *self.rate.get_or_insert(rate) {
            common if common != rate => {
                wrong(format!("column `rate` is {rate}, in the rows before it is {common}; resample one of them"))
            }
            _ => Ok(()),
        }
    }
}
