//! `ackermann train`: fit a network to recorded or simulated driving, or to other data.

use super::args::{LossName, TrainArgs};
use super::recording::Recording;
use super::{Output, descent, progress, stop};
use crate::data::{Augment, Augmented, Changes, Dataset, Encoding, FrameSet, Target, metrics};
use crate::nn::{self, Freeze, Network};
use crate::report::chart::{Axes, curves, learning_rate, loss_curves};
use crate::report::{Report, Series, Table, format};
use crate::train::{EpochRow, Loss, Start, Summary, TrainConfig, Weights, check_start, fit, read_config};
use crate::{Error, ErrorKind, Result, files};
use serde_json::json;
use std::path::Path;

/// What a training came to.
pub struct Trained {
    /// Epochs, the best one.
    pub summary: Summary,
    /// What always the same answer would reach: mean absolute error of the mean, or accuracy of the most frequent class.
    trivial: f64,
    target: Target,
}

/// Trains (or resumes) and says how well.
pub fn train(args: &TrainArgs, output: Output) -> Result<()> {
    let trained = run(args, output)?;
    finish(args, &trained, output)
}

/// Trains (or resumes) and writes the report of the run.
pub fn run(args: &TrainArgs, output: Output) -> Result<Trained> {
    let (network, mut config, recording) = if args.resume { resumed(args)? } else { fresh(args)? };
    let known = match args.resume {
        true => Some(Encoding::of_run(&args.out, network.input.first().copied().unwrap_or(0))?),
        false => None,
    };
    let train = recording.dataset(&recording.split, &network.input, known.as_ref(), output)?;
    let whole = recording.clone().whole();
    let val = whole.dataset(&recording.val_split, &network.input, Some(&train.encoding), output)?;
    let network = match args.resume {
        true => network,
        false => {
            config.loss = loss(args, train.target);
            config.check()?;
            adapted(args, &network, &train, outputs(config.loss, train.target))?
        }
    };
    if !args.resume {
        check_start(&network, &config)?;
    }
    recording.save(&args.out)?;
    train.encoding.save(&args.out)?;
    output.say(format!("{} on {} {}, validated on {}", network.name, train.len(), train.noun(), val.len()));
    let parts = (train.samples(&network.input, recording.changes()), val.samples(&network.input, Changes::NONE));
    let mut bar = progress::Training::new(output);
    let summary = fit(&network, &config, &parts.0, &parts.1, &args.out, &mut bar, stop::flag(), args.resume)?;
    bar.finish();
    if summary.interrupted {
        let message = format!("stopped; go on with `ackermann train --resume --out {}`", args.out.display());
        return Err(Error::new(ErrorKind::Interrupted, args.out.display(), message));
    }
    let name = match train.target {
        Target::Numbers(_) => format!("loss ({})", config.loss.name()),
        Target::Class(_) => config.loss.name().to_string(),
    };
    report(&network, &name, &summary.history).write(&args.out.join("report.html"))?;
    if let Some(epochs) = args.qat {
        super::quantize::train_on(&args.out, (&parts.0, &parts.1), epochs, recording.window, output)?;
    }
    Ok(Trained { summary, trivial: trivial(&train, &val)?, target: train.target })
}

/// The quality of always the same answer, the one that suits the training data best.
fn trivial(train: &Dataset, val: &Dataset) -> Result<f64> {
    match train.target {
        Target::Numbers(_) => metrics::baseline(&train.targets, &val.targets).map(|found| found.mae),
        Target::Class(classes) => {
            let count = |class: usize| train.targets.iter().filter(|&&target| target as usize == class).count();
            let frequent = (0..classes).max_by_key(|&class| (count(class), std::cmp::Reverse(class))).unwrap_or(0);
            let right = val.targets.iter().filter(|&&target| target as usize == frequent).count();
            Ok(right as f64 / val.len().max(1) as f64)
        }
    }
}

/// The loss that was asked for, or the one that suits the targets.
fn loss(args: &TrainArgs, target: Target) -> Loss {
    let huber = Loss::Huber { delta: args.huber_delta };
    let cross_entropy = Loss::CrossEntropy { smoothing: args.smoothing };
    match (args.loss, target) {
        (Some(LossName::Mse), _) => Loss::Mse,
        (Some(LossName::Mae), _) => Loss::Mae,
        (Some(LossName::Huber), _) | (None, Target::Numbers(_)) => huber,
        (Some(LossName::CrossEntropy), _) | (None, Target::Class(_)) => cross_entropy,
        (Some(LossName::BinaryCrossEntropy), _) => Loss::BinaryCrossEntropy,
    }
}

