//! One trial: a training that stops after so many epochs and may go on later.

use super::super::job::{Job, Shelf};
use super::super::{Output, stop};
use super::{Asked, write_report};
use crate::search::{Failure, Outcome, Strategy, Trainer, Trials};
use crate::train::{EpochRow, LAST, Observer, StepReport, Summary};
use crate::{Error, ErrorKind, Result};
use indicatif::ProgressBar;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// The run folder of a trial.
pub fn folder(search: &Path, trial: usize) -> PathBuf {
    search.join(format!("trial-{trial:04}"))
}

/// Removes the trials and results of an old search.
pub fn remove_all(search: &Path) -> Result<()> {
    let removed = |path: &Path, result: std::io::Result<()>| match result {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::writing(path, &e)),
        _ => Ok(()),
    };
    for file in ["trials.csv", "search.json"].map(|name| search.join(name)) {
        removed(&file, std::fs::remove_file(&file))?;
    }
    let entries = std::fs::read_dir(search).map_err(|e| Error::reading(search, &e))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("trial-")) {
            removed(&path, std::fs::remove_dir_all(&path))?;
        }
    }
    Ok(())
}

/// The trials of a search as trainings.
pub struct Trainings<'a> {
    asked: &'a Asked,
    folder: &'a Path,
    bar: &'a ProgressBar,
    output: Output,
    /// Data that the last trial was trained on: most trials share it.
    shelf: Shelf,
    best: Option<f64>,
    /// Why the first trial that was refused was.
    pub refusal: Option<Error>,
}

impl<'a> Trainings<'a> {
    /// No trial yet.
    pub fn new(asked: &'a Asked, folder: &'a Path, bar: &'a ProgressBar, output: Output) -> Self {
        Self { asked, folder, bar, output, shelf: Shelf::default(), best: None, refusal: None }
    }

    fn outcome(&self, summary: &Summary, epochs: usize, seconds: f64) -> Result<Outcome> {
        let rows = || summary.history.iter().take(epochs);
        let scored = rows().filter_map(|row| Some((row.epoch, self.asked.objective.of(row)?)));
        let sign = if self.asked.plan.maximize { -1.0 } else { 1.0 };
        let best = scored.min_by(|a, b| (sign * a.1).total_cmp(&(sign * b.1)));
        let (best_epoch, score) = best.ok_or_else(|| {
            let name = self.asked.objective.name();
            let message =
                format!("the validation data has no {name}: --objective accuracy is for classes, mae for numbers");
            Error::usage("--objective", message)
        })?;
        Ok(Outcome { score: Ok(score), epochs: rows().count(), best_epoch, seconds })
    }

    fn fit(&mut self, trial: usize, values: &[String], epochs: usize) -> Result<Option<Outcome>> {
        let (started, run) = (Instant::now(), folder(self.folder, trial));
        let mut args = self.asked.settings.arguments(&self.asked.plan.space, values, &run)?;
        args.resume = run.join(LAST).exists();
        args.overwrite = true;
        // Only halving stops on the way; else the trial's own epochs count.
        let halving = matches!(self.asked.plan.strategy, Strategy::Halving { .. });
        let epochs = if halving { epochs } else { args.epochs };
        let job = Job::new(&args, &mut self.shelf, self.output)?;
        let stopping = AtomicBool::new(false);
        let mut watch = Watch { epochs, bar: self.bar, stopping: &stopping, at: self.bar.position(), first: None };
        let summary = job.fit(&run, &mut watch, &stopping)?;
        if summary.interrupted && summary.history.len() < epochs {
            return Ok(None);
        }
        self.outcome(&summary, epochs, started.elapsed().as_secs_f64()).map(Some)
    }
}

impl Trainer for Trainings<'_> {
    fn train(&mut self, trial: usize, values: &[String], epochs: usize) -> Result<Option<Outcome>> {
        if stop::flag().load(Ordering::Relaxed) {
            return Ok(None);
        }
        let best = self.best.map(|best| format!(", best {best:.5}")).unwrap_or_default();
        self.bar.set_message(format!("trial {trial} of {}{best}", self.asked.plan.trials));
        let failed = |failure| Outcome { score: Err(failure), epochs: 0, best_epoch: 0, seconds: 0.0 };
        match self.fit(trial, values, epochs) {
            Err(error) if error.kind == ErrorKind::NotFinite => Ok(Some(failed(Failure::Diverged))),
            // Settings that are refused, or that do not fit the data or each other.
            Err(error) if matches!(error.kind, ErrorKind::Usage | ErrorKind::Shape) && error.place != "--objective" => {
                self.refusal.get_or_insert(error);
                Ok(Some(failed(Failure::Refused)))
            }
            Err(error) => Err(Error { place: format!("trial {trial}: {}", error.place), ..error }),
            done => done,
        }
    }

    fn finished(&mut self, trials: &Trials) -> Result<()> {
        self.best = self.asked.plan.best(trials).and_then(|row| row.outcome.score.ok());
        write_report(self.asked, trials, self.folder)
    }

    fn progress(&mut self, done: usize, all: usize) {
        self.bar.set_length((all * SHARES) as u64);
        self.bar.set_position((done * SHARES) as u64);
    }
}

/// Parts of an epoch that the bar shows.
const SHARES: usize = 100;

/// Stops a training after so many epochs, or when the user asks.
struct Watch<'a> {
    epochs: usize,
    bar: &'a ProgressBar,
    stopping: &'a AtomicBool,
    /// Where the bar was before.
    at: u64,
    /// The epoch that it began with.
    first: Option<usize>,
}

impl Observer for Watch<'_> {
    /// A search that was killed between the checkpoint and its table has trained this far already.
    fn start(&mut self, epochs: usize) {
        if epochs >= self.epochs {
            self.stopping.store(true, Ordering::Relaxed);
        }
    }

    fn step(&mut self, report: &StepReport) {
        let done = report.epoch - *self.first.get_or_insert(report.epoch);
        self.bar.set_position(self.at + (done * SHARES + report.step * SHARES / report.steps) as u64);
        if stop::flag().load(Ordering::Relaxed) {
            self.stopping.store(true, Ordering::Relaxed);
        }
    }

    fn epoch(&mut self, row: &EpochRow, _best: bool) {
        if row.epoch >= self.epochs {
            self.stopping.store(true, Ordering::Relaxed);
        }
    }
}
