//! How the learning rate changes over a run.

use serde::{Deserialize, Serialize};

/// Learning rate over time, as a factor on the base rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Always the base rate.
    Constant,
    /// Multiplied by `factor` after every `every` epochs.
    Step {
        /// Epochs between drops, at least 1.
        every: usize,
        /// Factor of each drop.
        factor: f64,
    },
    /// Rises linearly over `warmup` epochs, then falls along half a cosine to `floor` times the base rate
    /// (Loshchilov and Hutter 2017).
    Cosine {
        /// Epochs of the rise; 0 for none.
        warmup: f64,
        /// Fraction of the base rate at the end.
        floor: f64,
    },
}

impl Schedule {
    /// Factor at `epoch` (a fraction within an epoch counts) of `epochs`.
    pub fn factor(&self, epoch: f64, epochs: f64) -> f64 {
        match *self {
            Self::Constant => 1.0,
            Self::Step { every, factor } => factor.powi((epoch / every.max(1) as f64) as i32),
            // A rise from exactly zero would waste the first step.
            Self::Cosine { warmup, .. } if epoch < warmup => (epoch / warmup).max(0.01),
            Self::Cosine { warmup, floor } => {
                let progress = ((epoch - warmup) / (epochs - warmup).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
                floor + (1.0 - floor) * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
            }
        }
    }
}
