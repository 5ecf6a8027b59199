//! What a run begins with: drawn values, or those of another network (transfer learning).

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::TrainConfig;
use super::checkpoint::load_params;
use super::stepper::check_frozen;
use super::{BEST, read_config};
use crate::graph::Params;
use crate::nn::{Initializer, Mode, Network};
use crate::{Error, ErrorKind, Result, exchange};

/// Trained parameters to begin with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// Where they are.
    pub weights: Weights,
    /// Whether the last dense layer is drawn anew; it may have another size there.
    pub fresh_head: bool,
}

/// A place of trained parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weights {
    /// The best ones of a run folder.
    Run(PathBuf),
    /// A safetensors file with PyTorch's names and layouts.
    Pytorch(PathBuf),
}

/// The parameters that a run of `network` begins with.
///
/// # Errors
/// Files that cannot be read; a parameter that is missing there or has another shape.
pub fn parameters(network: &Network, seed: u64, initializer: Initializer, start: Option<&Start>) -> Result<Params> {
    let drawn = network.init_as(seed, initializer)?;
    let Some(start) = start else { return Ok(drawn) };
    let head = if start.fresh_head { Some(network.head()?) } else { None };
    let is_head = |name: &str| head.as_ref().is_some_and(|head| name.starts_with(&format!("{head}.")));
    let trained = match &start.weights {
        Weights::Pytorch(path) => exchange::load_all_but(path, network, head.as_deref())?,
        Weights::Run(run) => of_run(run)?,
    };
    let mut params = drawn;
    for param in params.entries_mut().iter_mut().filter(|param| !is_head(&param.name)) {
        let message = match trained.get(&param.name) {
            Some(other) if other.shape == param.shape => {
                param.data.clone_from(&other.data);
                continue;
            }
            Some(other) => format!("has shape {}, in {} {}", param.shape, start.weights.path().display(), other.shape),
            None => format!("is not in {}", start.weights.path().display()),
        };
        return Err(Error::new(ErrorKind::Shape, &param.name, message));
    }
    Ok(params)
}

/// Whether a run of `network` could begin with these settings: asked for before anything is written.
///
/// # Errors
/// Trained parameters that are not there or not of the network, patterns that freeze nothing or everything.
pub fn check(network: &Network, config: &TrainConfig) -> Result<()> {
    let built = network.build_frozen(1, Mode::Train { seed: config.seed }, &config.freeze)?;
    check_frozen(network, &config.freeze, &built)?;
    parameters(network, config.seed, config.initializer, config.start.as_ref()).map(drop)
}

fn of_run(run: &Path) -> Result<Params> {
    load_params(&run.join(BEST), &read_config(run)?.network)
}

impl Weights {
    /// The folder or file.
    pub fn path(&self) -> &Path {
        match self {
            Self::Run(path) | Self::Pytorch(path) => path,
        }
    }
}

#[cfg(test)]
mod tests;
