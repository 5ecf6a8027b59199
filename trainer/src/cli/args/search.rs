//! Options of a search: those of a training and its own.

use super::super::values;
use super::TrainArgs;
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

/// Heading of what `ackermann search` adds to `ackermann train`.
const SEARCH: &str = "Search";

/// Ways to choose trials by name.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum StrategyName {
    /// Where good trials lie denser than others (tree-structured Parzen estimator), after ten at random.
    Tpe,
    /// Successive halving: all train for few epochs, the best go on.
    Halving,
    /// At random.
    Random,
}

/// What a search is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectiveName {
    /// Lowest validation loss.
    Loss,
    /// Lowest mean absolute error on the validation data.
    Mae,
    /// Highest accuracy on the validation data.
    Accuracy,
}

/// `ackermann search`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ackermann search --data drives/lake --epochs 20 --trials 30 --space lr=log:1e-4..1e-2 --space batch=16,32,64 --out searches/lake
  ackermann search --data drives/lake --epochs 27 --trials 40 --strategy halving --space space.toml --out searches/lake
  ackermann search --data mnist --net lenet --objective accuracy --space optimizer=adam,sgd --space lr=log:1e-4..0.1 --out searches/mnist
  ackermann search --resume --out searches/lake

Whatever `ackermann train` takes can be searched; docs/training.md says more.")]
pub struct SearchArgs {
    /// What to search, more than once: 0..0.5, log:1e-4..1e-2, int:1..8 or 16,32,64; or a .toml or .json file of such.
    #[arg(long, help_heading = SEARCH, value_name = "OPTION=VALUES", required_unless_present = "resume", conflicts_with = "resume")]
    pub space: Vec<String>,
    /// How trials are chosen.
    #[arg(long, help_heading = SEARCH, value_enum, default_value = "tpe", conflicts_with = "resume")]
    pub strategy: StrategyName,
    /// How many trials.
    #[arg(long, help_heading = SEARCH, default_value_t = 20, value_name = "N", value_parser = values::trials(), conflicts_with = "resume")]
    pub trials: usize,
    /// One in so many trials goes on at each rung of halving.
    #[arg(long, help_heading = SEARCH, default_value_t = 3, value_name = "N", value_parser = values::eta(), conflicts_with = "resume")]
    pub eta: usize,
    /// What the best trial has.
    #[arg(long, help_heading = SEARCH, value_enum, default_value = "loss", conflicts_with = "resume")]
    pub objective: ObjectiveName,
    /// What every trial has.
    #[command(flatten)]
    pub train: TrainArgs,
}
