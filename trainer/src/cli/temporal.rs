//! `ackermann temporal`: a network that remembers against one that does not, where the camera is blinded for a while.
//!
//! One network that sees single frames is trained. From its weights both go on, for as many epochs on the same frames, the one frame by frame, the
//! other in sequences; both are quantized and drive the same unseen tracks.

use super::args::TemporalArgs;
use super::recording::{Recording, simulate_sequences, simulated_augmentation};
use super::steering::Watched;
use super::train::fit_watched;
use super::{Output, progress};
use crate::board::{BoardDriver, HOST, Logs};
use crate::data::{Augment, Augmented, Samples, Sequences};
use crate::nn::{self, Network};
use crate::quant::{QuantizeOptions, quantize};
use crate::report::{Table, format};
use crate::sim::{
    Disturbances, DriveOptions, DriveResult, FRAMES_PER_SECOND, Policy, SequenceOptions, Split, World, drive,
};
use crate::train::{LAST, Predictor, RunConfig, Start, TrainConfig, Weights, save_network};
use crate::{Error, ErrorKind, Result, files};
use rayon::prelude::*;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The first of the test worlds that are driven; validation frames come from worlds before it.
const FIRST_TRACK: u64 = 2000;
/// Frames that ranges are calibrated on.
const CALIBRATED: usize = 6000;
/// Frames in a step of training.
const FRAMES_PER_STEP: usize = 96;

/// What is trained on and what validated on.
type TrainAndVal<'a> = (&'a dyn Samples, &'a dyn Samples);

/// Where trainings are kept, and what they are trained on.
struct Trainings<'a> {
    out: &'a Path,
    recording: Recording,
    output: Output,
}

/// A trained network and its blob.
struct Candidate {
    network: Network,
    run: PathBuf,
    blob: Vec<u8>,
}

/// How a network drove, over all tracks.
struct Score {
    name: String,
    arithmetic: &'static str,
    autonomy: f64,
    interventions: usize,
    lateral_m: f64,
    mae_deg: f64,
}

/// Trains, quantizes and drives both.
pub fn run(args: &TemporalArgs, output: Output) -> Result<()> {
    let (alone, remembering) = (nn::by_name(&args.cnn)?, nn::by_name(&args.net)?);
    let steps = check(&alone, &remembering)?;
    files::check_folder(&args.out)?;
    let disturbances = Disturbances { glare: !args.no_glare, blackout: !args.no_blackout };
    let [height, width, _] = alone.frame_size()?;
    let options = SequenceOptions::new(args.seed, args.sequences, steps, height, width);
    let options = SequenceOptions { disturbances, ..options };
    output.say(format!("1/3 recording {} sequences of {steps} frames", format::count(args.sequences as u64)));
    let train = simulate_sequences(&options, output)?;
    let sequences = (args.sequences / 8).max(1);
    let val = simulate_sequences(&SequenceOptions { split: Split::Test, sequences, ..options }, output)?;
    output.say(format!("2/3 training {} and {} on the same frames", alone.name, remembering.name));
    let augment = simulated_augmentation();
    let frames = (Augmented::new(&train, augment), Augmented::new(&val, Augment::NONE));
    let parts = (Sequences::new(&train, steps, augment), Sequences::new(&val, steps, Augment::NONE));
    let config = TrainConfig {
        epochs: args.epochs,
        batch: FRAMES_PER_STEP,
        lr: 2e-3,
        clip_norm: Some(1.0),
        seed: args.seed,
        ..TrainConfig::default()
    };
    let (frames, parts): (TrainAndVal<'_>, TrainAndVal<'_>) = ((&frames.0, &frames.1), (&parts.0, &parts.1));
    let recording = Recording { sim_frames: train.len(), disturbances, seed: args.seed, ..Recording::default() };
    let trainings = Trainings { out: &args.out, recording, output };
    let first = trainings.train("first", &alone, &config, frames)?;
    let goes_on = |weights| Some(Start { weights, fresh_head: false });
    let start = goes_on(Weights::Run(first.clone()));
    let start_remembering = goes_on(seeing(args, &first, &remembering)?);
    let alone = trainings.candidate(alone, &TrainConfig { start, ..config.clone() }, frames)?;
    let config = TrainConfig { batch: FRAMES_PER_STEP.div_ceil(steps), start: start_remembering, ..config };
    let remembering = trainings.candidate(remembering, &config, parts)?;
    let candidates = [alone, remembering];
    output.say(format!("3/3 driving {} unseen tracks, float and int8", args.tracks));
    let mut scores = Vec::new();
    for candidate in &candidates {
        scores.extend(drive_tracks(args, candidate, disturbances, output)?);
    }
    let table = table(&scores);
    files::write(&args.out.join("table.txt"), table.to_terminal().as_bytes())?;
    output.finish(table.to_terminal(), &json!({ "scores": scores.iter().map(json_of).collect::<Vec<_>>() }))
}

/// Both see frames of one size, one of them as sequences, whose length is returned.
fn check(alone: &Network, remembering: &Network) -> Result<usize> {
    let wrong = |option: &str, message: String| Err(Error::usage(option, message));
    match (alone.steps(), remembering.steps()) {
        (Some(_), _) => wrong("--cnn", format!("{} takes sequences of frames, not one frame", alone.name)),
        (_, None) => wrong("--net", format!("{} takes no sequences of frames", remembering.name)),
        (None, Some(_)) if alone.frame_size()? != remembering.frame_size()? => {
            wrong("--net", format!("{} and {} see frames of different sizes", remembering.name, alone.name))
        }
        (None, Some(steps)) => Ok(steps),
    }
}

