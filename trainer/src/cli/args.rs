//! What can be typed: every command, option and example in one place.

use super::recording::SIM_FRAMES;
use super::values;
use crate::data::Window;
use crate::nn::Initializer;
use crate::quant::Observer;
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

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
    Boards,
    /// Print a shell's completion script.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// Options of the main job.
#[derive(Debug, Args)]
pub struct MainArgs {
    /// Network to train: micro, pilotnet, or a .json file of one that sees frames.
    #[arg(long, default_value = "micro", value_name = "NET")]
    pub net: String,
    /// Seed of everything: roads, weather, initial weights, shuffling.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Frames to record from the expert driver.
    #[arg(long, default_value_t = SIM_FRAMES, value_name = "N", value_parser = values::frames())]
    pub frames: usize,
    /// Passes over the recorded frames.
    #[arg(long, default_value_t = 12, value_name = "N", value_parser = values::count())]
    pub epochs: usize,
    /// Unseen tracks to drive.
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = values::count())]
    pub tracks: usize,
    /// Simulated seconds on each track.
    #[arg(long, default_value_t = 120.0, value_name = "S", allow_negative_numbers = true, value_parser = values::seconds)]
    pub seconds: f32,
    /// Folder for the run, the blob and the report.
    #[arg(long, default_value = "runs/main", value_name = "DIR")]
    pub out: PathBuf,
}

/// Which recorded frames, and how to read them.
#[derive(Debug, Clone, Args)]
pub struct DataArgs {
    /// Folder of recorded driving, pictures, MNIST files, sounds, texts or arrays (docs/data.md); `sim` records the simulator.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Column of the label. Default: steering_smooth where there is one, else steering (what the run was trained on, for a run).
    #[arg(long, value_name = "COLUMN")]
    pub label: Option<String>,
    /// Factor from the column to normalized steering, -1 to 1: 0.04 for degrees of 25 degrees full scale. Default: 1.
    #[arg(long, allow_negative_numbers = true, value_name = "FACTOR")]
    pub label_scale: Option<f32>,
    /// Part of each image to use, FIRST..LAST rows or ROWS,COLUMNS, ends included (of a 160x120 tub: 40..119).
    #[arg(long, value_name = "ROWS[,COLUMNS]")]
    pub crop: Option<Window>,
}

/// Optimizers by name.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum OptimizerName {
    /// Adam.
    Adam,
    /// Adam with decoupled weight decay.
    #[value(name = "adamw")]
    AdamW,
    /// Stochastic gradient descent with momentum.
    Sgd,
    /// RMSProp.
    #[value(name = "rmsprop")]
    RmsProp,
}

/// Learning-rate schedules by name.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ScheduleName {
    /// The same all the way.
    Constant,
    /// Multiplied by --drop-factor after every --drop-every epochs.
    Step,
    /// Half a cosine down to a hundredth.
    Cosine,
    /// Up from a 25th in the first 30 % of the steps, then down to nearly nothing.
    OneCycle,
}

/// Losses by name.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum LossName {
    /// Mean squared error, of numbers.
    Mse,
    /// Mean absolute error, of numbers.
    Mae,
    /// Huber, of numbers: quadratic near zero, linear beyond.
    Huber,
    /// Cross-entropy of classes.
    CrossEntropy,
    /// Binary cross-entropy: of two classes told apart by one output, or of numbers from 0 to 1.
    BinaryCrossEntropy,
}

