//! Packed data: a table `SPLIT.csv` for each split, told from other tables by a column of its own.

use std::path::Path;

use super::formats::file_names;
use super::labelled::no_split;
use super::table::header_of;
use crate::Result;

/// The splits of a folder of packed data.
pub struct Tables<'f> {
    folder: &'f Path,
    /// Names and columns.
    splits: Vec<(String, Vec<String>)>,
}

impl<'f> Tables<'f> {
    /// The tables in `folder` that have the column `own`.
    pub fn of(folder: &'f Path, own: &str) -> Result<Self> {
        let files = file_names(folder)?;
        let names = files.iter().filter_map(|file| file.strip_suffix(".csv"));
        let tables = names.map(|name| (name.to_string(), header_of(&folder.join(format!("{name}.csv")))));
        Ok(Self { folder, splits: tables.filter(|(_, columns)| columns.iter().any(|column| column == own)).collect() })
    }

    /// The splits to read: the one that is `wanted`, else all. What a table of that name lacks is for its reader to say.
    ///
    /// # Errors
    /// No such table.
    pub fn chosen(&self, wanted: Option<&str>) -> Result<Vec<String>> {
        let there: Vec<String> = self.splits.iter().map(|(name, _)| name.clone()).collect();
        match wanted {
            None => Ok(there),
            Some(name) if self.folder.join(format!("{name}.csv")).is_file() => Ok(vec![name.to_string()]),
            Some(name) => Err(no_split(self.folder, name, &there)),
        }
    }

    /// The first of `candidates` that every split has, so that one column is read in all of them.
    pub fn common_column<'c>(&self, candidates: &[&'c str]) -> Option<&'c str> {
        let has = |columns: &[String], name: &str| columns.iter().any(|column| column == name);
        candidates.iter().copied().find(|name| self.splits.iter().all(|(_, columns)| has(columns, name)))
    }
}
