//! The training run: epochs, checkpoints, resume.
//!
//! A run lives in a folder: `config.json` (network and settings), `last.safetensors` (parameters, optimizer, position:
//! a resumed run is bit-equal to an uninterrupted one), `best.safetensors` (parameters of the best validation) and
//! `history.csv`. Every file is replaced at once, so a crash leaves the last good one. `events.out.tfevents.*` are for
//! TensorBoard; they grow, and nothing reads them.

mod batch;
mod checkpoint;
mod config;
mod evaluate;
mod events;
mod fit;
mod folder;
mod history;
mod loss;
mod observer;
mod predict;
mod sequential;
mod start;
mod stepper;

#[cfg(test)]
mod tests;

pub(crate) use batch::{Augmentation, Batch, Batches};
pub use checkpoint::{load_params, save_params};
pub use config::TrainConfig;
pub use evaluate::{Metrics, confusion_matrix, evaluate, measure, predictions};
pub(crate) use fit::check_samples;
pub use fit::{Summary, fit};
pub use folder::{BEST, LAST, RunConfig, read_config, save_network};
pub use history::EpochRow;
pub use loss::Loss;
pub use observer::{Observer, StepReport};
pub use predict::Predictor;
pub use sequential::{Sequential, sequential};
pub use start::{Start, Weights, check as check_start};