/// Rule of the update and of its learning rate.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = RULE)]
pub struct DescentArgs {
    /// Optimizer, with PyTorch's constants.
    #[arg(long, value_enum, default_value = "adam")]
    pub optimizer: OptimizerName,
    /// How much of the last direction is kept, 0 to below 1: with sgd (default: 0.9) and rmsprop (default: 0).
    #[arg(long, allow_negative_numbers = true, value_name = "SHARE")]
    pub momentum: Option<f64>,
    /// Nesterov's momentum, with sgd.
    #[arg(long)]
    pub nesterov: bool,
    /// Learning-rate schedule.
    #[arg(long, value_enum, default_value = "cosine")]
    pub schedule: ScheduleName,
    /// Epochs of a linear rise of the rate before the schedule begins. Default: 0.5 with cosine, else 0.
    #[arg(long, allow_negative_numbers = true, value_name = "EPOCHS")]
    pub warmup: Option<f64>,
    /// Epochs between the drops of the step schedule. Default: a third of all.
    #[arg(long, value_name = "N", value_parser = values::count())]
    pub drop_every: Option<usize>,
    /// Factor of each drop of the step schedule.
    #[arg(long, default_value_t = 0.1, allow_negative_numbers = true, value_name = "FACTOR")]
    pub drop_factor: f64,
    /// Weight decay: an L2 penalty, decoupled from the gradient with adamw. Default: 0.01 with adamw, else 0.
    #[arg(long, allow_negative_numbers = true, value_name = "DECAY")]
    pub weight_decay: Option<f64>,
    /// Scale gradients with a larger norm down to this one.
    #[arg(long, allow_negative_numbers = true, value_name = "NORM")]
    pub clip: Option<f64>,
    /// Cut each gradient off at plus and minus this.
    #[arg(long, allow_negative_numbers = true, value_name = "VALUE")]
    pub clip_value: Option<f64>,
    /// Validate and keep an exponential moving average of the weights with this decay, for example 0.999.
    #[arg(long, allow_negative_numbers = true, value_name = "DECAY")]
    pub ema: Option<f64>,
}

/// Headings of `ackermann train --help`.
const NETWORK: &str = "Network";
const DATA: &str = "Data";
const TRAINING: &str = "Training";
const RULE: &str = "Optimizer and learning rate";
const RUN: &str = "Run";
/// What `ackermann search` adds to them.
const SEARCH: &str = "Search";

/// `ackermann train`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ackermann train --net pilotnet --data drives/lake --out runs/lake
  ackermann train --net micro --data drives/mountain --side-correction 0.04 --epochs 40 --out runs/mountain
  ackermann train --net micro --data sim --out runs/sim
  ackermann train --net micro-lstm --data sim --glare --blackout --out runs/memory
  ackermann train --net lenet --data mnist --smoothing 0.05 --out runs/mnist
  ackermann train --net lstm --data speech-digits --clip 1 --out runs/digits
  ackermann train --net text --data reviews --out runs/reviews
  ackermann train --from runs/lake --freeze 'conv*' --head 1 --data drives/mountain --out runs/mountain
  ackermann train --out runs/lake --resume")]
