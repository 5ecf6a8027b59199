//! One side of `scripts/compare-pytorch`: trains a network on one batch, on demand.
//!
//! `train_speed NETWORK` reads a number of steps per line and answers with one line of JSON; see `scripts/compare_pytorch.py`, which builds
//! the same networks and fills them with the same numbers.

use std::io::{BufRead, Write};
use std::time::Instant;

use ackermann_trainer::graph::Params;
use ackermann_trainer::nn::{Initializer, Layer, Network, by_name};
use ackermann_trainer::optim::{Method, Optimizer};
use ackermann_trainer::train::{Loss, Sequential};
use ackermann_trainer::{Error, Result};
use serde_json::json;

const BATCH: usize = 32;

/// Numbers in [-1, 1), the same as in `compare_pytorch.py`.
fn noise(count: usize, seed: u64) -> impl Iterator<Item = f32> {
    (0..count as u64).map(move |at| {
        let mixed = (at + seed * 1_000_003) * 2_654_435_761 % (1 << 32);
        let mixed = (mixed ^ (mixed >> 15)) * 2_246_822_519 % (1 << 32);
        ((mixed >> 8) as f64 / f64::from(1 << 23) - 1.0) as f32
    })
}

/// The named network without its dropout, which draws other masks on each side, and what it is trained for.
fn network(name: &str) -> Result<(Network, Loss)> {
    let classes = Loss::CrossEntropy { smoothing: 0.0 };
    let (mut network, loss) = match name {
        "pilotnet" => (by_name(name)?, Loss::Mse),
        "resnet8" | "ds-cnn" => (by_name(name)?, classes),
        "lstm" => (Network::of_numbers(name, [100, 64], vec![Layer::lstm(128).last_state()]), Loss::Mse),
        _ => return Err(Error::usage("NETWORK", "is one of pilotnet, resnet8, ds-cnn, lstm")),
    };
    network.layers.retain(|layer| !matches!(layer, Layer::Dropout { .. }));
    Ok((network, loss))
}

/// The numbers that both sides begin with; batch norm keeps its ones and zeros.
fn fill(params: &mut Params) {
    let mut seed = 0;
    for param in params.entries_mut() {
        let name = param.name.rsplit('.').take(2).collect::<Vec<_>>();
        let (parts, scale) = match *name {
            [_, layer] if layer.starts_with("bn") => continue,
            // PyTorch has the two biases of a recurrent layer apart.
            ["bias_l0", _] => (2, 0.088),
            ["weight_ih_l0" | "weight_hh_l0", _] => (1, 0.088),
            ["bias", _] => (1, 0.05),
            _ => (1, (6.0 / param.shape[1..].iter().product::<usize>() as f64).sqrt()),
        };
        let part = param.data.len() / parts;
        for values in param.data.chunks_mut(part) {
            seed += 1;
            values.iter_mut().zip(noise(part, seed)).for_each(|(value, number)| *value = number * scale as f32);
        }
    }
}

/// A network in training.
struct Training {
    net: Sequential,
    optimizer: Optimizer,
    loss: Loss,
    inputs: Vec<f32>,
    targets: Vec<f32>,
}

impl Training {
    fn new(name: &str) -> Result<Self> {
        let (network, loss) = network(name)?;
        let inputs = noise(BATCH * network.input.iter().product::<usize>(), 1000).collect();
        let outputs = network.outputs()?;
        let targets = match loss {
            Loss::CrossEntropy { .. } => (0..BATCH).map(|sample| (sample % outputs) as f32).collect(),
            _ => noise(BATCH * outputs, 2000).collect(),
        };
        let mut net = Sequential::new(network, 0, Initializer::Pytorch)?;
        fill(net.params_mut());
        let optimizer = net.optimizer(Method::adam())?;
        Ok(Self { net, optimizer, loss, inputs, targets })
    }

    /// One step; the loss before it.
    fn step(&mut self) -> Result<f64> {
        let loss = self.net.backward(self.loss, &self.inputs, &self.targets)?;
        self.net.step(&mut self.optimizer, 1e-3);
        Ok(loss)
    }

    /// How many numbers are trained.
    fn parameters(&self) -> usize {
        self.net.params().entries().iter().filter(|param| param.trainable).map(|param| param.data.len()).sum()
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
        let losses = (0..steps).map(|_| training.step()).collect::<Result<Vec<f64>>>()?;
        let answer = json!({
            "seconds": start.elapsed().as_secs_f64(),
            "cpu": cpu_seconds(),
            "losses": losses,
            "parameters": training.parameters(),
            "peak": status("VmHWM"),
            "idle": idle,
        });
        println!("{answer}");
        std::io::stdout().flush().ok();
    }
    Ok(())
}
