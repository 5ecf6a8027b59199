//! Options of commands that drive, in the simulator and on boards.

use super::super::recording::SIM_FRAMES;
use super::super::values;
use clap::Args;
use std::path::PathBuf;

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
