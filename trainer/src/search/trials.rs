//! `trials.csv`: a row per trial and rung, written anew after each.

use std::path::{Path, PathBuf};

use super::Space;
use crate::{Error, ErrorKind, Result, files};

/// Columns before the settings and after them.
const FIRST: [&str; 2] = ["trial", "rung"];
const LAST: [&str; 5] = ["status", "score", "epochs", "best_epoch", "seconds"];

/// How a trial did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// The best value of what is sought so far.
    pub score: std::result::Result<f64, Failure>,
    /// Epochs trained.
    pub epochs: usize,
    /// Epoch of the best value, from 1.
    pub best_epoch: usize,
    /// Seconds that it took, in the session that finished it.
    pub seconds: f64,
}

/// Why a trial has no score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Its loss or weights became infinite or NaN.
    Diverged,
    /// Its settings do not go together.
    Refused,
}

impl Failure {
    /// As tables name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Diverged => "diverged",
            Self::Refused => "refused",
        }
    }
}

/// A trial at a rung.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Number of the trial, from 0.
    pub trial: usize,
    /// Number of the rung, from 0; always 0 but in successive halving.
    pub rung: usize,
    /// Value of each setting, in the order of the space.
    pub values: Vec<String>,
    /// How it did.
    pub outcome: Outcome,
}

/// All results so far, on disk and in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Trials {
    path: PathBuf,
    header: Vec<String>,
    rows: Vec<Row>,
}

impl Trials {
    /// The table of a search in `folder`; what is there is read if `resume`. Errors name the row that cannot be used.
    pub fn open(folder: &Path, space: &Space, resume: bool) -> Result<Self> {
        let names = space.0.iter().map(|parameter| parameter.name.clone());
        let header = FIRST.map(String::from).into_iter().chain(names).chain(LAST.map(String::from)).collect();
        let mut trials = Self { path: folder.join("trials.csv"), header, rows: Vec::new() };
        files::remove_partial(folder);
        if resume && trials.path.exists() {
            trials.read()?;
        }
        Ok(trials)
    }

    /// The rows, in the order they were finished.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The result of a trial at a rung, if it is there.
    pub fn find(&self, trial: usize, rung: usize) -> Option<&Row> {
        self.rows.iter().find(|row| (row.trial, row.rung) == (trial, rung))
    }

    /// Adds a row and writes the table.
    pub fn push(&mut self, row: Row) -> Result<()> {
        self.rows.push(row);
        let mut writer = csv::Writer::from_writer(Vec::new());
        let failed = |e: &dyn std::fmt::Display| Error::new(ErrorKind::Write, self.path.display(), e);
        writer.write_record(&self.header).map_err(|e| failed(&e))?;
        for row in &self.rows {
            writer.write_record(row.cells()).map_err(|e| failed(&e))?;
        }
        files::write(&self.path, &writer.into_inner().map_err(|e| failed(&e))?)
    }

    fn read(&mut self) -> Result<()> {
        let broken =
            |e: csv::Error| Error::new(ErrorKind::BadFile, self.path.display(), format!("not a table of trials: {e}"));
        let mut reader = csv::Reader::from_path(&self.path).map_err(broken)?;
        if reader.headers().map_err(broken)?.iter().ne(&self.header) {
            let message = format!("has other columns than {}; it is of another search", self.header.join(", "));
            return Err(Error::new(ErrorKind::BadFile, self.path.display(), message));
        }
        for (at, record) in reader.records().enumerate() {
            let record = record.map_err(broken)?;
            let row = Row::of(&record).ok_or_else(|| {
                let place = format!("{}:{}", self.path.display(), at + 2);
                Error::new(
                    ErrorKind::BadRow,
                    place,
                    "is not a result of a trial; remove the row, the trial is run again",
                )
            })?;
            self.rows.push(row);
        }
        Ok(())
    }
}

impl Row {
    fn cells(&self) -> Vec<String> {
        let Outcome { score, epochs, best_epoch, seconds } = self.outcome;
        let status = score.map_or_else(Failure::name, |_| "done");
        let last = [status.into(), score.map_or_else(|_| String::new(), |s| s.to_string()), epochs.to_string()];
        let last = last.into_iter().chain([best_epoch.to_string(), format!("{seconds:.1}")]);
        let first = [self.trial.to_string(), self.rung.to_string()];
        first.into_iter().chain(self.values.iter().cloned()).chain(last).collect()
    }

    fn of(record: &csv::StringRecord) -> Option<Self> {
        let cells: Vec<&str> = record.iter().collect();
        let ([trial, rung], rest) = cells.split_first_chunk()?;
        let (values, [status, score, epochs, best_epoch, seconds]) = rest.split_last_chunk()?;
        let score = match *status {
            "done" => Ok(score.parse().ok().filter(|score: &f64| score.is_finite())?),
            status => {
                Err([Failure::Diverged, Failure::Refused].into_iter().find(|failure| failure.name() == status)?)
            }
        };
        let (epochs, best_epoch) = (epochs.parse().ok()?, best_epoch.parse().ok()?);
        let outcome = Outcome { score, epochs, best_epoch, seconds: seconds.parse().ok()? };
        let values = values.iter().map(|value| value.to_string()).collect();
        Some(Self { trial: trial.parse().ok()?, rung: rung.parse().ok()?, values, outcome })
    }
}
