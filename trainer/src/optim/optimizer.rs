//! Stochastic gradient descent and Adam, with PyTorch's formulas.

use serde::{Deserialize, Serialize};

use crate::graph::Params;
use crate::{Error, ErrorKind, Result};

/// The rule of an update.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// `v = momentum v + g`, `p -= lr v`.
    Sgd {
        /// How much of the last direction is kept, 0 to below 1.
        momentum: f32,
    },
    /// Adam (Kingma and Ba 2015): `p -= lr m' / (sqrt(v') + epsilon)` with bias-corrected moments.
    Adam {
        /// Decay of the first moment.
        beta1: f32,
        /// Decay of the second moment.
        beta2: f32,
        /// Keeps the division away from zero.
        epsilon: f32,
    },
}

impl Method {
    /// Adam with its authors' constants.
    pub fn adam() -> Self {
        Self::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

/// An optimizer of some of the parameters; several may share one [`Params`].
#[derive(Debug, Clone, PartialEq)]
pub struct Optimizer {
    method: Method,
    weight_decay: f32,
    /// Places of the parameters in the store.
    places: Vec<usize>,
    /// Momentum, or Adam's first moment, of each parameter.
    first: Vec<Vec<f32>>,
    /// Adam's second moment; empty for SGD.
    second: Vec<Vec<f32>>,
    steps: u64,
}

impl Optimizer {
    /// An optimizer of the parameters `names` of `params`. `weight_decay` times the parameter is added to its gradient.
    pub fn new<'a>(
        method: Method,
        weight_decay: f32,
        params: &Params,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self> {
        let find = |name: &str| {
            let missing = || Error::new(ErrorKind::Shape, name, "the optimizer is given a parameter that is not there");
            params.position(name).ok_or_else(missing)
        };
        let places: Vec<usize> = names.into_iter().map(find).collect::<Result<_>>()?;
        let zeros = || places.iter().map(|&at| vec![0.0; params.entries()[at].data.len()]).collect::<Vec<_>>();
        let second = if matches!(method, Method::Adam { .. }) { zeros() } else { Vec::new() };
        Ok(Self { method, weight_decay, first: zeros(), second, places, steps: 0 })
    }

    /// Updates the parameters. `gradient(i)` is that of the i-th name given to [`Optimizer::new`]; it is multiplied by
    /// `scale` first (see [`gradient_norm`] for clipping).
    pub fn step<'g>(&mut self, params: &mut Params, gradient: impl Fn(usize) -> &'g [f32], rate: f64, scale: f32) {
        self.steps += 1;
        let (method, decay, steps) = (self.method, self.weight_decay, self.steps as f64);
        for (at, &place) in self.places.iter().enumerate() {
            let values = &mut params.entries_mut()[place].data;
            let slopes = values.iter_mut().zip(gradient(at)).zip(&mut self.first[at]);
            match method {
                Method::Sgd { momentum } => {
                    let rate = rate as f32;
                    for ((p, &g), v) in slopes {
                        *v = momentum * *v + (g * scale + decay * *p);
                        *p -= rate * *v;
                    }
                }
                Method::Adam { beta1, beta2, epsilon } => {
                    let correction = (1.0 - f64::from(beta2).powf(steps)).sqrt() as f32;
                    let rate = (rate / (1.0 - f64::from(beta1).powf(steps))) as f32;
                    for (((p, &g), m), v) in slopes.zip(&mut self.second[at]) {
                        let g = g * scale + decay * *p;
                        *m = beta1 * *m + (1.0 - beta1) * g;
                        *v = beta2 * *v + (1.0 - beta2) * g * g;
                        *p -= rate * *m / (v.sqrt() / correction + epsilon);
                    }
                }
            }
        }
    }

    /// The state, tensor by tensor: moment (`first`, `second`), name of the parameter, values.
    pub fn state<'a>(&'a self, params: &'a Params) -> impl Iterator<Item = (&'static str, &'a str, &'a [f32])> {
        let name = |at: usize| params.entries()[self.places[at]].name.as_str();
        let first = self.first.iter().enumerate().map(move |(at, v)| ("first", name(at), v.as_slice()));
        first.chain(self.second.iter().enumerate().map(move |(at, v)| ("second", name(at), v.as_slice())))
    }

    /// Steps made so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Puts back a saved state: `values(moment, name)` gives the tensor saved from [`Optimizer::state`].
    pub fn restore(
        &mut self,
        params: &Params,
        steps: u64,
        values: impl Fn(&str, &str) -> Result<Vec<f32>>,
    ) -> Result<()> {
        self.steps = steps;
        for (moment, slots) in [("first", &mut self.first), ("second", &mut self.second)] {
            for (slot, &place) in slots.iter_mut().zip(&self.places) {
                let name = &params.entries()[place].name;
                let saved = values(moment, name)?;
                if saved.len() != slot.len() {
                    let message = format!("saved optimizer state has {} values, {} wanted", saved.len(), slot.len());
                    return Err(Error::new(ErrorKind::Shape, name, message));
                }
                *slot = saved;
            }
        }
        Ok(())
    }
}

/// Euclidean norm of all gradients together; clipping scales by `limit / norm` where that is below 1.
pub fn gradient_norm<'g>(gradients: impl Iterator<Item = &'g [f32]>) -> f64 {
    gradients.flatten().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>().sqrt()
}
