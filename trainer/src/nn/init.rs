//! Initial values of parameters.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::Built;
use crate::Result;
use crate::graph::{Param, Params, Shape};

/// How weights begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Initializer {
    /// By kind of layer: He, in the last layer Xavier; recurrent layers Xavier from the input, orthogonal from the hidden state, and 1
    /// for the forget gate's bias (Jozefowicz et al. 2015); embeddings within 0.05.
    #[default]
    Layer,
    /// Glorot and Bengio 2010: variance `2 / (fan_in + fan_out)`, uniform.
    Xavier,
    /// He et al. 2015: variance `2 / fan_in`, uniform.
    He,
    /// Saxe et al. 2014: rows (or columns, if they are fewer) of length 1, at right angles.
    Orthogonal,
    /// PyTorch's defaults: uniform within `1 / sqrt(fan_in)`, biases too (of transposed convolutions `1 / sqrt(fan_out)`); recurrent layers
    /// within `1 / sqrt(units)`; attention's first projections Xavier, its biases zero; embeddings normal.
    Pytorch,
}

/// What a parameter is to its layer, which decides how it begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Role {
    /// A matrix or filters.
    Weight {
        /// Numbers that an output is a sum of.
        fan_in: usize,
        /// Outputs that a number goes into.
        fan_out: usize,
        /// PyTorch draws uniformly between minus and plus this.
        pytorch: f32,
    },
    /// Summands of outputs.
    Bias {
        /// As of [`Role::Weight`].
        pytorch: f32,
    },
    /// Matrices of the gates from the input.
    Gates {
        /// Numbers of the hidden state.
        units: usize,
        /// Numbers of an input.
        fan_in: usize,
    },
    /// Matrices of the gates from the hidden state.
    Recurrent {
        /// Numbers of the hidden state.
        units: usize,
    },
    /// Both biases of an LSTM; the forget gate is the second of four.
    LstmBias {
        /// Numbers of the hidden state.
        units: usize,
    },
    /// Both biases of another recurrent layer.
    GateBias {
        /// Numbers of the hidden state.
        units: usize,
    },
    /// Vectors of words.
    Table,
    /// Factors.
    One,
    /// Summands.
    Zero,
    /// Not trained: means of batches.
    RunningMean,
    /// Not trained: variances of batches.
    RunningVariance,
}

impl Role {
    /// Weights and bias of a layer that PyTorch draws as most: by the numbers that an output is a sum of.
    pub fn pair(fan_in: usize, fan_out: usize) -> [Self; 2] {
        let pytorch = lecun_bound(fan_in);
        [Self::Weight { fan_in, fan_out, pytorch }, Self::Bias { pytorch }]
    }

    /// Those of a transposed convolution: PyTorch takes its filters for those of the plain one, whose sums are the other way round.
    pub fn transposed_pair(fan_in: usize, fan_out: usize) -> [Self; 2] {
        let pytorch = lecun_bound(fan_out);
        [Self::Weight { fan_in, fan_out, pytorch }, Self::Bias { pytorch }]
    }

    /// Those of attention's projections before the heads: Xavier in PyTorch, too.
    pub fn attention_pair(fan_in: usize, fan_out: usize) -> [Self; 2] {
        [Self::Weight { fan_in, fan_out, pytorch: xavier_bound(fan_in, fan_out) }, Self::Zero]
    }

    /// Whether an optimizer may change it.
    pub fn is_trained(self) -> bool {
        !matches!(self, Self::RunningMean | Self::RunningVariance)
    }
}

/// Draws every parameter of an evaluation graph. Each has its own stream, so adding a layer does not change the others.
pub fn draw(built: &Built, seed: u64, initializer: Initializer) -> Result<Params> {
    let last = built.roles.iter().rposition(|(_, role)| matches!(role, Role::Weight { .. }));
    let mut params = Params::new();
    for (at, (node, role)) in built.roles.iter().enumerate() {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(at as u64);
        let node = built.graph.node(*node);
        let initializer = match (initializer, role) {
            (Initializer::Layer, Role::Weight { .. }) if Some(at) == last => Initializer::Xavier,
            (Initializer::Layer, Role::Weight { .. }) => Initializer::He,
            (same, _) => same,
        };
        let data = values(initializer, *role, &node.shape, &mut rng);
        params.insert(Param {
            name: node.name.clone(),
            shape: node.shape.clone(),
            data,
            trainable: role.is_trained(),
        })?;
    }
    Ok(params)
}

