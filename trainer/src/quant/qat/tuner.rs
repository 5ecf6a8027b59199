//! The fake-quant graph of a network at work: steps of training, and the int8 network that it has become.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use ackermann_core::blob::write::Network as Int8Network;

use super::fine_tune::FineTuneOptions;
use super::graph::int8;
use super::{FACTORS, FakeQuantized, Purpose};
use crate::data::Samples;
use crate::graph::{Executor, NodeId, Param, Params};
use crate::nn::Network;
use crate::optim::{Method, Optimizer};
use crate::quant::observe::{Observer, Recorded, Seen, narrow, observe, spread};
use crate::quant::program::{FloatGraph, Program};
use crate::quant::sources::{Source, sources};
use crate::quant::{Int8Predictor, assemble, for_this_machine};
use crate::train::{Batch, Batches, Loss, Metrics, StepReport, measure};
use crate::{Error, ErrorKind, Result, train};

/// Rate of the ranges' factors to that of the weights: a factor of 1 doubles a range.
const FACTOR_RATE: f64 = 10.0;

/// The graph and what it trains.
pub struct Tuner {
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
    pub fn new(
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
        let trained = params.entries().iter().filter(|param| param.trainable && !options.freeze.holds(&param.name));
        let names: Vec<String> = trained.map(|param| param.name.clone()).collect();
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
    pub fn epoch(
        &mut self,
        train: &dyn Samples,
        options: &FineTuneOptions,
        epoch: usize,
        observer: &mut dyn train::Observer,
        stop: &AtomicBool,
    ) -> Result<Option<(f64, f64)>> {
        let augment = train::Augmentation { seed: options.seed, epoch: epoch as u64 };
        let mut batches = Batches::new(train, self.batch, augment, 0);
        let (started, mut sum, steps) = (Instant::now(), 0.0, batches.steps());
        let samples_per_s = |step: usize, size: usize| (step * size) as f64 / started.elapsed().as_secs_f64();
        for step in 0..steps {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let lr = options.rate(((epoch - 1) * steps + step) as u64, steps);
            let loss = batches.work(step, |batch| self.run(batch))?;
            if let Some(error) = train.failure() {
                return Err(error);
            }
            if !loss.is_finite() {
                let place = format!("epoch {epoch}, step {}", step + 1);
                let message = format!("the loss became {loss} in int8; lower the learning rate (now {:e})", options.lr);
                return Err(Error::new(ErrorKind::NotFinite, place, message));
            }
            self.update(lr);
            sum += loss;
            let (step, epochs) = (step + 1, options.epochs);
            let (mean_loss, rate) = (sum / step as f64, samples_per_s(step, self.batch));
            observer.step(&StepReport { epoch, epochs, step, steps, loss, mean_loss, lr, rate });
        }
        Ok(Some((sum / steps.max(1) as f64, samples_per_s(steps, self.batch))))
    }

    /// Forward and backward; the loss.
    fn run(&mut self, batch: &mut Batch) -> Result<f64> {
        self.executor.swap_input(self.input, &mut batch.inputs);
        self.executor.swap_input(self.target, &mut batch.targets);
        self.executor.run(&self.params)?;
        Ok(f64::from(self.executor.value(self.loss)[0]))
    }

    /// Updates weights and ranges.
    fn update(&mut self, lr: f64) {
        let (executor, gradients) = (&self.executor, &self.gradients);
        let gradient = |at: usize| executor.value(gradients[at]);
        let last = gradients.len() - 1;
        let [weights, factors] = &mut self.optimizers;
        weights.step(&mut self.params, gradient, lr);
        factors.step(&mut self.params, |_| gradient(last), lr * FACTOR_RATE);
    }

    /// The network as it is now, in int8.
    pub fn int8(&self) -> Result<(Int8Network, Vec<u16>)> {
        let factors = self.params.get(FACTORS).map_or(&[][..], |param| &param.data);
        int8(&self.float, &self.program, &self.sources, &self.params, factors)
    }

    pub fn measure(&self, int8: &mut Int8Network, val: &dyn Samples, loss: Loss) -> Result<Option<Metrics>> {
        let blob = for_this_machine(&assemble(int8)?)?;
        let mut predictor = Int8Predictor::new(&blob)?;
        measure(&mut |inputs| predictor.predict_inputs(inputs), val, loss)
    }

    /// The network's own parameters.
    pub fn network_params(&self, like: &Params) -> Params {
        let mut params = like.clone();
        for param in params.entries_mut() {
            if let Some(trained) = self.params.get(&param.name) {
                param.data.clone_from(&trained.data);
            }
        }
        params
    }
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
