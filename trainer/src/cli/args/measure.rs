//! Options of commands that look at networks and measure them.

use super::super::values;
use crate::data::Window;
use clap::Args;
use std::path::PathBuf;

/// Which recorded frames, and how to read them.
#[derive(Debug, Clone, Args)]
pub struct DataArgs {
    /// Folder of recorded driving, pictures, MNIST files, sounds, texts or arrays (docs/data.md); `sim` records the simulator.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Column of the label. Default: steering_smooth where all splits have it, else steering (what the run was trained on, for a run).
    #[arg(long, value_name = "COLUMN")]
    pub label: Option<String>,
    /// Factor from the column to normalized steering, -1 to 1: 0.04 for degrees of 25 degrees full scale. Default: 1.
    #[arg(long, allow_negative_numbers = true, value_name = "FACTOR")]
    pub label_scale: Option<f32>,
    /// Part of each image to use, FIRST..LAST rows or ROWS,COLUMNS, ends included (of a 160x120 tub: 40..119).
    #[arg(long, value_name = "ROWS[,COLUMNS]")]
    pub crop: Option<Window>,
}

/// `ackermann operators`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  ackermann operators\n  ackermann operators --json")]
pub struct OperatorsArgs {
    /// Print the table as it stands in README.md.
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
}

/// `ackermann inspect`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  ackermann inspect\n  ackermann inspect lake.ackm\n  ackermann inspect pilotnet --json"
)]
pub struct InspectArgs {
    /// A blob, a run folder, or a network by name or .json file. Default: list the named networks.
    pub model: Option<String>,
}

/// `ackermann run`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ackermann run lake.ackm --input x.npy --output y.npy
  ackermann run lake.ackm --board mps3-an547 --input x.npy --output y.npy")]
pub struct RunArgs {
    /// The blob.
    pub model: PathBuf,
    /// Input samples (any batch): NHWC .npy of int8, uint8 (pixels), float32, int16 or int32, as the network takes; .npz for several inputs.
    #[arg(long, value_name = "FILE")]
    pub input: PathBuf,
    /// Outputs: .npy in the network's elements; for several outputs .npz.
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
    /// Where the network runs: host, or a board's name.
    #[arg(long, default_value = "host", value_name = "NAME")]
    pub board: String,
    /// Keep the network's state from sample to sample: they are one sequence. Else it forgets before each.
    #[arg(long)]
    pub keep_state: bool,
}

/// `ackermann eval`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ackermann eval runs/lake --data drives/lake
  ackermann eval runs/mnist mnist.ackm --data mnist
  ackermann eval runs/lake lake.ackm --data drives/lake --label steering")]
pub struct EvalArgs {
    /// A run folder (float), a blob (int8), or both.
    #[arg(required = true, num_args = 1..=2)]
    pub models: Vec<PathBuf>,
    /// What to measure on.
    #[command(flatten)]
    pub data: DataArgs,
    /// Split to measure on.
    #[arg(long, default_value = "val", value_name = "NAME")]
    pub split: String,
}

/// `ackermann recipe`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ackermann recipe
  ackermann recipe mnist --data data/mnist
  ackermann recipe udacity --out runs/lake --seed 2 --json

A recipe is a `train`, a `quantize` and an `eval`, which it prints. Stopped, it goes on when it is called again.")]
pub struct RecipeArgs {
    /// Which one.
    pub name: Option<String>,
    /// Folder of its data. Default: the data set's name in ./data or ../shared/data.
    #[arg(long, value_name = "DIR", requires = "name")]
    pub data: Option<PathBuf>,
    /// Folder for the run, the blob and the report. Default: runs/NAME.
    #[arg(long, value_name = "RUN", requires = "name")]
    pub out: Option<PathBuf>,
    /// Seed of initial weights, shuffling and augmentation.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Passes over the data instead of the recipe's.
    #[arg(long, value_name = "N", value_parser = values::count(), requires = "name")]
    pub epochs: Option<usize>,
    /// Start anew even if --out holds a run, which is lost.
    #[arg(long, requires = "name")]
    pub overwrite: bool,
}
