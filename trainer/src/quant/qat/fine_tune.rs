//! Fine-tuning from float: some epochs in the arithmetic of the board, weights and ranges together.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use ackermann_core::blob::write::Network as Int8Network;

use super::{FACTORS, FakeQuantized, Purpose};
use crate::data::Samples;
use crate::graph::{Executor, NodeId, Param, Params};
use crate::nn::Network;
use crate::optim::{Method, Optimizer};
use crate::quant::lower::lower_values;
use crate::quant::observe::{Observer, Recorded, Seen, narrow, observe, spread};
use crate::quant::program::{FloatGraph, Program};
use crate::quant::sources::{Source, sources};
use crate::quant::{Int8Predictor, assemble, for_this_machine};
use crate::train::{Batch, EpochRow, Loss, Metrics, StepReport, measure, shuffled};
use crate::{Error, ErrorKind, Result, train};

/// Rate of the ranges' factors to that of the weights: a factor of 1 doubles a range.
const FACTOR_RATE: f64 = 10.0;

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
fn share(epochs: f64, options: &FineTuneOptions) -> f64 {
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

/// The graph and what it trains.
struct Tuner {
    float: FloatGraph,
    program: Program,
    sources: Vec<Source>,
    executor: Executor<f32>,
    input: NodeId,
    target: NodeId,
    loss: NodeId,
    gradients: Vec<NodeId>,
    params: Params,
    /// Of the weights, and of the factors of the ranges.
    optimizers: [Optimizer; 2],
    batch: usize,
}

impl Tuner {
    fn new(
        network: &Network,
        params: &Params,
        train: &dyn Samples,
        options: &FineTuneOptions,
        batch: usize,
    ) -> Result<Self> {
        let mut float = FloatGraph::of(network, params, batch)?;
        float.fix_tables();
        let program = Program::new(&float)?;
        let seen = calibrate(&float, &program, train, options)?;
        let (sources, rows) = sources(&float, &program, Some(&seen))?;
        let mut quantized = FakeQuantized::new(&float, &program, (&sources, rows), Purpose::Train, &|_| true)?;
        let output = quantized.outputs[0];
        let graph = &mut quantized.graph;
        let target = graph.input("target", options.loss.target_shape(graph.shape(output)));
        let loss = options.loss.append(graph, output, target)?;
        let names: Vec<String> =
            params.entries().iter().filter(|param| param.trainable).map(|param| param.name.clone()).collect();
        let mut wrt: Vec<NodeId> = names
            .iter()
            .filter_map(|name| params.get(name))
            .map(|param| graph.param(&param.name, param.shape.clone()))
            .collect();
        wrt.push(quantized.factors);
        let gradients = graph.gradients(loss, &wrt)?;
        let outputs = [&gradients[..], &[loss]].concat();
        let executor = Executor::new(graph, &outputs);
        let mut params = params.clone();
        let data = vec![0.0; 2 * rows.max(1)];
        params.insert(Param { name: FACTORS.into(), shape: [rows.max(1), 2].into(), data, trainable: true })?;
        let weights = Optimizer::new(Method::adam(), 0.0, &params, names.iter().map(String::as_str))?;
        let factors = Optimizer::new(Method::adam(), 0.0, &params, [FACTORS])?;
        let (input, optimizers) = (quantized.inputs[0], [weights, factors]);
        Ok(Self { float, program, sources, executor, input, target, loss, gradients, params, optimizers, batch })
    }

    /// One pass; mean loss and samples per second, or nothing when stopped.
    fn epoch(
        &mut self,
        train: &dyn Samples,
        options: &FineTuneOptions,
        epoch: usize,
        observer: &mut dyn train::Observer,
        stop: &AtomicBool,
    ) -> Result<Option<(f64, f64)>> {
        let order = shuffled(train.len(), options.seed, epoch as u64);
        let steps = train.len() / self.batch;
        let (started, mut sum, mut batch) = (Instant::now(), 0.0, Batch::default());
        for (step, indices) in order.chunks_exact(self.batch).enumerate() {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            batch.fill(train, indices, Some(train::Augmentation { seed: options.seed, epoch: epoch as u64 }));
            let lr = options.lr * share((epoch - 1) as f64 + step as f64 / steps as f64, options);
            let loss = self.step(&mut batch, lr)?;
            if !loss.is_finite() {
                let place = format!("epoch {epoch}, step {}", step + 1);
                let message = format!("the loss became {loss} in int8; lower the learning rate (now {:e})", options.lr);
                return Err(Error::new(ErrorKind::NotFinite, place, message));
            }
            sum += loss;
            let rate = ((step + 1) * self.batch) as f64 / started.elapsed().as_secs_f64();
            let mean_loss = sum / (step + 1) as f64;
            observer.step(&StepReport {
                epoch,
                epochs: options.epochs,
                step: step + 1,
                steps,
                loss,
                mean_loss,
                lr,
                rate,
            });
        }
        let rate = (steps * self.batch) as f64 / started.elapsed().as_secs_f64();
        Ok(Some((sum / steps.max(1) as f64, rate)))
    }

    fn step(&mut self, batch: &mut Batch, lr: f64) -> Result<f64> {
        self.executor.swap_input(self.input, &mut batch.inputs);
        self.executor.swap_input(self.target, &mut batch.targets);
        self.executor.run(&self.params)?;
        let loss = f64::from(self.executor.value(self.loss)[0]);
        let (executor, gradients) = (&self.executor, &self.gradients);
        let gradient = |at: usize| executor.value(gradients[at]);
        let last = gradients.len() - 1;
        let [weights, factors] = &mut self.optimizers;
        weights.step(&mut self.params, gradient, lr);
        factors.step(&mut self.params, |_| gradient(last), lr * FACTOR_RATE);
        Ok(loss)
    }

    /// The network as it is now, in int8.
    fn int8(&self) -> Result<(Int8Network, Vec<u16>)> {
        let factors = self.params.get(FACTORS).map_or(&[][..], |param| &param.data);
        int8(&self.float, &self.program, &self.sources, &self.params, factors)
    }

    fn measure(&self, int8: &mut Int8Network, val: &dyn Samples, loss: Loss) -> Result<Option<Metrics>> {
        let blob = for_this_machine(&assemble(int8)?)?;
        let mut predictor = Int8Predictor::new(&blob)?;
        measure(&mut |inputs| predictor.predict_inputs(inputs), val, loss)
    }

    /// The network's own parameters.
    fn network_params(&self, like: &Params) -> Params {
        let mut params = like.clone();
        for param in params.entries_mut() {
            if let Some(trained) = self.params.get(&param.name) {
                param.data.clone_from(&trained.data);
            }
        }
        params
    }
}

/// What the fake-quant graph of `float` with these parameters and factors computes, as a network of the core, and each value's tensor.
///
/// # Errors
/// As [`lower_values`].
pub fn int8(
    float: &FloatGraph,
    program: &Program,
    sources: &[Source],
    params: &Params,
    factors: &[f32],
) -> Result<(Int8Network, Vec<u16>)> {
    let mut float = FloatGraph { params: params.clone(), ..float.clone() };
    for (node, source) in program.nodes().into_iter().zip(sources).filter(|(_, source)| **source != Source::Integers) {
        float.given.values.insert(node, source.at(factors));
    }
    lower_values(&float, &Program::new(&float)?, None, false)
}

/// The first ranges.
fn calibrate(
    float: &FloatGraph,
    program: &Program,
    train: &dyn Samples,
    options: &FineTuneOptions,
) -> Result<Vec<Seen>> {
    let indices = spread(train.len(), options.calibrated.max(1));
    let mut seen = observe(float, program, &Recorded(train, &indices), options.observer != Observer::MinMax)?;
    crate::quant::quantize::finite(program, &seen)?;
    narrow(&mut seen, program, options.observer);
    for output in &program.outputs {
        let Seen { low, high, .. } = &mut seen[*output];
        (*low, *high) = (*low * options.output_margin, *high * options.output_margin);
    }
    Ok(seen)
}
