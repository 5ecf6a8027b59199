//! Settings of a run.

use serde::{Deserialize, Serialize};

use super::{Loss, Start};
use crate::nn::{Freeze, Initializer};
use crate::optim::{Clip, Method, Schedule, Timetable};
use crate::{Error, Result};

/// Most passes over the training samples.
const MOST_EPOCHS: usize = 1_000_000;

/// Settings of a run; `config.json` holds them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrainConfig {
    /// Passes over the training samples.
    pub epochs: usize,
    /// Samples per step; fewer when there are not as many. Samples that do not fill a last batch wait for another epoch.
    pub batch: usize,
    /// Base learning rate.
    pub lr: f64,
    /// How the rate changes.
    pub schedule: Schedule,
    /// Epochs in which the rate first rises linearly to where the schedule begins.
    pub warmup: f64,
    /// Rule of the update.
    pub method: Method,
    /// Pull of the parameters towards zero: coupled (an L2 penalty) or decoupled, as the method says.
    pub weight_decay: f64,
    /// Gradients with a larger common norm are scaled down to it.
    pub clip_norm: Option<f64>,
    /// Each gradient is cut off at plus and minus this, before the norm is taken.
    pub clip_value: Option<f64>,
    /// Decay of an exponential moving average of the parameters, 0 to below 1: it is what is validated and kept as best.
    pub ema: Option<f64>,
    /// What is minimized.
    pub loss: Loss,
    /// Seed of everything random: initial values, order, augmentation, dropout.
    pub seed: u64,
    /// How weights begin.
    pub initializer: Initializer,
    /// Trained parameters to begin with instead.
    pub start: Option<Start>,
    /// Parameters that stay as they are.
    pub freeze: Freeze,
    /// Stop after this many epochs in a row without a better one.
    pub patience: Option<usize>,
    /// Epochs in int8 arithmetic that are to follow: no part of the run itself, kept so that whoever goes on with it trains them too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qat: Option<usize>,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch: 32,
            lr: 1e-3,
            schedule: Schedule::Cosine { floor: 0.01 },
            warmup: 0.5,
            method: Method::adam(),
            weight_decay: 0.0,
            clip_norm: None,
            clip_value: None,
            ema: None,
            loss: Loss::Mse,
            seed: 0,
            initializer: Initializer::default(),
            start: None,
            freeze: Freeze::NONE,
            patience: None,
            qat: None,
        }
    }
}

impl TrainConfig {
    /// Errors name the setting that cannot be used.
    pub fn check(&self) -> Result<()> {
        let wrong = |option: &str, message: String| Err(Error::usage(option, message));
        if !(1..=MOST_EPOCHS).contains(&self.epochs) {
            return wrong("--epochs", format!("{} is not in 1..={MOST_EPOCHS}", self.epochs));
        }
        if self.batch == 0 {
            return wrong("--batch", "must be at least 1".into());
        }
        if !(self.lr.is_finite() && self.lr > 0.0) {
            return wrong("--lr", format!("{} is not a positive number", self.lr));
        }
        if !(self.weight_decay.is_finite() && self.weight_decay >= 0.0) {
            return wrong("--weight-decay", format!("{} is not a number from 0", self.weight_decay));
        }
        if let Loss::Huber { delta } = self.loss
            && !(delta.is_finite() && delta > 0.0)
        {
            return wrong("--huber-delta", format!("{delta} is not a positive number"));
        }
        if let Loss::CrossEntropy { smoothing } = self.loss
            && !(0.0..1.0).contains(&smoothing)
        {
            return wrong("--smoothing", format!("{smoothing} is not a share from 0 to below 1"));
        }
        if !(0.0..=MOST_EPOCHS as f64).contains(&self.warmup) {
            return wrong("--warmup", format!("{} epochs are not in 0..={MOST_EPOCHS}", self.warmup));
        }
        if let Some(decay) = self.ema
            && !(0.0..1.0).contains(&decay)
        {
            return wrong("--ema", format!("{decay} is not in 0 to below 1"));
        }
        if self.patience == Some(0) {
            return wrong("--patience", "must be at least 1".into());
        }
        if self.qat.is_some_and(|epochs| !(1..=MOST_EPOCHS).contains(&epochs)) {
            return wrong("--qat", format!("is not in 1..={MOST_EPOCHS}"));
        }
        self.method.check()?;
        self.schedule.check()?;
        self.clip().check()
    }

    /// The bounds on gradients.
    pub fn clip(&self) -> Clip {
        Clip { value: self.clip_value, norm: self.clip_norm }
    }

    /// Learning rate at `step`, from 0 over all epochs, of which each has `per_epoch` steps.
    pub fn rate(&self, step: u64, per_epoch: usize) -> f64 {
        let Self { schedule, warmup, epochs, .. } = *self;
        self.lr * Timetable { schedule, warmup, epochs, per_epoch }.factor(step)
    }
}
