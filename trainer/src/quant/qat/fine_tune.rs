//! Fine-tuning from float: some epochs in the arithmetic of the board, weights and ranges together.

use std::sync::atomic::AtomicBool;

use ackermann_core::blob::write::Network as Int8Network;

use super::tuner::Tuner;
use crate::data::Samples;
use crate::graph::Params;
use crate::nn::Network;
use crate::quant::observe::Observer;
use crate::train::{EpochRow, Loss, Metrics};
use crate::{Error, ErrorKind, Result, train};

/// How a network is fine-tuned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FineTuneOptions {
    /// Passes over the training samples.
    pub epochs: usize,
    /// Samples per step.
    pub batch: usize,
    /// Learning rate of Adam at the start; it falls to 0 like a cosine.
    pub lr: f64,
    /// What is minimized.
    pub loss: Loss,
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
            seed: 0,
            calibrated: 300,
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
    check(network, train, options)?;
    let batch = options.batch.clamp(1, train.len());
    let mut tuner = Tuner::new(network, params, train, options, batch)?;
    let (mut int8, tensors) = tuner.int8()?;
    let metrics = tuner.measure(&mut int8, val, options.loss)?;
    let first = row(0, f64::NAN, metrics, options.lr, 0.0);
    let mut tuned = Tuned { params: params.clone(), int8, tensors, history: vec![first], best: 0 };
    for epoch in 1..=options.epochs {
        let Some((train_loss, rate)) = tuner.epoch(train, options, epoch, observer, stop)? else { break };
        let (mut int8, tensors) = tuner.int8()?;
        let metrics = tuner.measure(&mut int8, val, options.loss)?;
        let row = row(epoch, train_loss, metrics, options.lr * share(epoch as f64, options), rate);
        let loss = |row: &EpochRow| row.val_loss.unwrap_or(f64::NEG_INFINITY);
        let better = loss(&row) <= loss(&tuned.history[tuned.best]);
        observer.epoch(&row, better);
        tuned.history.push(row);
        if better {
            tuned = Tuned { int8, tensors, params: tuner.network_params(params), best: epoch, ..tuned };
        }
    }
    Ok(tuned)
}

fn check(network: &Network, train: &dyn Samples, options: &FineTuneOptions) -> Result<()> {
    let wrong = |message: String| Err(Error::new(ErrorKind::Shape, "training data", message));
    if train.is_empty() {
        return wrong("has no samples".into());
    }
    if train.input_shape() != network.input {
        return wrong(format!(
            "has inputs of shape {:?}, {} takes {:?}",
            train.input_shape(),
            network.name,
            network.input
        ));
    }
    if !(options.lr.is_finite() && options.lr > 0.0) {
        return Err(Error::usage("--lr", format!("{} is not a positive number", options.lr)));
    }
    options.loss.check(train.target(), network.outputs()?).or_else(wrong)
}

/// What is left of the learning rate after so many epochs.
pub fn share(epochs: f64, options: &FineTuneOptions) -> f64 {
    (1.0 + (std::f64::consts::PI * epochs / options.epochs.max(1) as f64).cos()) / 2.0
}

fn row(epoch: usize, train_loss: f64, metrics: Option<Metrics>, lr: f64, rate: f64) -> EpochRow {
    EpochRow {
        epoch,
        train_loss,
        val_loss: metrics.map(|m| m.loss),
        val_mae: metrics.and_then(|m| m.mae),
        val_accuracy: metrics.and_then(|m| m.accuracy),
        lr,
        samples_per_s: rate,
    }
}