pub struct TrainArgs {
    /// Network: pilotnet, micro, lenet, resnet8, lstm, text, ... or a .json file. Input and outputs become those of the data.
    #[arg(long, help_heading = NETWORK, default_value = "micro", value_name = "NET")]
    pub net: String,
    /// Folder of recorded driving, pictures, MNIST files, sounds, texts or arrays (docs/data.md); `sim` records the simulator.
    #[arg(long, help_heading = DATA, value_name = "DIR", required_unless_present = "resume")]
    pub data: Option<PathBuf>,
    /// Frames that `--data sim` records.
    #[arg(long, help_heading = DATA, default_value_t = SIM_FRAMES, value_name = "N", value_parser = values::frames())]
    pub frames: usize,
    /// `--data sim`: a low sun dazzles the camera wherever the road leads towards it.
    #[arg(long, help_heading = DATA)]
    pub glare: bool,
    /// `--data sim`: the camera goes black for 3 to 15 frames, a second apart on average.
    #[arg(long, help_heading = DATA)]
    pub blackout: bool,
    /// Column of the label. Default: steering_smooth where there is one, else steering.
    #[arg(long, help_heading = DATA, value_name = "COLUMN")]
    pub label: Option<String>,
    /// Factor from the column to normalized steering, -1 to 1: 0.04 for degrees of 25 degrees full scale. Default: 1.
    #[arg(long, help_heading = DATA, allow_negative_numbers = true, value_name = "FACTOR")]
    pub label_scale: Option<f32>,
    /// Part of each image to use, FIRST..LAST rows or ROWS,COLUMNS, ends included (of a 160x120 tub: 40..119).
    #[arg(long, help_heading = DATA, value_name = "ROWS[,COLUMNS]")]
    pub crop: Option<Window>,
    /// Split to train on.
    #[arg(long, help_heading = DATA, default_value = "train", value_name = "NAME")]
    pub split: String,
    /// Split to validate on after every epoch.
    #[arg(long, help_heading = DATA, default_value = "val", value_name = "NAME")]
    pub val_split: String,
    /// Also use the left and right cameras, their label corrected by this much towards the centre.
    #[arg(long, help_heading = DATA, allow_negative_numbers = true, value_name = "C")]
    pub side_correction: Option<f32>,
    /// Share of frames with a label near zero to leave out, 0 to 1.
    #[arg(long, help_heading = DATA, default_value_t = 0.0, allow_negative_numbers = true, value_name = "SHARE")]
    pub drop_straight: f32,
    /// Run folder: checkpoints, history, configuration.
    #[arg(long, help_heading = RUN, value_name = "RUN")]
    pub out: PathBuf,
    /// Passes over the data.
    #[arg(long, help_heading = TRAINING, default_value_t = 40, value_name = "N", value_parser = values::count())]
    pub epochs: usize,
    /// Samples in a step.
    #[arg(long, help_heading = TRAINING, default_value_t = 32, value_name = "N", value_parser = values::count())]
    pub batch: usize,
    /// Learning rate at its highest.
    #[arg(long, help_heading = RULE, default_value_t = 1e-3, allow_negative_numbers = true, value_name = "RATE")]
    pub lr: f64,
    /// Rule of the update and of its learning rate.
    #[command(flatten)]
    pub descent: DescentArgs,
    /// Loss. Default: huber for numbers, cross-entropy for classes.
    #[arg(long, help_heading = TRAINING, value_enum)]
    pub loss: Option<LossName>,
    /// Share of each target that cross-entropy spreads over all classes.
    #[arg(long, help_heading = TRAINING, default_value_t = 0.0, allow_negative_numbers = true, value_name = "SHARE")]
    pub smoothing: f64,
    /// Where the Huber loss turns from a parabola into a line; small values fit the median, as the MAE asks for.
    #[arg(long, help_heading = TRAINING, default_value_t = 0.02, allow_negative_numbers = true, value_name = "DELTA")]
    pub huber_delta: f64,
    /// Stop after this many epochs without a better validation loss.
    #[arg(long, help_heading = TRAINING, value_name = "N")]
    pub patience: Option<usize>,
    /// Seed of initial weights, shuffling and augmentation.
    #[arg(long, help_heading = TRAINING, default_value_t = 1)]
    pub seed: u64,
    /// Rate of all dropout layers. Default: those of the network.
    #[arg(long, help_heading = NETWORK, allow_negative_numbers = true, value_name = "RATE")]
    pub dropout: Option<f64>,
    /// How weights begin.
    #[arg(long, help_heading = NETWORK, value_enum, default_value = "layer", conflicts_with = "from")]
    pub init: Initializer,
    /// Begin with the weights of this run, and train its network further.
    #[arg(long, help_heading = NETWORK, value_name = "RUN", conflicts_with_all = ["net", "weights"])]
    pub from: Option<PathBuf>,
    /// Begin with PyTorch's weights of the same network: a state_dict as .safetensors.
    #[arg(long, help_heading = NETWORK, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// Draw the last dense layer anew, with so many outputs.
    #[arg(long, help_heading = NETWORK, value_name = "N", value_parser = values::count())]
    pub head: Option<usize>,
    /// Parameters that stay as they are, by name: `conv*` and `bn1.weight`, for example; may be given more than once.
    #[arg(long, help_heading = NETWORK, value_name = "PATTERN")]
    pub freeze: Vec<String>,
    /// No augmentation: samples as they are.
    #[arg(long, help_heading = DATA)]
    pub no_augment: bool,
    /// Mirror and light pictures of classes too: they mean the same in a mirror.
    #[arg(long, help_heading = DATA)]
    pub mirror: bool,
    /// Leave pictures and frames in their files and decode them batch by batch, while the network trains: for data that memory does not hold
    #[arg(long, help_heading = DATA)]
    pub stream: bool,
    /// Words in a text. Default: those of the longest one of the training split.
    #[arg(long, help_heading = DATA, value_name = "N", value_parser = values::count())]
    pub length: Option<usize>,
    /// Follow each longer word of a text by its first five letters.
    #[arg(long, help_heading = DATA)]
    pub stems: bool,
    /// Follow each word of a text by the pair of it and the next one, where the training data has that at least twice.
    #[arg(long, help_heading = DATA)]
    pub pairs: bool,
    /// Then so many epochs in int8 arithmetic (quantization-aware); the blob is written into --out as NETWORK.ackm.
    #[arg(long, help_heading = TRAINING, value_name = "N", value_parser = values::count())]
    pub qat: Option<usize>,
    /// Go on where the run in --out stopped, with its settings; the result is the same as without the stop.
    #[arg(long, help_heading = RUN, conflicts_with_all = [
        "net", "data", "frames", "glare", "blackout", "label", "label_scale", "crop", "split", "val_split", "side_correction",
        "drop_straight", "epochs", "batch", "lr", "DescentArgs", "loss", "huber_delta", "smoothing", "patience", "seed",
        "no_augment", "mirror", "stream", "length", "stems", "pairs", "overwrite", "init", "dropout", "from", "weights", "head", "freeze",
    ])]
    pub resume: bool,
    /// Start anew even if --out holds a run, which is lost.
    #[arg(long, help_heading = RUN)]
    pub overwrite: bool,
}

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