fn values(initializer: Initializer, role: Role, shape: &Shape, rng: &mut ChaCha8Rng) -> Vec<f32> {
    use Initializer::{He, Layer, Orthogonal, Pytorch, Xavier};
    let count = shape.elements();
    let mut within = |bound: f32| (0..count).map(|_| rng.random_range(-bound..bound)).collect();
    match (role, initializer) {
        (Role::One | Role::RunningVariance, _) => vec![1.0; count],
        (Role::Zero | Role::RunningMean, _) => vec![0.0; count],
        (Role::Bias { pytorch } | Role::Weight { pytorch, .. }, Pytorch) => within(pytorch),
        (Role::LstmBias { units } | Role::GateBias { units }, Pytorch) => within(lecun_bound(units)),
        (Role::LstmBias { units }, Layer) => {
            let is_forget = |at: usize| (units..2 * units).contains(&at);
            (0..count).map(|at| f32::from(u8::from(is_forget(at)))).collect()
        }
        (Role::Bias { .. } | Role::LstmBias { .. } | Role::GateBias { .. }, _) => vec![0.0; count],
        (Role::Table, Layer) => within(0.05),
        (Role::Table, _) => normal(count, rng).into_iter().map(|value| value as f32).collect(),
        (Role::Recurrent { units } | Role::Gates { units, .. }, Pytorch) => within(lecun_bound(units)),
        (Role::Recurrent { units }, Layer | Orthogonal) => gates(count, units, units, rng),
        (Role::Gates { units, fan_in }, Orthogonal) => gates(count, units, fan_in, rng),
        (Role::Recurrent { units }, Xavier) => within(xavier_bound(units, units)),
        (Role::Gates { units, fan_in }, Layer | Xavier) => within(xavier_bound(fan_in, units)),
        (Role::Recurrent { units: fan_in } | Role::Gates { fan_in, .. }, He) => within(he_bound(fan_in)),
        (Role::Weight { fan_in, .. }, He | Layer) => within(he_bound(fan_in)),
        (Role::Weight { fan_in, fan_out, .. }, Xavier) => within(xavier_bound(fan_in, fan_out)),
        (Role::Weight { .. }, Orthogonal) => {
            let rows = shape.first().copied().unwrap_or(1).max(1);
            orthogonal(rows, count / rows, rng)
        }
    }
}

/// What PyTorch draws most weights and biases within.
fn lecun_bound(fan: usize) -> f32 {
    (1.0 / fan.max(1) as f32).sqrt()
}

/// Keeps the signal through rectifiers.
fn he_bound(fan_in: usize) -> f32 {
    (6.0 / fan_in.max(1) as f32).sqrt()
}

/// Keeps the signal through linear outputs, forwards and backwards.
fn xavier_bound(fan_in: usize, fan_out: usize) -> f32 {
    (6.0 / (fan_in + fan_out).max(1) as f32).sqrt()
}

/// An orthogonal matrix for each gate.
fn gates(count: usize, units: usize, columns: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let gates = count / (units * columns).max(1);
    (0..gates).flat_map(|_| orthogonal(units, columns, rng)).collect()
}

/// Standard normal numbers (Box and Muller 1958).
fn normal(count: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
    let mut one = || {
        let (u, v): (f64, f64) = (rng.random(), rng.random());
        (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    };
    (0..count).map(|_| one()).collect()
}

/// A random matrix whose shorter side is orthonormal, by Gram and Schmidt's process, each vector twice for accuracy.
fn orthogonal(rows: usize, columns: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let (short, long) = (rows.min(columns), rows.max(columns));
    let mut vectors: Vec<f64> = normal(short * long, rng);
    for at in 0..short {
        let (before, rest) = vectors.split_at_mut(at * long);
        let own = &mut rest[..long];
        for _ in 0..2 {
            for other in before.chunks_exact(long) {
                let part: f64 = other.iter().zip(own.iter()).map(|(a, b)| a * b).sum();
                own.iter_mut().zip(other).for_each(|(x, y)| *x -= part * y);
            }
        }
        let length = own.iter().map(|x| x * x).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
        own.iter_mut().for_each(|x| *x /= length);
    }
    let place = |row: usize, column: usize| if rows <= columns { row * long + column } else { column * long + row };
    (0..rows * columns).map(|at| vectors[place(at / columns, at % columns)] as f32).collect()
}
