//! The search itself: which trial next, and what it gave.

use serde::{Deserialize, Serialize};

use super::{Outcome, Row, Space, Trials, halving, sampler};
use crate::{Error, ErrorKind, Result};

/// How trials are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Each at random (Bergstra and Bengio 2012).
    Random,
    /// Random ones, of which one in `eta` goes on at each rung.
    Halving {
        /// At least 2.
        eta: usize,
    },
    /// Tree-structured Parzen estimator.
    Tpe,
}

/// What is searched and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Values of the settings.
    pub space: Space,
    /// How trials are chosen.
    pub strategy: Strategy,
    /// How many trials.
    pub trials: usize,
    /// Epochs of a whole trial.
    pub epochs: usize,
    /// Whether a larger score is better.
    pub maximize: bool,
    /// Seed of the choices.
    pub seed: u64,
}

/// Most trials and epochs of a search.
const MOST_TRIALS: usize = 9999;
const MOST_EPOCHS: usize = 1_000_000;

impl Plan {
    /// Refuses what cannot be searched, as a damaged file may say.
    pub fn check(&self) -> Result<()> {
        let wrong = |place: &str, reason: String| Err(Error::new(ErrorKind::BadFile, place, reason));
        for (what, value, most) in [("trials", self.trials, MOST_TRIALS), ("epochs", self.epochs, MOST_EPOCHS)] {
            if !(1..=most).contains(&value) {
                return wrong(what, format!("{value} is not in 1..={most}"));
            }
        }
        let mut parameters = self.space.0.iter();
        match parameters.find_map(|parameter| Some((&parameter.name, parameter.domain.check().err()?))) {
            Some((name, reason)) => wrong(name, reason),
            None => Ok(()),
        }
    }

    /// Rungs of the search; one where trials are not compared on the way.
    pub fn rungs(&self) -> Vec<halving::Rung> {
        match self.strategy {
            Strategy::Halving { eta } => halving::rungs(self.trials, self.epochs, eta),
            _ => vec![halving::Rung { trials: self.trials, epochs: self.epochs }],
        }
    }

    /// What is made small: the score, or its negative; infinite for a trial that failed.
    pub fn cost(&self, outcome: &Outcome) -> f64 {
        outcome.score.map_or(f64::INFINITY, |score: f64| if self.maximize { -score } else { score })
    }

    /// The best row: of the highest rung that any trial has reached, where all had the same epochs.
    pub fn best<'a>(&self, trials: &'a Trials) -> Option<&'a Row> {
        let top = trials.rows().iter().filter(|row| row.outcome.score.is_ok()).map(|row| row.rung).max()?;
        let rows = trials.rows().iter().filter(|row| row.rung == top && row.outcome.score.is_ok());
        rows.min_by(|a, b| self.cost(&a.outcome).total_cmp(&self.cost(&b.outcome)).then(a.trial.cmp(&b.trial)))
    }
}

/// Runs trials.
pub trait Trainer {
    /// Trains trial `trial` with `values` until `epochs` epochs are made, going on where it stopped before; `None` when the
    /// user asked to stop.
    fn train(&mut self, trial: usize, values: &[String], epochs: usize) -> Result<Option<Outcome>>;

    /// After each row that is new.
    fn finished(&mut self, _trials: &Trials) -> Result<()> {
        Ok(())
    }

    /// How far the search is: epochs of trials done, of all; before the first trial and after each.
    fn progress(&mut self, _done: usize, _all: usize) {}
}

/// Runs the trials of `plan` that `trials` does not hold; true when all are done, false when stopped. Errors: those of the
/// trainer and of writing, and a table that another search made.
pub fn search(plan: &Plan, trials: &mut Trials, trainer: &mut dyn Trainer) -> Result<bool> {
    plan.check()?;
    let rungs = plan.rungs();
    let added = |number: usize| rungs[number].epochs - if number > 0 { rungs[number - 1].epochs } else { 0 };
    let all = rungs.iter().enumerate().map(|(number, rung)| rung.trials * added(number)).sum();
    let (mut entrants, mut epochs): (Vec<usize>, usize) = ((0..plan.trials).collect(), 0);
    trainer.progress(epochs, all);
    for (number, rung) in rungs.iter().enumerate() {
        for &trial in &entrants {
            if !run(plan, trials, trainer, (trial, number), rung.epochs)? {
                return Ok(false);
            }
            epochs += added(number);
            trainer.progress(epochs, all);
        }
        let Some(next) = rungs.get(number + 1) else { break };
        let rows = trials.rows().iter().filter(|row| row.rung == number);
        entrants = halving::promoted(rows.map(|row| (row.trial, plan.cost(&row.outcome))).collect(), next.trials);
    }
    Ok(true)
}

fn run(
    plan: &Plan,
    trials: &mut Trials,
    trainer: &mut dyn Trainer,
    (trial, rung): (usize, usize),
    epochs: usize,
) -> Result<bool> {
    let values = values(plan, trials, trial)?;
    if let Some(row) = trials.find(trial, rung) {
        if row.values != values {
            let message = format!("trial {trial} has other values than this search gives it; it is of another search");
            return Err(Error::new(ErrorKind::BadFile, "trials.csv", message));
        }
        return Ok(true);
    }
    let Some(outcome) = trainer.train(trial, &values, epochs)? else { return Ok(false) };
    trials.push(Row { trial, rung, values, outcome })?;
    trainer.finished(trials)?;
    Ok(true)
}

fn values(plan: &Plan, trials: &Trials, trial: usize) -> Result<Vec<String>> {
    if plan.strategy != Strategy::Tpe {
        return Ok(sampler::random(&plan.space, plan.seed, trial));
    }
    let before = trials.rows().iter().filter(|row| row.trial < trial);
    let seen: Vec<_> = before.map(|row| (row.values.as_slice(), plan.cost(&row.outcome))).collect();
    sampler::tpe(&plan.space, plan.seed, trial, &seen)
}
