//! `ackermann train`: fit a network to recorded or simulated driving.

use super::args::{LossName, TrainArgs};
use super::recording::Recording;
use super::{Output, descent, progress, stop};
use crate::data::{Augment, Augmented, FrameSet, metrics};
use crate::nn::{self, Freeze, Network};
use crate::report::chart::{learning_rate, loss_curves};
use crate::report::{Report, Table, format};
use crate::train::{EpochRow, Loss, Start, Summary, TrainConfig, Weights, fit, read_config};
use crate::{Error, ErrorKind, Result, files};
use serde_json::json;
use std::path::Path;

/// Trains (or resumes) and says how well.
pub fn train(args: &TrainArgs, output: Output) -> Result<()> {
    let (network, config, recording) = if args.resume { resumed(args)? } else { fresh(args)? };
    let size = network.frame_size()?;
    let train = recording.frames(&recording.split, size, output)?;
    let val = recording.clone().whole().frames(&recording.val_split, size, output)?;
    recording.save(&args.out)?;
    let augment = augmentation(&recording);
    output.say(format!("{} on {} frames, validated on {}", network.name, train.len(), val.len()));
    let summary = fit_frames(&network, &config, (&train, &val), augment, &args.out, output, args.resume)?;
    if summary.interrupted {
        let message = format!("stopped; go on with `ackermann train --resume --out {}`", args.out.display());
        return Err(Error::new(ErrorKind::Interrupted, args.out.display(), message));
    }
    let trivial = metrics::baseline(&train.labels, &val.labels)?;
    report(&network, &summary.history).write(&args.out.join("report.html"))?;
    finish(args, &summary, trivial.mae, output)
}

/// A run described by the command line.
fn fresh(args: &TrainArgs) -> Result<(Network, TrainConfig, Recording)> {
    let (network, config) = (network(args)?, config(args)?);
    files::check_folder(&args.out)?;
    if args.out.join("last.safetensors").exists() && !args.overwrite {
        let message = "holds a run already: --resume goes on with it, --overwrite starts anew";
        return Err(Error::usage(args.out.display(), message));
    }
    let recording = Recording {
        sim_frames: args.frames,
        split: args.split.clone(),
        val_split: args.val_split.clone(),
        label: args.label.clone(),
        label_scale: args.label_scale,
        window: args.crop,
        side_correction: args.side_correction,
        drop_straight: args.drop_straight,
        augment: !args.no_augment,
        seed: args.seed,
        ..Recording::of(args.data.as_deref().unwrap_or(Path::new("")))
    };
    recording.check()?;
    Ok((network, config, recording))
}

/// The network: a named one, or that of a run, perhaps with another head.
fn network(args: &TrainArgs) -> Result<Network> {
    let network = match &args.from {
        Some(run) => read_config(run)?.network,
        None => nn::by_name(&args.net)?,
    };
    match args.head {
        Some(outputs) if args.from.is_none() && args.weights.is_none() => Err(Error::usage(
            "--head",
            format!("replaces {outputs} outputs of trained weights; name them with --from or --weights"),
        )),
        Some(outputs) => network.with_outputs(outputs),
        None => Ok(network),
    }
}

/// Trained weights to begin with.
fn start(args: &TrainArgs) -> Option<Start> {
    let run = args.from.clone().map(Weights::Run);
    let weights = run.or_else(|| args.weights.clone().map(Weights::Pytorch))?;
    Some(Start { weights, fresh_head: args.head.is_some() })
}

/// A run described by its folder.
fn resumed(args: &TrainArgs) -> Result<(Network, TrainConfig, Recording)> {
    let saved = read_config(&args.out)?;
    let recording = Recording::of_run(&args.out)?.ok_or_else(|| {
        Error::new(ErrorKind::MissingFile, args.out.display(), "does not say what it was trained on; train it anew")
    })?;
    Ok((saved.network, saved.train, recording))
}

fn config(args: &TrainArgs) -> Result<TrainConfig> {
    let base = TrainConfig {
        epochs: args.epochs,
        batch: args.batch,
        lr: args.lr,
        loss: match args.loss {
            LossName::Mse => Loss::Mse,
            LossName::Huber => Loss::Huber { delta: args.huber_delta },
        },
        seed: args.seed,
        initializer: args.init,
        start: start(args),
        freeze: Freeze::new(&args.freeze),
        patience: args.patience,
        ..TrainConfig::default()
    };
    descent::settings(&args.descent, base)
}

/// The simulator shows every viewpoint itself; a recording has only the driven line, so its frames are shifted.
pub fn augmentation(recording: &Recording) -> Augment {
    if !recording.augment {
        Augment::NONE
    } else if recording.is_simulated() {
        simulated_augmentation()
    } else {
        Augment::default()
    }
}

/// Flips and light, no shifts.
pub fn simulated_augmentation() -> Augment {
    Augment { shift_x: 0.0, shift_y: 0.0, ..Augment::default() }
}

/// Trains with a progress bar.
pub fn fit_frames(
    network: &Network,
    config: &TrainConfig,
    (train, val): (&FrameSet, &FrameSet),
    augment: Augment,
    run: &Path,
    output: Output,
    resume: bool,
) -> Result<Summary> {
    let (train, val) = (Augmented::new(train, augment), Augmented::new(val, Augment::NONE));
    let mut bar = progress::Training::new(output);
    let summary = fit(network, config, &train, &val, run, &mut bar, stop::flag(), resume)?;
    bar.finish();
    Ok(summary)
}

/// Curves of a run.
fn report(network: &Network, history: &[EpochRow]) -> Report {
    let mut report = Report::new(&format!("Training of {}", network.name));
    add_curves(&mut report, history);
    report
}

/// Loss and learning-rate curves as a section.
pub fn add_curves(report: &mut Report, history: &[EpochRow]) {
    let train: Vec<_> = history.iter().map(|row| row.train_loss).collect();
    let val: Vec<_> = history.iter().filter_map(|row| row.val_loss).collect();
    let rates: Vec<_> = history.iter().map(|row| (row.epoch as f64, row.lr)).collect();
    report
        .section("Training")
        .figure(&loss_curves(&train, &val, "loss, normalized steering"))
        .figure(&learning_rate(&rates));
}

fn finish(args: &TrainArgs, summary: &Summary, trivial: f64, output: Output) -> Result<()> {
    let best = summary.history.iter().find(|row| row.epoch == summary.best_epoch);
    let mae = best.and_then(|row| row.val_mae);
    let mut table = Table::new(["epochs", "best epoch", "validation MAE", "of always the mean", "samples/s"]);
    let rate = summary.history.last().map_or(0.0, |row| row.samples_per_s);
    table.row([
        summary.history.len().to_string(),
        summary.best_epoch.to_string(),
        format::optional(mae, 5),
        format::fixed(trivial, 5),
        format::count(rate as u64),
    ]);
    let text = format!("{}\nrun: {}", table.to_terminal(), args.out.display());
    let json = json!({
        "run": args.out, "epochs": summary.history.len(), "best_epoch": summary.best_epoch, "val_mae": mae,
        "val_accuracy": best.and_then(|row| row.val_accuracy), "val_loss": best.and_then(|row| row.val_loss), "trivial_mae": trivial, "samples_per_s": rate,
    });
    output.finish(text, &json)
}
