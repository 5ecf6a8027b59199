//! Small networks that only learn when derivatives of derivatives, shared nodes and several losses on one graph are right.

mod critic;
mod game;
mod policy;
mod speech;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::graph::{Executor, Graph, NodeId, Param, Params, Real};
use crate::ops::{Dense, Op, Tanh};
use crate::optim::{Method, Optimizer};

/// A perceptron of these widths, the first of them that of `x`, with tanh between its layers.
fn perceptron(graph: &mut Graph, name: &str, mut x: NodeId, widths: &[usize]) -> NodeId {
    for (layer, pair) in widths.windows(2).enumerate() {
        if layer > 0 {
            x = graph.push(Tanh, &[x]).unwrap();
        }
        let weight = graph.param(&format!("{name}.{layer}.weight"), [pair[1], pair[0]]);
        let bias = graph.param(&format!("{name}.{layer}.bias"), [pair[1]]);
        x = graph.push(Dense, &[x, weight, bias]).unwrap();
    }
    x
}

/// Nodes of the parameters whose names start so.
fn params_of(graph: &Graph, start: &str) -> Vec<NodeId> {
    let is_param = |id: &NodeId| matches!(graph.node(*id).op, Op::Parameter(_));
    graph.ids().filter(|id| is_param(id) && graph.node(*id).name.starts_with(start)).collect()
}

/// Uniform values for all parameters of a graph.
fn draw<T: Real>(graph: &Graph, rng: &mut ChaCha8Rng) -> Params<T> {
    let mut params = Params::new();
    for id in params_of(graph, "") {
        let (shape, name) = (graph.shape(id).clone(), graph.node(id).name.clone());
        let bound = (3.0 / shape.last().map_or(1.0, |inputs| *inputs as f64)).sqrt();
        let data = (0..shape.elements()).map(|_| T::of(rng.random_range(-bound..bound))).collect();
        params.insert(Param { name, shape, data, trainable: true }).unwrap();
    }
    params
}

/// One loss with its parameters, their gradients and their optimizer.
struct Player {
    gradients: Vec<NodeId>,
    optimizer: Optimizer,
}

impl Player {
    fn new(graph: &mut Graph, loss: NodeId, start: &str, params: &Params) -> Self {
        let nodes = params_of(graph, start);
        let gradients = graph.gradients(loss, &nodes).unwrap();
        let names = nodes.iter().map(|id| graph.node(*id).name.as_str());
        let method = Method::Adam { beta1: 0.5, beta2: 0.99, epsilon: 1e-8 };
        Self { gradients, optimizer: Optimizer::new(method, 0.0, params, names).unwrap() }
    }

    fn step(&mut self, executor: &Executor<f32>, params: &mut Params, rate: f64) {
        self.optimizer.step(params, |at| executor.value(self.gradients[at]), rate);
    }
}

/// Normally distributed (Box and Muller 1958).
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (radius, angle): (f64, f64) = (rng.random_range(f64::MIN_POSITIVE..1.0), rng.random_range(0.0..1.0));
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

fn mean_and_deviation(values: &[f32]) -> [f64; 2] {
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / values.len() as f64;
    [mean, variance.sqrt()]
}
