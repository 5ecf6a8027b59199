//! Initial values of parameters.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Built;
use crate::Result;
use crate::graph::{Param, Params, Shape};
use crate::ops::Op;

/// Draws every parameter of an evaluation graph. Each has its own stream, so adding a layer does not change the others.
pub fn draw(built: &Built, seed: u64) -> Result<Params> {
    let parameters: Vec<_> = built.graph.nodes().iter().filter(|n| matches!(n.op, Op::Parameter(_))).collect();
    let last = parameters.iter().rposition(|n| n.name.ends_with(".weight"));
    let mut params = Params::new();
    for (at, node) in parameters.into_iter().enumerate() {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(at as u64);
        let trainable = !node.name.contains(".running_");
        let data = values(&node.name, &node.shape, Some(at) == last, &mut rng);
        params.insert(Param { name: node.name.clone(), shape: node.shape.clone(), data, trainable })?;
    }
    Ok(params)
}

fn values(name: &str, shape: &Shape, last: bool, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let outputs = shape.first().copied().unwrap_or(1).max(1);
    let fan_in = (shape.elements() / outputs).max(1);
    match name.rsplit('.').next() {
        Some("weight") if shape.len() > 1 && last => uniform(xavier_bound(fan_in, outputs), shape, rng),
        Some("weight") if shape.len() > 1 => uniform(he_bound(fan_in), shape, rng),
        Some("weight" | "running_var") => vec![1.0; shape.elements()],
        _ => vec![0.0; shape.elements()],
    }
}

/// He et al. 2015: variance 2 / fan_in keeps the signal through rectifiers.
fn he_bound(fan_in: usize) -> f32 {
    (6.0 / fan_in as f32).sqrt()
}

/// Glorot and Bengio 2010: variance 2 / (fan_in + fan_out) for linear outputs.
fn xavier_bound(fan_in: usize, fan_out: usize) -> f32 {
    (6.0 / (fan_in + fan_out) as f32).sqrt()
}

fn uniform(bound: f32, shape: &Shape, rng: &mut ChaCha8Rng) -> Vec<f32> {
    (0..shape.elements()).map(|_| rng.random_range(-bound..bound)).collect()
}
