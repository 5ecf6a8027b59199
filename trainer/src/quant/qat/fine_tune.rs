//! Fine-tuning from float: some epochs in the arithmetic of the board, weights and ranges together.

use std::sync::atomic::AtomicBool;

use ackermann_core::blob::write::Network as Int8Network;

use super::tuner::Tuner;
use crate::data::Samples;
use crate::graph::Params;
use crate::nn::{Freeze, Network};
use crate::optim::{Schedule, Timetable};
use crate::quant::observe::Observer;
use crate::train::{EpochRow, Loss, check_samples};
use crate::{Error, Result, train};

/// How a network is fine-tuned.
#[derive(Debug, Clone, PartialEq)]
pub struct FineTuneOptions {
    /// Passes over the training samples.
    pub epochs: usize,
    /// Samples per step.
    pub batch: usize,
    /// Learning rate of Adam at the start; it falls to 0 like a cosine.
    pub lr: f64,
    /// What is minimized.
    pub loss: Loss,
    /// Parameters that stay as they are; ranges are learned all the same.
    pub freeze: Freeze,
    /// Seed of the order of the samples and their augmentation.
    pub seed: u64,
    /// Samples that the first ranges are calibrated on.
    pub calibrated: usize,
    /// How the first ranges are made.
    pub observer: Observer,
    /// Factor on the output's first range.
    pub output_margin: f32,
}

impl Default for FineTuneOptions {
    fn default() -> Self {
        Self {
            epochs: 3,
            batch: 32,
            lr: 1e-4,
            loss: Loss::Mse,
            freeze: Freeze::NONE,
            seed: 0,
            calibrated: 1000,
            observer: Observer::MinMax,
            output_margin: 1.1,
        }
    }
}

/// A fine-tuned network.
#[derive(Debug)]
pub struct Tuned {
    /// Its parameters; the float network with them is near the int8 one, which is what was trained.
    pub params: Params,
    /// It in int8.
    pub int8: Int8Network,
    /// The tensor of each value of the program.
    pub tensors: Vec<u16>,
    /// One row per epoch, measured in int8; the row of epoch 0 is that before training.
    pub history: Vec<EpochRow>,
    /// The epoch that was kept.
    pub best: usize,
}

/// Fine-tunes `network` from `params` on `train` (augmented) and keeps the best epoch on `val`, epoch 0 included. When `stop` turns true the best so far is
/// returned.
///
/// # Errors
/// Samples that do not fit the network or the loss, a layer that has no int8 form or no derivative, a loss that is not finite.
pub fn fine_tune(
    network: &Network,
    params: &Params,
    (train, val): (&dyn Samples, &dyn Samples),
    options: &FineTuneOptions,
    observer: &mut dyn train::Observer,
    stop: &AtomicBool,
) -> Result<Tuned> {
    network.check(params)?;
    check(network, (train, val), options)?;
    let batch = options.batch.clamp(1, train.len());
    let mut tuner = Tuner::new(network, params, train, options, batch)?;
    let (mut int8, tensors) = tuner.int8()?;
    let metrics = tuner.measure(&mut int8, val, options.loss)?;
    let first = EpochRow::new(0, f64::NAN, metrics, options.lr, 0.0);
    let mut tuned = Tuned { params: params.clone(), int8, tensors, history: vec![first], best: 0 };
    for epoch in 1..=options.epochs {
        let Some((train_loss, rate)) = tuner.epoch(train, options, epoch, observer, stop)? else { break };
        let (mut int8, tensors) = tuner.int8()?;
        let metrics = tuner.measure(&mut int8, val, options.loss)?;
        let lr = options.rate((epoch * (train.len() / batch)) as u64, train.len() / batch);
        let row = EpochRow::new(epoch, train_loss, metrics, lr, rate);
        // Without validation the last epoch is the best; what is equally good was trained longer.
        let better = val.is_empty() || row.score(val.len()) <= tuned.history[tuned.best].score(val.len());
        observer.epoch(&row, better);
        tuned.history.push(row);
        if better {
            tuned = Tuned { int8, tensors, params: tuner.network_params(params), best: epoch, ..tuned };
        }
    }
    Ok(tuned)
}

/// Whether `network` can be trained in int8.
///
/// # Errors
/// A network that remembers.
pub fn trainable(network: &Network) -> Result<()> {
    if network.steps().is_some() {
        let message = "remembers from frame to frame; such networks are not trained in int8: quantize it without --qat";
        return Err(Error::usage(&network.name, message));
    }
    Ok(())
}

/// Errors: what cannot be fine-tuned, asked for before anything long.
pub fn check(network: &Network, (train, val): (&dyn Samples, &dyn Samples), options: &FineTuneOptions) -> Result<()> {
    trainable(network)?;
    check_samples(network, options.loss, train, "training data")?;
    if !val.is_empty() {
        check_samples(network, options.loss, val, "validation data")?;
    }
    if !(options.lr.is_finite() && options.lr > 0.0) {
        return Err(Error::usage("--lr", format!("{} is not a positive number", options.lr)));
    }
    Ok(())
}

impl FineTuneOptions {
    /// Learning rate at `step`, from 0 over all epochs, of which each has `per_epoch` steps.
    pub fn rate(&self, step: u64, per_epoch: usize) -> f64 {
        let schedule = Schedule::Cosine { floor: 0.0 };
        self.lr * Timetable { schedule, warmup: 0.0, epochs: self.epochs, per_epoch }.factor(step)
    }
}
