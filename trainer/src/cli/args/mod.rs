//! What can be typed: every command, option and example, in a file per kind of command.

mod drive;
mod exchange;
mod measure;
mod quantize;
mod search;
mod train;

pub use drive::{BenchArgs, DriveArgs, FlashArgs, MainArgs, TemporalArgs};
pub use exchange::{ExportArgs, ImportArgs, ImportWeightsArgs, LayoutName, RoundingName};
pub use measure::{EvalArgs, InspectArgs, OperatorsArgs, RecipeArgs, RunArgs};
pub use quantize::{ObserverName, QuantizeArgs};
pub use search::{ObjectiveName, SearchArgs, StrategyName};
pub use train::{DescentArgs, LossName, OptimizerName, ScheduleName, TrainArgs};

use super::values;
use clap::{Args, Parser, Subcommand};

/// int8 neural networks on automotive-style boards: train, quantize, flash, drive.
///
/// Without a command it does the main job: simulate, train, quantize, export, drive, report.
#[derive(Debug, Parser)]
#[command(name = "ackermann", version, after_help = EXAMPLES)]
pub struct Cli {
    /// Options of the main job.
    #[command(flatten)]
    pub main: MainArgs,
    /// What to do instead of the main job.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
}

const EXAMPLES: &str = "\
Examples:
  ackermann                                      simulate, train, quantize, drive and report, no data and no board needed
  ackermann train --net pilotnet --data drives/lake --out runs/lake
  ackermann quantize runs/lake --calibrate drives/lake --out lake.ackm
  ackermann eval runs/lake lake.ackm --data drives/lake
  ackermann drive lake.ackm --board mps2-an500 --track 7
  ackermann bench lake.ackm --board mps2-an386 --json
  ackermann recipe mnist --data data/mnist           digits: train, quantize and measure, one command";

/// Options that every command takes.
#[derive(Debug, Args)]
pub struct Global {
    /// Print one JSON object on the last line of standard output; errors as an object on standard error.
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress bars.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Threads to use; results do not depend on it. Default: one per core.
    #[arg(long, global = true, value_name = "N", value_parser = values::threads())]
    pub threads: Option<usize>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a network on recorded or simulated driving, pictures, sounds, texts or arrays.
    Train(Box<TrainArgs>),
    /// Train many times to find good settings: by chance, successive halving or TPE.
    Search(Box<SearchArgs>),
    /// Turn a trained network into an int8 blob.
    Quantize(QuantizeArgs),
    /// Turn a network from another tool into a blob.
    Import(ImportArgs),
    /// Write a trained network for other tools: PyTorch's weights, ONNX.
    Export(ExportArgs),
    /// Make a run folder from a network and weights of PyTorch.
    ImportWeights(ImportWeightsArgs),
    /// Show layers, shapes, memory, and which boards a network fits.
    Inspect(InspectArgs),
    /// Run a blob on the host or on a board, which give the same bytes.
    Run(RunArgs),
    /// Measure a network's error or accuracy on data, float beside int8.
    Eval(EvalArgs),
    /// Train, quantize and measure a network for one of the usual data sets; without a name: list them.
    Recipe(RecipeArgs),
    /// Drive the simulator closed loop, a board in the loop if asked.
    Drive(DriveArgs),
    /// Train a network that remembers and one that does not on blinded cameras, and let both drive.
    Temporal(TemporalArgs),
    /// Count a board's instructions for one inference, by layer.
    Bench(BenchArgs),
    /// Build a board's image with a blob in it, write it and start it.
    Flash(FlashArgs),
    /// List the operators: which elements they take, which machines have kernels for them.
    Operators(OperatorsArgs),
    /// List the boards: what is supported, how it runs, what is attached.
    #[command(after_help = "Examples:\n  ackermann boards\n  ackermann boards --json")]
    Boards,
    /// Print a shell's completion script.
    #[command(
        after_help = "Examples:\n  ackermann completions bash > ~/.local/share/bash-completion/completions/ackermann"
    )]
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}
