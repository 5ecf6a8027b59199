//! `history.csv`: one row per epoch.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Result, files};

/// One epoch of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EpochRow {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Mean loss over the epoch's batches, with augmentation and dropout.
    pub train_loss: f64,
    /// Loss on the validation samples; empty when there are none.
    pub val_loss: Option<f64>,
    /// Mean absolute error on the validation samples; empty when there are none, or classes.
    pub val_mae: Option<f64>,
    /// Share of the validation samples whose class is found, 0 to 1; empty when there are none, or numbers.
    #[serde(default)]
    pub val_accuracy: Option<f64>,
    /// Learning rate of the last step.
    pub lr: f64,
    /// Training samples per second.
    pub samples_per_s: f64,
}

/// Reads a history. Errors name the row.
pub fn read(path: &Path) -> Result<Vec<EpochRow>> {
    let broken = |e: csv::Error| Error::new(ErrorKind::BadFile, path.display(), format!("not a training history: {e}"));
    csv::Reader::from_path(path).map_err(broken)?.deserialize().map(|row| row.map_err(broken)).collect()
}

/// Replaces a history.
pub fn write(path: &Path, rows: &[EpochRow]) -> Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |e: &dyn std::fmt::Display| Error::new(ErrorKind::Write, path.display(), e);
    for row in rows {
        writer.serialize(row).map_err(|e| failed(&e))?;
    }
    files::write(path, &writer.into_inner().map_err(|e| failed(&e))?)
}
