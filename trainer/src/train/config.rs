//! Settings of a run.

use serde::{Deserialize, Serialize};

use super::Loss;
use crate::optim::{Method, Schedule};
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
    /// Rule of the update.
    pub method: Method,
    /// Added to gradients, times the parameter (L2 penalty).
    pub weight_decay: f32,
    /// Gradients with a larger common norm are scaled down to it.
    pub clip_norm: Option<f64>,
    /// What is minimized.
    pub loss: Loss,
    /// Seed of everything random: initial values, order, augmentation, dropout.
    pub seed: u64,
    /// Stop after this many epochs without a better validation loss.
    pub patience: Option<usize>,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch: 32,
            lr: 1e-3,
            schedule: Schedule::Cosine { warmup: 0.5, floor: 0.01 },
            method: Method::adam(),
            weight_decay: 0.0,
            clip_norm: None,
            loss: Loss::Mse,
            seed: 0,
            patience: None,
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
        match self.clip_norm {
            Some(limit) if limit.is_nan() || limit <= 0.0 => wrong("--clip", format!("{limit} is not positive")),
            _ => Ok(()),
        }
    }
}