/// `ackermann quantize`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ackermann quantize runs/lake --calibrate drives/lake --out lake.ackm
  ackermann quantize runs/lake --calibrate drives/lake --out lake.ackm --layers
  ackermann quantize runs/lake --calibrate drives/lake --out lake.ackm --observer mse --equalize
  ackermann quantize runs/lake --calibrate drives/lake --out lake.ackm --qat --epochs 5
  ackermann quantize runs/lake --calibrate drives/lake --out lake.ackm --sensitivity --report lake.html")]
pub struct QuantizeArgs {
    /// Run folder of a trained network.
    pub run: PathBuf,
    /// Data (or `sim`) whose samples show the ranges of the activations.
    #[arg(long, value_name = "DIR")]
    pub calibrate: PathBuf,
    /// Split of it to use.
    #[arg(long, default_value = "train", value_name = "NAME")]
    pub split: String,
    /// How many samples of it, evenly spread.
    #[arg(long, default_value_t = 300, value_name = "N", value_parser = values::frames())]
    pub frames: usize,
    /// The blob to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// How the ranges of the activations are made of the values seen; auto takes what comes nearest to float.
    #[arg(long, value_enum, default_value = "auto")]
    pub observer: ObserverName,
    /// Share of each range's values in percent that --observer percentile keeps; the rest saturates.
    #[arg(long, default_value_t = 99.99, value_name = "PERCENT", value_parser = values::percentile)]
    pub percentile: f32,
    /// Take the mean error of rounded weights out of the biases.
    #[arg(long, value_enum, default_value = "auto", default_missing_value = "on", num_args = 0..=1)]
    pub bias_correction: Switch,
    /// Equalize channels across layers before rounding.
    #[arg(long, value_enum, default_value = "auto", default_missing_value = "on", num_args = 0..=1)]
    pub equalize: Switch,
    /// Train on in int8 arithmetic (quantization-aware) before the blob is written; keeps what is best on the validation split.
    #[arg(long)]
    pub qat: bool,
    /// Passes over the training split with --qat.
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = values::count(), requires = "qat")]
    pub epochs: usize,
    /// Learning rate of --qat at the start.
    #[arg(long, default_value_t = 1e-4, value_name = "RATE", value_parser = values::rate, requires = "qat")]
    pub lr: f64,
    /// Split that --qat is validated on.
    #[arg(long, default_value = "val", value_name = "NAME", requires = "qat")]
    pub val_split: String,
    /// Also print float against int8 error per layer.
    #[arg(long)]
    pub layers: bool,
    /// Also print what each layer costs: it alone in int8, and all but it.
    #[arg(long)]
    pub sensitivity: bool,
    /// Write the tables and the choice as an HTML report; implies --sensitivity.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// Observers by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ObserverName {
    /// All of them are tried.
    Auto,
    /// Smallest to largest.
    Minmax,
    /// Without the outermost values.
    Percentile,
    /// Least expected squared error.
    Mse,
    /// Least divergence of the distribution (KL).
    Entropy,
}

