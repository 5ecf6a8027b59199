//! The folder of a run: its configuration, whether it can go on, what must go before another run takes its place.

use std::path::Path;

use ackermann_core::blob::format::CRC;
use serde::{Deserialize, Serialize};

use super::TrainConfig;
use super::checkpoint::{Position, save_params};
use crate::graph::Params;
use crate::nn::Network;
use crate::{Error, ErrorKind, Result, files};

/// File of a run folder that a run can go on from.
pub const LAST: &str = "last.safetensors";
/// File of a run folder with the weights to use.
pub const BEST: &str = "best.safetensors";

/// What `config.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunConfig {
    /// What is trained.
    pub network: Network,
    /// How.
    pub train: TrainConfig,
}

/// Writes a run folder with `params`, as if they had been trained: something to begin another run with, to quantize or to export.
///
/// # Errors
/// A folder that cannot be written.
pub fn save_network(run: &Path, config: &RunConfig, params: &Params) -> Result<()> {
    let text = config.text(run)?;
    save_params(&run.join(BEST), params)?;
    files::write(&run.join("config.json"), text.as_bytes())
}

impl RunConfig {
    /// The text of `config.json` in the folder `run`.
    pub(super) fn text(&self, run: &Path) -> Result<String> {
        serde_json::to_string_pretty(self).map_err(|e| Error::new(ErrorKind::Internal, run.display(), e))
    }

    /// CRC-32 of what decides the run.
    pub(super) fn digest(&self, run: &Path) -> Result<u32> {
        let train = TrainConfig { qat: None, ..self.train.clone() };
        let text = Self { network: self.network.clone(), train }.text(run)?;
        Ok(CRC.checksum(text.as_bytes()))
    }
}

/// Reads `config.json` of a run folder.
pub fn read_config(run: &Path) -> Result<RunConfig> {
    let path = run.join("config.json");
    let bytes = std::fs::read(&path).map_err(|e| Error::reading(&path, &e))?;
    let wrong = |e: &dyn std::fmt::Display| {
        Error::new(ErrorKind::BadFile, path.display(), format!("is not the configuration of a run: {e}"))
    };
    let config: RunConfig = serde_json::from_slice(&bytes).map_err(|e| wrong(&e))?;
    config.network.check_size().map_err(|e| wrong(&e))?;
    Ok(config)
}

/// Removes what an earlier run left in `dir`: nobody shall go on with its checkpoint under the new settings, or take its report for theirs.
pub(super) fn remove_old(dir: &Path) -> Result<()> {
    let old = [LAST, BEST, "history.csv", "report.html"];
    old.iter().try_for_each(|name| files::remove(&dir.join(name)))
}

/// Whether the run in `dir`, which stands at `saved`, can go on with the configuration `own` from a `start` like this one. What is trained in
/// int8 afterwards is no part of it.
pub(super) fn check_resumable(dir: &Path, own: &RunConfig, saved: &Position, start: &Position) -> Result<()> {
    let mut written = read_config(dir)?;
    written.train.qat = own.train.qat;
    let other = |saved: Option<u32>, now: Option<u32>| saved.is_some_and(|saved| Some(saved) != now);
    let message = if written != *own {
        "was made with other settings (see its config.json); resume with the same ones, or start anew".into()
    } else if other(saved.config, start.config) {
        "its config.json was changed since the run was stopped; undo that, or start anew".into()
    } else if saved.samples != start.samples {
        format!("was made on {} training samples, now there are {}", saved.samples, start.samples)
    } else if other(saved.data, start.data) {
        "was made on other training data: their shape or their labels are no longer the same".into()
    } else {
        return Ok(());
    };
    Err(Error::usage(dir.display(), message))
}