/// The network for this data. Trained weights keep their head unless another one was asked for.
fn adapted(args: &TrainArgs, network: &Network, data: &Dataset, outputs: usize) -> Result<Network> {
    let has = network.outputs()?;
    if (args.from.is_some() || args.weights.is_some()) && has != outputs {
        let message = format!("{} has {has} outputs, the data needs {outputs}; add --head {outputs}", network.name);
        return Err(Error::usage("--data", message));
    }
    network.adapted(&data.input_shape(), data.kind(), outputs)
}

/// Outputs that a network needs: one score tells two classes apart.
fn outputs(loss: Loss, target: Target) -> usize {
    match (loss, target) {
        (Loss::BinaryCrossEntropy, Target::Class(2)) => 1,
        _ => target.outputs(),
    }
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
        mirror: args.mirror,
        length: args.length,
        stems: args.stems,
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
        // That of numbers until the data has shown its targets.
        loss: loss(args, Target::Numbers(1)),
        seed: args.seed,
        initializer: args.init,
        start: start(args),
        freeze: Freeze::new(&args.freeze),
        patience: args.patience,
        ..TrainConfig::default()
    };
    descent::settings(&args.descent, base)
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
fn report(network: &Network, loss: &str, history: &[EpochRow]) -> Report {
    let mut report = Report::new(&format!("Training of {}", network.name));
    add_curves(&mut report, loss, history);
    report
}

/// Loss (`name` with its unit) and learning-rate curves as a section, and the accuracy where there is one.
pub fn add_curves(report: &mut Report, name: &str, history: &[EpochRow]) {
    let train: Vec<_> = history.iter().map(|row| row.train_loss).collect();
    let val: Vec<_> = history.iter().filter_map(|row| row.val_loss).collect();
    let rates: Vec<_> = history.iter().map(|row| (row.epoch as f64, row.lr)).collect();
    report.section("Training").figure(&loss_curves(&train, &val, name)).figure(&learning_rate(&rates));
    let accuracy = history.iter().filter_map(|row| Some((row.epoch as f64, row.val_accuracy?)));
    let accuracy: Vec<_> = accuracy.collect();
    if !accuracy.is_empty() {
        let series = [Series { name: "validation", points: &accuracy }];
        report.figure(&curves("Accuracy by epoch.", Axes { x: "epoch", y: "accuracy" }, &series));
    }
}

fn finish(args: &TrainArgs, trained: &Trained, output: Output) -> Result<()> {
    let Trained { summary, trivial, target } = trained;
    let best = summary.history.iter().find(|row| row.epoch == summary.best_epoch);
    let (mae, accuracy) = (best.and_then(|row| row.val_mae), best.and_then(|row| row.val_accuracy));
    let rate = summary.history.last().map_or(0.0, |row| row.samples_per_s);
    let classes = matches!(target, Target::Class(_));
    let mut table = match classes {
        true => Table::new(["epochs", "best epoch", "validation accuracy", "of always the same class", "samples/s"]),
        false => Table::new(["epochs", "best epoch", "validation MAE", "of always the mean", "samples/s"]),
    };
    let figures = match classes {
        true => [accuracy.map_or_else(String::new, |share| format::percent(share, 2)), format::percent(*trivial, 2)],
        false => [format::optional(mae, 5), format::fixed(*trivial, 5)],
    };
    let [figure, trivially] = figures;
    table.row([
        summary.history.len().to_string(),
        summary.best_epoch.to_string(),
        figure,
        trivially,
        format::count(rate as u64),
    ]);
    let text = format!("{}\nrun: {}", table.to_terminal(), args.out.display());
    let [trivial_mae, trivial_accuracy] = [(!classes).then_some(trivial), classes.then_some(trivial)];
    let json = json!({
        "run": args.out, "epochs": summary.history.len(), "best_epoch": summary.best_epoch, "val_mae": mae,
        "val_accuracy": accuracy, "val_loss": best.and_then(|row| row.val_loss), "trivial_mae": trivial_mae,
        "trivial_accuracy": trivial_accuracy, "samples_per_s": rate,
    });
    output.finish(text, &json)
}
