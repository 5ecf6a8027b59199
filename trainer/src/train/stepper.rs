//! One training step: forward, backward, update.

use super::TrainConfig;
use super::batch::Batch;
use crate::graph::{Executor, NodeId, Params};
use crate::nn::{Built, Freeze, Mode, Network, RunningStats};
use crate::optim::Optimizer;
use crate::{Error, Result};

/// PyTorch's momentum of running statistics.
const MOMENTUM: f32 = 0.1;

/// The training graph of a network, ready to run.
pub struct Stepper {
    executor: Executor<f32>,
    input: NodeId,
    target: NodeId,
    loss: NodeId,
    gradients: Vec<NodeId>,
    running: Vec<Running>,
    /// Names of the trained parameters, in the order of `gradients`.
    names: Vec<String>,
}

/// Running statistics of a batch-norm layer.
struct Running {
    /// Mean and variance of the batch.
    node: NodeId,
    mean: String,
    variance: String,
    /// Factor on the batch's variance: the running one is unbiased, as in PyTorch.
    unbiased: f32,
}

impl Running {
    fn new(stats: &RunningStats) -> Self {
        let RunningStats { node, name, count } = stats;
        let [mean, variance] = ["mean", "var"].map(|which| format!("{name}.running_{which}"));
        Self { node: *node, mean, variance, unbiased: *count as f32 / count.saturating_sub(1).max(1) as f32 }
    }
}

impl Stepper {
    /// Builds the graph of network, loss and gradients for batches of `batch`.
    pub fn new(network: &Network, config: &TrainConfig, batch: usize) -> Result<Self> {
        let mut built = network.build_frozen(batch, Mode::Train { seed: config.seed }, &config.freeze)?;
        check_frozen(network, &config.freeze, &built)?;
        let graph = &mut built.graph;
        let target = graph.input("target", config.loss.target_shape(graph.shape(built.output)));
        let loss = config.loss.append(graph, built.output, target)?;
        let gradients = graph.gradients(loss, &built.params)?;
        let mut outputs = gradients.clone();
        outputs.push(loss);
        outputs.extend(built.stats.iter().map(|s| s.node));
        let names = built.params.iter().map(|&id| graph.node(id).name.clone()).collect();
        let executor = Executor::new(graph, &outputs);
        let running = built.stats.iter().map(Running::new).collect();
        Ok(Self { executor, input: built.input, target, loss, gradients, running, names })
    }

    /// Names of the trained parameters, in the order the optimizer must have them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Takes over a batch; what was taken before is given back to be filled again.
    pub fn exchange(&mut self, batch: &mut Batch) {
        self.executor.swap_input(self.input, &mut batch.inputs);
        self.executor.swap_input(self.target, &mut batch.targets);
    }

    /// Copies a batch.
    pub fn fill(&mut self, inputs: &[f32], targets: &[f32]) {
        for (node, values) in [(self.input, inputs), (self.target, targets)] {
            self.executor.input_mut(node).iter_mut().zip(values).for_each(|(own, value)| *own = *value);
        }
    }

    /// Forward and backward of training step `step`; the loss.
    pub fn run(&mut self, params: &Params, step: u64) -> Result<f64> {
        self.executor.set_step(step);
        self.executor.run(params)?;
        Ok(f64::from(self.executor.value(self.loss)[0]))
    }

    /// Updates parameters and running statistics from the last [`Stepper::run`].
    pub fn update(&self, params: &mut Params, optimizer: &mut Optimizer, rate: f64) {
        let gradient = |at: usize| self.executor.value(self.gradients[at]);
        optimizer.step(params, gradient, rate);
        for Running { node, mean, variance, unbiased } in &self.running {
            let value = self.executor.value(*node);
            let (batch_mean, batch_variance) = value.split_at(value.len() / 2);
            blend(params, mean, batch_mean, 1.0);
            blend(params, variance, batch_variance, *unbiased);
        }
    }
}

/// Errors for a pattern that freezes nothing, or patterns that leave nothing to train.
pub fn check_frozen(network: &Network, freeze: &Freeze, built: &Built) -> Result<()> {
    let names = built.roles.iter().map(|(id, _)| built.graph.node(*id).name.as_str());
    if let Some(pattern) = freeze.unused(names) {
        let message =
            format!("`{pattern}` matches no parameter of {}; `ackermann inspect` lists the layers", network.name);
        return Err(Error::usage("--freeze", message));
    }
    if built.params.is_empty() && !freeze.is_none() {
        return Err(Error::usage("--freeze", format!("leaves nothing of {} to train", network.name)));
    }
    Ok(())
}

fn blend(params: &mut Params, name: &str, batch: &[f32], factor: f32) {
    if let Some(running) = params.get_mut(name) {
        for (r, &b) in running.data.iter_mut().zip(batch) {
            *r += MOMENTUM * (b * factor - *r);
        }
    }
}
