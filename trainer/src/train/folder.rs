//! The folder of a run: its configuration, whether it can go on, what must go before another run takes its place.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::TrainConfig;
use super::checkpoint::Position;
use crate::nn::Network;
use crate::{Error, ErrorKind, Result};

/// What `config.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunConfig {
    /// What is trained.
    pub network: Network,
    /// How.
    pub train: TrainConfig,
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

/// Removes what an earlier run left in `dir`: nobody shall go on with its checkpoint under the new settings.
pub(super) fn remove_old(dir: &Path) -> Result<()> {
    for path in ["last.safetensors", "best.safetensors", "history.csv"].map(|name| dir.join(name)) {
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::writing(&path, &e)),
            _ => {}
        }
    }
    Ok(())
}

/// Whether the run in `dir` can go on with the configuration `own` (text of a `config.json`).
pub(super) fn check_resumable(dir: &Path, own: &str, position: &Position, samples: usize) -> Result<()> {
    let path = dir.join("config.json");
    let saved = std::fs::read_to_string(&path).map_err(|e| Error::reading(&path, &e))?;
    let place = dir.display();
    if saved != own {
        let message = "was made with other settings (see its config.json); resume with the same ones, or start anew";
        return Err(Error::usage(place, message));
    }
    if position.samples != samples {
        let message = format!("was made on {} training samples, now there are {samples}", position.samples);
        return Err(Error::usage(place, message));
    }
    Ok(())
}
