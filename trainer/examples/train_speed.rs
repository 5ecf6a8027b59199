//! One side of `scripts/compare-pytorch`: trains a network on one batch, on demand.
//!
//! `train_speed NETWORK` reads a number of steps per line and answers with one line of JSON; see `scripts/compare_pytorch.py`, which builds
//! the same networks and fills them with the same numbers.

use std::io::{BufRead, Write};
use std::time::Instant;

use ackermann_trainer::graph::{Executor, Graph, NodeId, Param, Params, Shape};
use ackermann_trainer::ops::{
    AvgPool, BatchNormTrain, BatchStats, Cell, Conv2d, Dense, DepthwiseConv2d, Function, Padding, Recurrent, Relu,
    Slice, Softmax, Unary, Window,
};
use ackermann_trainer::optim::{Method, Optimizer};
use ackermann_trainer::{Error, Result};
use serde_json::json;

const BATCH: usize = 32;
/// PyTorch's momentum of running statistics.
const MOMENTUM: f32 = 0.1;

/// Numbers in [-1, 1), the same as in `compare_pytorch.py`.
fn noise(count: usize, seed: u64) -> impl Iterator<Item = f32> {
    (0..count as u64).map(move |at| {
        let mixed = (at + seed * 1_000_003) * 2_654_435_761 % (1 << 32);
        let mixed = (mixed ^ (mixed >> 15)) * 2_246_822_519 % (1 << 32);
        ((mixed >> 8) as f64 / f64::from(1 << 23) - 1.0) as f32
    })
}

/// A network under construction.
struct Builder {
    graph: Graph,
    params: Params,
    trained: Vec<NodeId>,
    /// Batch statistics, the number of values behind each, and the running statistics.
    stats: Vec<(NodeId, usize, Vec<f32>)>,
    seed: u64,
}

impl Builder {
    fn new() -> Self {
        Self { graph: Graph::new(), params: Params::new(), trained: Vec::new(), stats: Vec::new(), seed: 1 }
    }

    fn param(&mut self, shape: impl Into<Shape>, data: Vec<f32>) -> Result<NodeId> {
        let (name, shape) = (format!("p{}", self.trained.len()), shape.into());
        let id = self.graph.param(&name, shape.clone());
        self.params.insert(Param { name, shape, data, trainable: true })?;
        self.trained.push(id);
        Ok(id)
    }

    fn numbers(&mut self, count: usize, scale: f64) -> Vec<f32> {
        self.seed += 1;
        noise(count, self.seed - 1).map(|x| x * scale as f32).collect()
    }

    fn weights(&mut self, shape: impl Into<Shape>) -> Result<[NodeId; 2]> {
        let shape = shape.into();
        let fan_in: usize = shape[1..].iter().product();
        let weights = self.numbers(shape.elements(), (6.0 / fan_in as f64).sqrt());
        let bias = self.numbers(shape[0], 0.05);
        Ok([self.param(shape.clone(), weights)?, self.param([shape[0]], bias)?])
    }

    fn conv(
        &mut self,
        x: NodeId,
        filters: usize,
        kernel: [usize; 2],
        stride: usize,
        padding: Padding,
    ) -> Result<NodeId> {
        let channels = self.graph.shape(x)[3];
        let [w, b] = self.weights([filters, kernel[0], kernel[1], channels])?;
        self.graph.push(Conv2d { stride: [stride; 2], dilation: [1, 1], padding }, &[x, w, b])
    }

    fn depthwise(&mut self, x: NodeId) -> Result<NodeId> {
        let channels = self.graph.shape(x)[3];
        let [w, b] = self.weights([channels, 3, 3])?;
        self.graph.push(DepthwiseConv2d { stride: [1, 1], dilation: [1, 1], padding: Padding::all(1) }, &[x, w, b])
    }

    fn dense(&mut self, x: NodeId, outputs: usize) -> Result<NodeId> {
        let shape = self.graph.shape(x);
        let depth = shape.elements() / shape[0];
        let x = if shape.len() == 2 { x } else { self.graph.reshape(x, [BATCH, depth])? };
        let [w, b] = self.weights([outputs, depth])?;
        self.graph.push(Dense, &[x, w, b])
    }

    fn norm(&mut self, x: NodeId) -> Result<NodeId> {
        let shape = self.graph.shape(x).clone();
        let channels = shape[3];
        let stats = self.graph.push(BatchStats, &[x])?;
        let (gamma, beta) =
            (self.param([channels], vec![1.0; channels])?, self.param([channels], vec![0.0; channels])?);
        let running = [vec![0.0; channels], vec![1.0; channels]].concat();
        self.stats.push((stats, shape.elements() / channels, running));
        self.graph.push(BatchNormTrain { epsilon: 1e-5 }, &[x, stats, gamma, beta])
    }

