//! The folder of a run: its configuration, whether it can go on, what must go before another run takes its place.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::TrainConfig;
use super::checkpoint::{Position, save_params};
use crate::graph::Params;
use crate::nn::Network;
use crate::{Error, ErrorKind, Result, files};

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
    save_params(&run.join("best.safetensors"), params)?;
    files::write(&run.join("config.json"), text.as_bytes())
}

impl RunConfig {
    /// The text of `config.json` in the folder `run`.
    pub(super) fn text(&self, run: &Path) -> Result<String> {
        serde_json::to_string_pretty(self).map_err(|e| Error::new(ErrorKind::Internal, run.display(), e))
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
    let old = ["last.safetensors", "best.safetensors", "history.csv", "report.html"];
    old.iter().try_for_each(|name| files::remove(&dir.join(name)))
}

/// Whether the run in `dir` can go on with the configuration `own`. What is trained in int8 afterwards is no part of it.
pub(super) fn check_resumable(dir: &Path, own: &RunConfig, position: &Position, samples: usize) -> Result<()> {
    let mut saved = read_config(dir)?;
    saved.train.qat = own.train.qat;
    let place = dir.display();
    if saved != *own {
        let message = "was made with other settings (see its config.json); resume with the same ones, or start anew";
        return Err(Error::usage(place, message));
    }
    if position.samples != samples {
        let message = format!("was made on {} training samples, now there are {samples}", position.samples);
        return Err(Error::usage(place, message));
    }
    Ok(())
}