impl ObserverName {
    /// The observer; `None` for all.
    pub fn observer(self, percentile: f32) -> Option<Observer> {
        match self {
            Self::Auto => None,
            Self::Minmax => Some(Observer::MinMax),
            Self::Percentile => Some(Observer::Percentile(percentile)),
            Self::Mse => Some(Observer::Mse),
            Self::Entropy => Some(Observer::Entropy),
        }
    }
}

/// Something done or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// Where it comes nearer to float.
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

impl Switch {
    /// Whether; `None` to try both.
    pub fn wanted(self) -> Option<bool> {
        match self {
            Self::Auto => None,
            Self::On => Some(true),
            Self::Off => Some(false),
        }
    }
}

/// `ackermann import`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ackermann import keywords.tflite --out keywords.ackm
  ackermann import pilotnet_float.tflite --calibrate inputs.npy --out pilotnet.ackm
  ackermann import pilotnet_float.tflite --calibrate drives/lake --out pilotnet.ackm
  ackermann import lanes.onnx --calibrate inputs.npz --out lanes.ackm

int8 networks keep their arithmetic. Float networks are quantized, so that their inputs must be shown: as .npy or .npz
arrays (float32, a batch first), a folder of them, or recorded driving. docs/import.md lists the operators.")]
pub struct ImportArgs {
    /// A TensorFlow Lite (.tflite) or ONNX (.onnx) file.
    pub model: PathBuf,
    /// The blob to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Inputs that show the ranges of a float network: .npy, .npz, a folder of them, driving data, or `sim`.
    #[arg(long, value_name = "INPUTS")]
    pub calibrate: Option<PathBuf>,
    /// Split of the driving data to use.
    #[arg(long, default_value = "train", value_name = "NAME")]
    pub split: String,
    /// How many frames of the driving data, evenly spread.
    #[arg(long, default_value_t = 300, value_name = "N", value_parser = values::frames())]
    pub frames: usize,
    /// How the ranges of a float network are made of the values seen; auto is minmax here.
    #[arg(long, value_enum, default_value = "auto")]
    pub observer: ObserverName,
    /// Share of each range's values in percent that is kept, for example 99.99; the rest saturates: --observer percentile.
    #[arg(long, value_name = "PERCENT", value_parser = values::percentile)]
    pub percentile: Option<f32>,
    /// Whose rounding of fully connected layers to repeat: the two reference implementations differ there.
    #[arg(long, value_enum, default_value = "tflm")]
    pub rounding: RoundingName,
}

/// `ackermann export`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ackermann export runs/lake --to lake.safetensors
  ackermann export runs/lake --to lake.onnx

docs/pytorch.md shows how PyTorch loads the weights.")]
pub struct ExportArgs {
    /// Run folder of a trained network.
    pub run: PathBuf,
    /// The file to write: .safetensors (weights) or .onnx (the network).
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
    /// Names and layouts of the weights.
    #[arg(long, value_enum, default_value = "pytorch")]
    pub layout: LayoutName,
}

/// Layouts of weights by name.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum LayoutName {
    /// A state_dict: filters OIHW, pictures flattened channel by channel.
    Pytorch,
    /// As runs keep them: channels last.
    Ackermann,
}

/// `ackermann import-weights`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ackermann import-weights lenet.safetensors --net lenet --out runs/lenet
  ackermann import-weights mine.safetensors --net mine.json --out runs/mine")]