    fn relu(&mut self, x: NodeId) -> Result<NodeId> {
        self.graph.push(Relu, &[x])
    }

    fn norm_relu(&mut self, x: NodeId) -> Result<NodeId> {
        let x = self.norm(x)?;
        self.relu(x)
    }

    fn pool(&mut self, x: NodeId) -> Result<NodeId> {
        let shape = self.graph.shape(x);
        let kernel = [shape[1], shape[2]];
        self.graph.push(AvgPool { window: Window::new(kernel, kernel, Padding::default()) }, &[x])
    }
}

fn pilotnet(b: &mut Builder, mut x: NodeId) -> Result<NodeId> {
    for (filters, kernel, stride) in [(24, 5, 2), (36, 5, 2), (48, 5, 2), (64, 3, 1), (64, 3, 1)] {
        x = b.conv(x, filters, [kernel; 2], stride, Padding::default())?;
        x = b.relu(x)?;
    }
    for outputs in [100, 50, 10] {
        x = b.dense(x, outputs)?;
        x = b.relu(x)?;
    }
    b.dense(x, 1)
}

fn resnet8(b: &mut Builder, x: NodeId) -> Result<NodeId> {
    let x = b.conv(x, 16, [3, 3], 1, Padding::all(1))?;
    let mut x = b.norm_relu(x)?;
    for (filters, stride) in [(16, 1), (32, 2), (64, 2)] {
        let y = b.conv(x, filters, [3, 3], stride, Padding::all(1))?;
        let y = b.norm_relu(y)?;
        let y = b.conv(y, filters, [3, 3], 1, Padding::all(1))?;
        let y = b.norm(y)?;
        let short = if stride == 1 { x } else { b.conv(x, filters, [1, 1], stride, Padding::default())? };
        let sum = b.graph.add(y, short)?;
        x = b.relu(sum)?;
    }
    let x = b.pool(x)?;
    b.dense(x, 10)
}

fn ds_cnn(b: &mut Builder, x: NodeId) -> Result<NodeId> {
    let x = b.conv(x, 64, [10, 4], 2, Padding { top: 4, bottom: 5, left: 1, right: 1 })?;
    let mut x = b.norm_relu(x)?;
    for _ in 0..4 {
        let y = b.depthwise(x)?;
        let y = b.norm_relu(y)?;
        let y = b.conv(y, 64, [1, 1], 1, Padding::default())?;
        x = b.norm_relu(y)?;
    }
    let x = b.pool(x)?;
    b.dense(x, 12)
}

/// One layer of 128 units; its state after the last step.
fn lstm(b: &mut Builder, x: NodeId) -> Result<NodeId> {
    let (units, inputs) = (128, 64);
    let w = b.numbers(4 * units * inputs, 0.088);
    let r = b.numbers(4 * units * units, 0.088);
    let bias = [b.numbers(4 * units, 0.088), b.numbers(4 * units, 0.088)].concat();
    let w = b.param([4 * units, inputs], w)?;
    let r = b.param([4 * units, units], r)?;
    let bias = b.param([8 * units], bias)?;
    let states = Recurrent::new(Cell::Lstm).train(&mut b.graph, "lstm", &[x, w, r, bias])?;
    let last = Slice::dense(vec![0, 99, 0], [BATCH, 1, units].into());
    let last = b.graph.push(last, &[states])?;
    b.graph.reshape(last, [BATCH, units])
}

/// Cross-entropy against the class `sample % classes`.
fn cross_entropy(b: &mut Builder, x: NodeId) -> Result<(NodeId, NodeId, Vec<f32>)> {
    let classes = b.graph.shape(x)[1];
    let target = b.graph.input("target", [BATCH, classes]);
    let shares = b.graph.push(Softmax, &[x])?;
    let logs = b.graph.push(Unary { function: Function::Log }, &[shares])?;
    let chosen = b.graph.mul(logs, target)?;
    let sum = b.graph.sum(chosen)?;
    let loss = b.graph.affine(sum, -1.0 / BATCH as f64, 0.0)?;
    let hot = (0..BATCH * classes).map(|at| if at % classes == at / classes % classes { 1.0 } else { 0.0 });
    Ok((loss, target, hot.collect()))
}

