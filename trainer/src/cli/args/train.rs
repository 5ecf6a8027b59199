//! Options of a training.

use super::super::values;
use crate::data::Window;
use crate::nn::Initializer;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

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
    /// Factor of each drop of the step schedule. Default: 0.1.
    #[arg(long, allow_negative_numbers = true, value_name = "FACTOR")]
    pub drop_factor: Option<f64>,
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
    /// Frames that `--data sim` records. Default: 16000.
    #[arg(long, help_heading = DATA, value_name = "N", value_parser = values::frames())]
    pub frames: Option<usize>,
    /// `--data sim`: a low sun dazzles the camera wherever the road leads towards it.
    #[arg(long, help_heading = DATA)]
    pub glare: bool,
    /// `--data sim`: the camera goes black for 3 to 15 frames, a second apart on average.
    #[arg(long, help_heading = DATA)]
    pub blackout: bool,
    /// Column of the label. Default: steering_smooth where all splits have it, else steering.
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
    /// Stop after this many epochs in a row without a better one.
    #[arg(long, help_heading = TRAINING, value_name = "N", value_parser = values::count())]
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
    /// Then so many epochs in int8 arithmetic (quantization-aware); the blob is written into --out as NETWORK.ackm. Default with
    /// --resume: as many as the run was to have.
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
