//! A CSV file whose every complaint names file, row and column.

use std::path::{Path, PathBuf};

use crate::{Error, ErrorKind, Result};

/// A table in memory: header and rows of cells.
pub struct Table {
    path: PathBuf,
    header: Vec<String>,
    /// Line number in the file, cells.
    rows: Vec<(u64, csv::StringRecord)>,
}

impl Table {
    /// Reads `path`; its first line is the header unless `no_header` says that it is data and names the columns.
    ///
    /// # Errors
    /// A file that cannot be read, is not UTF-8, or has rows of different lengths.
    pub fn read(path: &Path, no_header: impl Fn(&csv::StringRecord) -> Option<Vec<String>>) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|error| Error::reading(path, &error))?;
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(&bytes[..]);
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| {
                let line = error.position().map_or(0, csv::Position::line);
                Error::new(ErrorKind::BadRow, format!("{}:{line}", path.display()), format!("is not CSV text: {error}"))
            })?;
            rows.push((record.position().map_or(0, csv::Position::line), record));
        }
        let first = rows.first().ok_or_else(|| Error::new(ErrorKind::BadFile, path.display(), "is empty"))?;
        let header = match no_header(&first.1) {
            Some(names) => names,
            None => rows.remove(0).1.iter().map(|name| name.trim_start_matches('\u{feff}').to_string()).collect(),
        };
        let table = Self { path: path.to_owned(), header, rows };
        for (index, (_, cells)) in table.rows.iter().enumerate() {
            if cells.len() != table.header.len() {
                let message = format!("has {} cells, the table has {} columns", cells.len(), table.header.len());
                return Err(Error::new(ErrorKind::BadRow, table.place(index), message));
            }
        }
        Ok(table)
    }

    /// The table, if it has rows of data.
    ///
    /// # Errors
    /// A header and nothing else.
    pub fn filled(self) -> Result<Self> {
        match self.rows.as_slice() {
            [] => Err(Error::new(ErrorKind::BadFile, self.path.display(), "has no rows below its header")),
            _ => Ok(self),
        }
    }

    /// How many rows of data.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// `file:line` of row `index`.
    pub fn place(&self, index: usize) -> String {
        format!("{}:{}", self.path.display(), self.rows.get(index).map_or(0, |row| row.0))
    }

    /// Whether there is a column `name`.
    pub fn has(&self, name: &str) -> bool {
        self.header.iter().any(|column| column == name)
    }

    /// Number of column `name`.
    ///
    /// # Errors
    /// No such column; the message lists those that there are.
    pub fn column(&self, name: &str) -> Result<usize> {
        self.header.iter().position(|column| column == name).ok_or_else(|| {
            let message = format!("has no column `{name}`; its columns are {}", self.header.join(", "));
            Error::new(ErrorKind::BadFile, self.path.display(), message)
        })
    }

    /// Text of a cell.
    pub fn text(&self, row: usize, column: usize) -> &str {
        self.rows.get(row).and_then(|(_, cells)| cells.get(column)).unwrap_or_default()
    }

    /// A cell as a number (`what` it must be is for the message).
    ///
    /// # Errors
    /// A cell that does not parse.
    pub fn number<T: std::str::FromStr>(&self, row: usize, column: usize, what: &str) -> Result<T> {
        let cell = self.text(row, column);
        cell.parse().map_err(|_| {
            let name = self.header.get(column).map_or("", String::as_str);
            Error::new(ErrorKind::BadRow, self.place(row), format!("column `{name}` is `{}`, not {what}", shown(cell)))
        })
    }
}

/// The beginning of a cell, safe to print.
fn shown(cell: &str) -> String {
    cell.chars().take(40).flat_map(char::escape_debug).collect()
}

/// Columns of the first line of `path`; none where it cannot be read.
pub fn header_of(path: &Path) -> Vec<String> {
    let Ok(file) = std::fs::File::open(path) else { return Vec::new() };
    let mut line = Vec::new();
    let mut head = std::io::Read::take(std::io::BufReader::new(file), 1 << 16);
    let _ = std::io::BufRead::read_until(&mut head, b'\n', &mut line);
    String::from_utf8_lossy(&line)
        .trim_start_matches('\u{feff}')
        .split(',')
        .map(|name| name.trim().to_string())
        .collect()
}