pub struct ImportWeightsArgs {
    /// A state_dict as .safetensors (`safetensors.torch.save_file(net.state_dict(), FILE)`).
    pub weights: PathBuf,
    /// The same network here: a name (`ackermann inspect` lists them) or a .json file.
    #[arg(long, value_name = "NET")]
    pub net: String,
    /// Run folder to make.
    #[arg(long, value_name = "RUN")]
    pub out: PathBuf,
}

/// TFLite's implementations by name.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum RoundingName {
    /// TFLite Micro and CMSIS-NN: twice, as convolutions.
    Tflm,
    /// LiteRT: once.
    Litert,
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

/// `ackermann drive`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ackermann drive lake.ackm --board host --track 7
  ackermann drive lake.ackm --board mps2-an500 --track 7 --seconds 20
  ackermann drive micro-lstm.ackm --board mps2-an500 --glare --blackout")]
pub struct DriveArgs {
    /// A blob; with --board host also a run folder (float).
    pub model: PathBuf,
    /// Where the network runs: host, or a board's name.
    #[arg(long, default_value = "host", value_name = "NAME")]
    pub board: String,
    /// Seed of the track and its weather.
    #[arg(long, default_value_t = 1000, value_name = "SEED")]
    pub track: u64,
    /// Simulated seconds.
    #[arg(long, default_value_t = 60.0, value_name = "S", allow_negative_numbers = true, value_parser = values::seconds)]
    pub seconds: f32,
    /// A low sun dazzles the camera wherever the road leads towards it.
    #[arg(long)]
    pub glare: bool,
    /// The camera goes black for 3 to 15 frames, a second apart on average.
    #[arg(long)]
    pub blackout: bool,
    /// Write an HTML report with the driven line and a strip of frames.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// `ackermann temporal`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ackermann temporal
  ackermann temporal --sequences 400 --epochs 6 --tracks 4 --out runs/quick
  ackermann drive runs/temporal/micro-lstm.ackm --board mps2-an500 --glare --blackout

A network of single frames is trained on frames with glare and black ones among them. From its weights both go on for as many epochs again,
on the same frames: the one that remembers takes over those of the layers that it applies to every frame. Both drive the same unseen tracks.")]
pub struct TemporalArgs {
    /// The network that remembers: its input is a sequence of frames.
    #[arg(long, default_value = "micro-lstm", value_name = "NET")]
    pub net: String,
    /// The network that does not.
    #[arg(long, default_value = "micro", value_name = "NET")]
    pub cnn: String,
    /// Seed of everything: roads, weather, initial weights, shuffling.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Sequences to record.
    #[arg(long, default_value_t = 1000, value_name = "N", value_parser = values::frames())]
    pub sequences: usize,
    /// Passes over them.
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = values::count())]
    pub epochs: usize,
    /// Unseen tracks to drive.
    #[arg(long, default_value_t = 12, value_name = "N", value_parser = values::count())]
    pub tracks: usize,
    /// Simulated seconds on each track.
    #[arg(long, default_value_t = 60.0, value_name = "S", allow_negative_numbers = true, value_parser = values::seconds)]
    pub seconds: f32,
    /// No sun that dazzles.
    #[arg(long)]
    pub no_glare: bool,
    /// No black frames.
    #[arg(long)]
    pub no_blackout: bool,
    /// Folder for both runs, their blobs and the table.
    #[arg(long, default_value = "runs/temporal", value_name = "DIR")]
    pub out: PathBuf,
}

/// `ackermann bench`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  ackermann bench lake.ackm --board mps2-an500")]
pub struct BenchArgs {
    /// The blob.
    pub model: PathBuf,
    /// The board.
    #[arg(long, value_name = "NAME")]
    pub board: String,
}

/// `ackermann flash`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  ackermann flash lake.ackm --board mps2-an500")]
pub struct FlashArgs {
    /// The blob.
    pub model: PathBuf,
    /// The board.
    #[arg(long, value_name = "NAME")]
    pub board: String,
}
