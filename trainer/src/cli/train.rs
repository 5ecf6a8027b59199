//! `ackermann train`: fit a network to recorded or simulated driving, or to other data.

use super::args::TrainArgs;
use super::eval::predict;
use super::job::{Job, Shelf, Splits, way_on, with_way_on};
use super::{Output, progress, stop};
use crate::data::metrics::{argmax, baseline};
use crate::data::{Dataset, Samples, Target};
use crate::nn::Network;
use crate::report::chart::{learning_rate, loss_curves, metric};
use crate::report::confusion::confusion;
use crate::report::{Report, Table, format};
use crate::train::{EpochRow, Predictor, Summary, TrainConfig, confusion_matrix, fit};
use crate::{Error, ErrorKind, Result};
use serde_json::json;
use std::path::Path;

/// Most classes that a report shows a matrix of.
const MOST_CLASSES: usize = 64;

/// What a training came to.
pub struct Trained {
    /// Epochs, the best one.
    pub summary: Summary,
    /// What always the same answer would reach: mean absolute error of the mean, or accuracy of the most frequent class.
    trivial: f64,
    target: Target,
    /// Whether it ended before its last epoch because it no longer got better.
    early: bool,
}

/// Trains (or resumes) and says how well.
pub fn train(args: &TrainArgs, output: Output) -> Result<()> {
    let trained = run(args, output)?;
    finish(args, &trained, output)
}

/// Trains (or resumes) and writes the report of the run.
pub fn run(args: &TrainArgs, output: Output) -> Result<Trained> {
    let job = Job::new(args, &mut Shelf::default(), output)?;
    let Splits { train, val } = &*job.data;
    output.say(format!("{} on {} {}, validated on {}", job.network.name, train.len(), train.noun(), val.len()));
    let mut bar = progress::Training::new(output);
    let summary = job.fit(&args.out, &mut bar, stop::flag());
    bar.finish();
    let summary = summary?;
    if summary.interrupted {
        let message = format!("stopped; go on with `{}`", way_on(&args.out));
        return Err(Error::new(ErrorKind::Interrupted, args.out.display(), message));
    }
    report(&job, &args.out, &summary.history, output)?.write(&args.out.join("report.html"))?;
    if let Some(epochs) = job.config.qat {
        let (train, val) = job.samples()?;
        super::quantize::train_on(&args.out, (&train, &val), epochs, job.recording.window, output)?;
    }
    let early = summary.history.len() < job.config.epochs;
    Ok(Trained { summary, trivial: trivial(train, val)?, target: train.target, early })
}

/// The quality of always the same answer, the one that suits the training data best.
fn trivial(train: &Dataset, val: &Dataset) -> Result<f64> {
    match train.target {
        Target::Numbers(_) => baseline(&train.targets, &val.targets).map(|found| found.mae),
        Target::Class(classes) => {
            let mut counts = vec![0usize; classes];
            for &class in &train.targets {
                if let Some(count) = counts.get_mut(class as usize) {
                    *count += 1;
                }
            }
            let frequent = argmax(&counts);
            let right = val.targets.iter().filter(|&&target| target as usize == frequent).count();
            Ok(right as f64 / val.len().max(1) as f64)
        }
    }
}

/// Trains with a progress bar.
pub fn fit_watched(
    network: &Network,
    config: &TrainConfig,
    (train, val): (&dyn Samples, &dyn Samples),
    run: &Path,
    output: Output,
    resume: bool,
) -> Result<Summary> {
    let (mut bar, _saving) = (progress::Training::new(output), stop::saving());
    let summary = fit(network, config, train, val, run, &mut bar, stop::flag(), resume);
    bar.finish();
    summary.map_err(|error| with_way_on(error, run))
}

/// Curves of a run and, of classes, which are taken for which by the best parameters.
fn report(job: &Job, run: &Path, history: &[EpochRow], output: Output) -> Result<Report> {
    let (data, loss) = (&job.data, job.config.loss.name());
    let mut report = Report::new(&format!("Training of {}", job.network.name));
    let name =
        if matches!(data.train.target, Target::Numbers(_)) { format!("loss ({loss})") } else { loss.to_string() };
    add_curves(&mut report, &name, history);
    if classes(&data.val).is_some() {
        let mut predictor = Predictor::load(run)?;
        let outputs = predict(&job.samples()?.1, output, |inputs| predictor.predict_inputs(inputs))?;
        add_confusion(&mut report, "best parameters", &data.val, &outputs);
    }
    Ok(report)
}

/// How many classes the samples are of, where there are so few that a matrix of them can be read.
fn classes(data: &Dataset) -> Option<usize> {
    match data.target {
        Target::Class(classes) if classes <= MOST_CLASSES && !data.is_empty() => Some(classes),
        _ => None,
    }
}

/// Which classes `outputs` (of the network that is called `name`) take the validation samples for, as a section; nothing for numbers or very many
/// classes.
pub fn add_confusion(report: &mut Report, name: &str, data: &Dataset, outputs: &[f32]) {
    if let Some(classes) = classes(data) {
        let counts = confusion_matrix(outputs, &data.targets, classes);
        let caption = "True classes (rows) and what they are taken for (columns): validation samples.";
        let figure = confusion(caption, data.encoding.classes.names(), &counts);
        report.section(&format!("Classes: {name}")).figure(&figure);
    }
}

/// Loss (`name` with its unit), metric and learning-rate curves as a section.
pub fn add_curves(report: &mut Report, name: &str, history: &[EpochRow]) {
    let train: Vec<_> = history.iter().map(|row| row.train_loss).collect();
    let val: Vec<_> = history.iter().filter_map(|row| row.val_loss).collect();
    let points = |value: fn(&EpochRow) -> Option<f64>| -> Vec<_> {
        history.iter().filter_map(|row| Some((row.epoch as f64, value(row)?))).collect()
    };
    report.section("Training").figure(&loss_curves(&train, &val, name));
    let (mae, accuracy) = (points(|row| row.val_mae), points(|row| row.val_accuracy));
    for (name, points) in [("mean absolute error", mae), ("accuracy", accuracy)] {
        if !points.is_empty() {
            report.figure(&metric(name, &points));
        }
    }
    report.figure(&learning_rate(&points(|row| Some(row.lr))));
}

fn finish(args: &TrainArgs, trained: &Trained, output: Output) -> Result<()> {
    let Trained { summary, trivial, target, early } = trained;
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
        "trivial_accuracy": trivial_accuracy, "samples_per_s": rate, "stopped_early": early,
        "report": args.out.join("report.html"),
    });
    output.finish(text, &json)
}