fn squared_error(b: &mut Builder, x: NodeId) -> Result<(NodeId, NodeId, Vec<f32>)> {
    let shape = b.graph.shape(x).clone();
    let target = b.graph.input("target", shape.clone());
    let error = b.graph.sub(x, target)?;
    let square = b.graph.mul(error, error)?;
    let loss = b.graph.mean(square)?;
    Ok((loss, target, noise(shape.elements(), 2000).collect()))
}

/// A network in training.
struct Training {
    executor: Executor<f32>,
    loss: NodeId,
    gradients: Vec<NodeId>,
    params: Params,
    optimizer: Optimizer,
    stats: Vec<(NodeId, usize, Vec<f32>)>,
    step: u64,
}

impl Training {
    fn new(network: &str) -> Result<Self> {
        let mut b = Builder::new();
        let input: Shape = match network {
            "pilotnet" => [BATCH, 66, 200, 3].into(),
            "resnet8" => [BATCH, 32, 32, 3].into(),
            "ds-cnn" => [BATCH, 49, 10, 1].into(),
            "lstm" => [BATCH, 100, 64].into(),
            _ => return Err(Error::usage("NETWORK", "is one of pilotnet, resnet8, ds-cnn, lstm")),
        };
        let x = b.graph.input("input", input.clone());
        let (loss, target, targets) = match network {
            "pilotnet" => pilotnet(&mut b, x).and_then(|x| squared_error(&mut b, x)),
            "resnet8" => resnet8(&mut b, x).and_then(|x| cross_entropy(&mut b, x)),
            "ds-cnn" => ds_cnn(&mut b, x).and_then(|x| cross_entropy(&mut b, x)),
            _ => lstm(&mut b, x).and_then(|x| squared_error(&mut b, x)),
        }?;
        let gradients = b.graph.gradients(loss, &b.trained)?;
        let mut outputs = gradients.clone();
        outputs.push(loss);
        outputs.extend(b.stats.iter().map(|stats| stats.0));
        let mut executor = Executor::new(&b.graph, &outputs);
        executor.input_mut(x).iter_mut().zip(noise(input.elements(), 1000)).for_each(|(x, v)| *x = v);
        executor.input_mut(target).copy_from_slice(&targets);
        let names: Vec<String> = b.params.entries().iter().map(|p| p.name.clone()).collect();
        let optimizer = Optimizer::new(Method::adam(), 0.0, &b.params, names.iter().map(String::as_str))?;
        Ok(Self { executor, loss, gradients, params: b.params, optimizer, stats: b.stats, step: 0 })
    }

    /// One step; the loss before it.
    fn step(&mut self) -> Result<f32> {
        self.step += 1;
        self.executor.set_step(self.step);
        self.executor.run(&self.params)?;
        for (node, count, running) in &mut self.stats {
            let values = self.executor.value(*node);
            let unbiased = *count as f32 / (*count as f32 - 1.0);
            for (at, (r, &v)) in running.iter_mut().zip(values).enumerate() {
                let v = if at < values.len() / 2 { v } else { v * unbiased };
                *r += MOMENTUM * (v - *r);
            }
        }
        let gradient = |at: usize| self.executor.value(self.gradients[at]);
        self.optimizer.step(&mut self.params, gradient, 1e-3);
        Ok(self.executor.value(self.loss)[0])
    }
}

/// A figure of `/proc/self/status` in bytes.
fn status(key: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    Some(line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()? * 1024)
}

/// Seconds that all threads have computed.
fn cpu_seconds() -> Option<f64> {
    let mut nanoseconds = 0.0;
    for task in std::fs::read_dir("/proc/self/task").ok()? {
        let times = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        nanoseconds += times.split(' ').next()?.parse::<f64>().ok()?;
    }
    Some(nanoseconds * 1e-9)
}

fn main() -> Result<()> {
    let idle = status("VmRSS");
    let network = std::env::args().nth(1).unwrap_or_default();
    let mut training = Training::new(&network)?;
    for line in std::io::stdin().lock().lines() {
        let steps: usize = line.ok().and_then(|line| line.trim().parse().ok()).unwrap_or(1);
        let start = Instant::now();
        let losses = (0..steps).map(|_| training.step()).collect::<Result<Vec<f32>>>()?;
        let answer = json!({
            "seconds": start.elapsed().as_secs_f64(),
            "cpu": cpu_seconds(),
            "losses": losses,
            "parameters": training.params.entries().iter().map(|p| p.data.len()).sum::<usize>(),
            "peak": status("VmHWM"),
            "idle": idle,
            "executor": training.executor.bytes(),
        });
        println!("{answer}");
        std::io::stdout().flush().ok();
    }
    Ok(())
}