/// Weights for `remembering` to begin with: where it does at every step what the network of the run `first` does, it sees as that one has
/// learned to.
fn seeing(args: &TemporalArgs, first: &Path, remembering: &Network) -> Result<Weights> {
    let run = args.out.join(format!("{}-start", remembering.name));
    let trained = Predictor::load(first)?;
    let mut params = remembering.init(args.seed)?;
    for param in params.entries_mut() {
        let known = param.name.strip_prefix("time1.").and_then(|name| trained.params().get(name));
        if let Some(known) = known.filter(|known| known.shape == param.shape) {
            param.data.clone_from(&known.data);
        }
    }
    let config = RunConfig { network: remembering.clone(), train: TrainConfig::default() };
    save_network(&run, &config, &params)?;
    Ok(Weights::Run(run))
}

impl Trainings<'_> {
    /// Trains `network` in the folder `name`, which is returned, or goes on with it where that was stopped.
    fn train(&self, name: &str, network: &Network, config: &TrainConfig, data: TrainAndVal<'_>) -> Result<PathBuf> {
        let run = self.out.join(name);
        let resume = run.join(LAST).exists();
        if resume && Recording::of_run(&run)?.as_ref() != Some(&self.recording) {
            let message = "was trained on other recordings (see its data.json); name another --out, or remove it";
            return Err(Error::usage(run.display(), message));
        }
        if !resume {
            self.recording.save(&run)?;
        }
        let summary = fit_watched(network, config, data, &run, self.output, resume)?;
        if summary.interrupted {
            let message = "stopped while training; the same command goes on";
            return Err(Error::new(ErrorKind::Interrupted, run.display(), message));
        }
        let best = summary.history.iter().find(|row| row.epoch == summary.best_epoch).and_then(|row| row.val_mae);
        self.output.say(format!("{}: validation MAE {}", run.display(), format::optional(best, 5)));
        Ok(run)
    }

    /// Trains `network` and quantizes it.
    fn candidate(&self, network: Network, config: &TrainConfig, data: TrainAndVal<'_>) -> Result<Candidate> {
        let run = self.train(&network.name, &network, config, data)?;
        let predictor = Predictor::load(&run)?;
        let options = QuantizeOptions { samples: CALIBRATED, ..QuantizeOptions::default() };
        let blob = quantize(&network, predictor.params(), data.0, &options)?.blob.to_vec();
        files::write(&self.out.join(format!("{}.ackm", network.name)), &blob)?;
        Ok(Candidate { network, run, blob })
    }
}

/// Drives every track with float and with int8, several tracks at a time.
fn drive_tracks(
    args: &TemporalArgs,
    candidate: &Candidate,
    disturbances: Disturbances,
    output: Output,
) -> Result<[Score; 2]> {
    let [height, width, _] = candidate.network.frame_size()?;
    let ticks = (args.seconds * FRAMES_PER_SECOND) as u64;
    let bar = progress::bar(output, "driving", 2 * ticks * args.tracks as u64);
    let options = DriveOptions { seconds: args.seconds, ..DriveOptions::new(height, width) };
    let drives = (0..args.tracks as u64).into_par_iter().map(|index| {
        let world = World::of(Split::Test, 0, FIRST_TRACK + index, args.seconds).disturbed(disturbances);
        let mut float = Predictor::load(&candidate.run)?;
        let mut int8 = BoardDriver::start(HOST, &candidate.blob, Logs::Off)?;
        let steered = |policy: &mut dyn Policy| drive(&world, &mut Watched::new(policy, &bar), &options);
        Ok([steered(&mut float)?, steered(&mut int8)?])
    });
    let drives = drives.collect::<Result<Vec<[DriveResult; 2]>>>()?;
    bar.finish_and_clear();
    Ok([(0, "float"), (1, "int8")].map(|(at, arithmetic)| {
        let of: Vec<&DriveResult> = drives.iter().map(|both| &both[at]).collect();
        let mean = |value: fn(&DriveResult) -> f32| {
            of.iter().map(|drive| f64::from(value(drive))).sum::<f64>() / of.len().max(1) as f64
        };
        Score {
            name: candidate.network.name.clone(),
            arithmetic,
            autonomy: mean(|drive| drive.autonomy),
            interventions: of.iter().map(|drive| drive.interventions).sum(),
            lateral_m: mean(|drive| drive.mean_lateral_m),
            mae_deg: mean(|drive| drive.mae_deg),
        }
    }))
}

fn table(scores: &[Score]) -> Table {
    let mut table =
        Table::new(["network", "arithmetic", "autonomy", "interventions", "lateral mean", "against expert"]);
    for score in scores {
        table.row([
            score.name.clone(),
            score.arithmetic.into(),
            format::percent(score.autonomy, 1),
            score.interventions.to_string(),
            format!("{:.3} m", score.lateral_m),
            format!("{:.2} deg", score.mae_deg),
        ]);
    }
    table.left_columns(2)
}

fn json_of(score: &Score) -> Value {
    json!({
        "network": score.name, "arithmetic": score.arithmetic, "autonomy": score.autonomy,
        "interventions": score.interventions, "lateral_m": score.lateral_m, "mae_deg": score.mae_deg,
    })
}
