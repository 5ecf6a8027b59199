//! How the learning rate changes over a run, step by step.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Where a warm-up begins: a rise from exactly zero would waste the first step.
const WARMUP_FROM: f64 = 0.01;

/// Learning rate over time, as a factor on the base rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Always the base rate.
    Constant,
    /// Multiplied by `factor` after every `every` epochs (PyTorch's `StepLR`).
    Step {
        /// Epochs between drops, at least 1.
        every: usize,
        /// Factor of each drop.
        factor: f64,
    },
    /// Falls along half a cosine to `floor` times the base rate (Loshchilov and Hutter 2017; PyTorch's `CosineAnnealingLR`
    /// over all steps).
    Cosine {
        /// Fraction of the base rate at the end.
        floor: f64,
    },
    /// Rises along half a cosine from `start` to the base rate in the first `rise` of all steps, and falls along another to
    /// `end` (Smith and Topin 2018; PyTorch's `OneCycleLR` without its cycle of the momentum).
    OneCycle {
        /// Share of the steps in which the rate rises, above 0 and below 1.
        rise: f64,
        /// Fraction of the base rate at the start.
        start: f64,
        /// Fraction of the base rate at the end.
        end: f64,
    },
}

impl Schedule {
    /// One cycle with PyTorch's constants.
    pub fn one_cycle() -> Self {
        Self::OneCycle { rise: 0.3, start: 1.0 / 25.0, end: 1.0 / 25e4 }
    }

    /// Errors name what is out of range.
    pub fn check(&self) -> Result<()> {
        let wrong = |message: String| Err(Error::usage("--schedule", message));
        let fraction = |value: f64| (0.0..=1.0).contains(&value);
        match *self {
            Self::Step { every: 0, .. } => wrong("step: drops are at least 1 epoch apart".into()),
            Self::Step { factor, .. } if !(factor.is_finite() && factor > 0.0) => {
                wrong(format!("step: factor {factor} is not a positive number"))
            }
            Self::Cosine { floor } if !fraction(floor) => wrong(format!("cosine: floor {floor} is not in 0 to 1")),
            Self::OneCycle { rise, start, end } if !(rise > 0.0 && rise < 1.0 && fraction(start) && fraction(end)) => {
                wrong(format!("one-cycle: rise {rise}, start {start} and end {end} are not within 0 to 1"))
            }
            _ => Ok(()),
        }
    }

    /// Factor that it begins with.
    fn first(&self) -> f64 {
        match *self {
            Self::OneCycle { start, .. } => start,
            Self::Constant | Self::Step { .. } | Self::Cosine { .. } => 1.0,
        }
    }

    /// Factor at `step` (from 0) of `steps`, of which an epoch has `per_epoch`.
    fn factor(&self, step: f64, steps: f64, per_epoch: f64) -> f64 {
        match *self {
            Self::Constant => 1.0,
            Self::Step { every, factor } => factor.powf((step / (every.max(1) as f64 * per_epoch)).floor()),
            Self::Cosine { floor } => half_cosine(1.0, floor, step / steps),
            Self::OneCycle { rise, start, end } => {
                let (top, last) = (rise * steps - 1.0, steps - 1.0);
                if step <= top {
                    half_cosine(start, 1.0, step / top)
                } else {
                    half_cosine(1.0, end, (step - top) / (last - top))
                }
            }
        }
    }
}

/// From `from` at `progress` 0 to `to` at 1, and there from then on.
fn half_cosine(from: f64, to: f64, progress: f64) -> f64 {
    // Without length there is no progress: it has arrived.
    let progress = if progress.is_nan() { 1.0 } else { progress.clamp(0.0, 1.0) };
    to + (from - to) * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
}

/// A schedule laid over the steps of a run, after a warm-up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timetable {
    /// What follows the warm-up, over the steps that are left.
    pub schedule: Schedule,
    /// Epochs in which the rate rises linearly to where the schedule begins; 0 for none.
    pub warmup: f64,
    /// Epochs of the run.
    pub epochs: usize,
    /// Steps of an epoch.
    pub per_epoch: usize,
}

impl Timetable {
    /// Factor on the base rate at `step`, from 0 over all epochs.
    pub fn factor(&self, step: u64) -> f64 {
        let per_epoch = self.per_epoch as f64;
        let (step, steps, warmup) = (step as f64, self.epochs as f64 * per_epoch, self.warmup * per_epoch);
        if step < warmup {
            return self.schedule.first() * (step / warmup).max(WARMUP_FROM);
        }
        self.schedule.factor(step - warmup, steps - warmup, per_epoch)
    }
}
