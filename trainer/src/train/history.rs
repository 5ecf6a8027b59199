//! `history.csv`: one row per epoch.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Metrics;
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

impl EpochRow {
    /// An epoch measured by `metrics`; there are none where nothing is validated.
    pub fn new(epoch: usize, train_loss: f64, metrics: Option<Metrics>, lr: f64, samples_per_s: f64) -> Self {
        Self {
            epoch,
            train_loss,
            val_loss: metrics.map(|metrics| metrics.loss),
            val_mae: metrics.and_then(|metrics| metrics.mae),
            val_accuracy: metrics.and_then(|metrics| metrics.accuracy),
            lr,
            samples_per_s,
        }
    }

    /// How good an epoch is, the lower the better: the validation loss (training loss where there is no validation); for classes how many of
    /// the `samples` of the validation are wrong, epochs with equally many told apart by the loss.
    pub fn score(&self, samples: usize) -> f64 {
        let loss = self.val_loss.unwrap_or(self.train_loss);
        let wrong = self.val_accuracy.map(|accuracy| ((1.0 - accuracy) * samples as f64).round());
        wrong.map_or(loss, |wrong| wrong + loss / (1.0 + loss))
    }
}

/// Reads the first `epochs` rows of a history; a run that was killed may have written one more.
///
/// # Errors
/// A row that is missing, out of order or no row of a history; its line is named.
pub fn read(path: &Path, epochs: usize) -> Result<Vec<EpochRow>> {
    let bytes = std::fs::read(path).map_err(|e| Error::reading(path, &e))?;
    let mut rows = csv::Reader::from_reader(&bytes[..]).into_deserialize::<EpochRow>();
    let row = |epoch: usize| {
        let message = match rows.next() {
            Some(Ok(row)) if row.epoch == epoch => return Ok(row),
            Some(Ok(row)) => format!("is of epoch {}", row.epoch),
            Some(Err(error)) => format!("is no row of a training history ({error})"),
            None => "is missing".into(),
        };
        let place = format!("{}:{}", path.display(), epoch + 1);
        let message =
            format!("{message} where epoch {epoch} of {epochs} belongs; bring back the file, or start the run anew");
        Err(Error::new(ErrorKind::BadRow, place, message))
    };
    (1..=epochs).map(row).collect()
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
