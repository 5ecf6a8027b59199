//! `ackermann search`: train many times to find good settings.

mod settings;
mod trial;

use super::args::{ObjectiveName, SearchArgs, StrategyName};
use super::{Output, progress};
use crate::report::format;
use crate::search::{Plan, Space, Strategy, Trials, report, search, table};
use crate::train::EpochRow;
use crate::{Error, ErrorKind, Result, files};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use settings::Settings;
use std::path::Path;
use std::time::Instant;
use trial::Trainings;

/// Results that are shown at the end.
const SHOWN: usize = 10;

/// What `search.json` holds: all that a search depends on.
#[derive(Debug, Serialize, Deserialize)]
struct Asked {
    plan: Plan,
    objective: ObjectiveName,
    /// Options of every trial.
    settings: Settings,
}

/// Searches (or goes on) and says what is best.
pub fn run(args: &SearchArgs, output: Output) -> Result<()> {
    let (started, folder) = (Instant::now(), args.train.out.as_path());
    let asked = if args.train.resume { resumed(folder)? } else { fresh(args)? };
    let Asked { plan, objective, settings } = &asked;
    let mut trials = Trials::open(folder, &plan.space, args.train.resume)?;
    let text = serde_json::to_vec_pretty(&asked).map_err(|e| Error::new(ErrorKind::Internal, "search.json", e))?;
    files::write(&folder.join("search.json"), &text)?;
    let count = format::count(plan.trials as u64);
    output.say(format!("{count} trials of up to {} epochs, by validation {}", plan.epochs, objective.name()));
    let bar = progress::share(output, "searching");
    let mut trainings = Trainings::new(&asked, folder, &bar, output);
    let done = search(plan, &mut trials, &mut trainings);
    bar.finish_and_clear();
    if !done? {
        let message = format!("stopped; go on with `ackermann search --resume --out {}`", folder.display());
        return Err(Error::new(ErrorKind::Interrupted, folder.display(), message));
    }
    write_report(&asked, &trials, folder)?;
    if let (None, Some(refusal)) = (plan.best(&trials), trainings.refusal) {
        return Err(refusal);
    }
    finish(plan, *objective, settings, &trials, folder, started.elapsed().as_secs_f64(), output)
}

/// A search described by the command line.
fn fresh(args: &SearchArgs) -> Result<Asked> {
    let folder = args.train.out.as_path();
    let settings = Settings::of_command_line()?;
    if args.train.qat.is_some() {
        return Err(Error::usage("--qat", "is for one training: train the best trial's options with it"));
    }
    let strategy = match args.strategy {
        StrategyName::Random => Strategy::Random,
        StrategyName::Halving => Strategy::Halving { eta: args.eta },
        StrategyName::Tpe => Strategy::Tpe,
    };
    let plan = Plan {
        space: Space::parse(&args.space)?,
        strategy,
        trials: args.trials,
        epochs: args.train.epochs,
        maximize: args.objective == ObjectiveName::Accuracy,
        seed: args.train.seed,
    };
    settings.check(&plan.space, folder)?;
    if matches!(strategy, Strategy::Halving { .. }) && plan.space.0.iter().any(|parameter| parameter.name == "epochs") {
        return Err(Error::usage("--space epochs", "cannot be searched by halving, which chooses the epochs itself"));
    }
    files::check_folder(folder)?;
    if folder.join("search.json").exists() {
        if !args.train.overwrite {
            let message = "holds a search already: --resume goes on with it, --overwrite starts anew";
            return Err(Error::usage(folder.display(), message));
        }
        trial::remove_all(folder)?;
    }
    Ok(Asked { plan, objective: args.objective, settings })
}

/// A search described by its folder.
fn resumed(folder: &Path) -> Result<Asked> {
    let path = folder.join("search.json");
    let bytes = std::fs::read(&path).map_err(|e| Error::reading(&path, &e))?;
    let wrong = |e| Error::new(ErrorKind::BadFile, path.display(), format!("is not the description of a search: {e}"));
    let asked: Asked = serde_json::from_slice(&bytes).map_err(wrong)?;
    asked.settings.check(&asked.plan.space, folder)?;
    Ok(asked)
}

impl ObjectiveName {
    /// As tables name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Mae => "MAE",
            Self::Accuracy => "accuracy",
        }
    }

    /// Its value in an epoch, where the data has one.
    pub fn of(self, row: &EpochRow) -> Option<f64> {
        match self {
            Self::Loss => row.val_loss,
            Self::Mae => row.val_mae,
            Self::Accuracy => row.val_accuracy,
        }
    }
}

fn write_report(asked: &Asked, trials: &Trials, folder: &Path) -> Result<()> {
    let name = format!("validation {}", asked.objective.name());
    report(&asked.plan, trials, &name).write(&folder.join("report.html"))
}

fn finish(
    plan: &Plan,
    objective: ObjectiveName,
    settings: &Settings,
    trials: &Trials,
    folder: &Path,
    seconds: f64,
    output: Output,
) -> Result<()> {
    let best = plan.best(trials).ok_or_else(|| {
        let message = "no trial came to an end: every one was refused or diverged; see trials.csv, try smaller rates";
        Error::new(ErrorKind::NotFinite, folder.display(), message)
    })?;
    let run = trial::folder(folder, best.trial);
    let line = settings.line(&plan.space, &best.values);
    let text = format!(
        "{}\nbest:   trial {}, `ackermann train {line}`\nrun:    {}\nreport: {}",
        table(plan, trials, objective.name(), SHOWN).to_terminal(),
        best.trial,
        run.display(),
        folder.join("report.html").display()
    );
    let values: Map<String, Value> =
        plan.space.0.iter().zip(&best.values).map(|(p, value)| (p.name.clone(), json!(value))).collect();
    let count = |of: fn(&crate::search::Outcome) -> bool| trials.rows().iter().filter(|row| of(&row.outcome)).count();
    let json = json!({
        "search": folder, "trials": plan.trials, "results": trials.rows().len(),
        "failed": count(|outcome| outcome.score.is_err()), "objective": objective.name(),
        "best": {
            "trial": best.trial, "values": values, "score": best.outcome.score.ok(), "epochs": best.outcome.epochs,
            "best_epoch": best.outcome.best_epoch, "run": run, "options": line,
        },
        "report": folder.join("report.html"), "table": folder.join("trials.csv"), "seconds": seconds,
    });
    output.finish(text, &json)
}
