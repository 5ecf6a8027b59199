//! Options of commands that read and write other tools' files.

use super::super::values;
use super::ObserverName;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

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
