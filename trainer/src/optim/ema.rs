//! An exponential moving average of the weights, which does better than the last weights of a noisy descent (Polyak and
//! Juditsky 1992).

use crate::graph::{Param, Params};
use crate::ops::chunks;
use crate::{Error, ErrorKind, Result};

/// The average of all parameters, running statistics included: `a += (1 - d) (p - a)` after every step.
///
/// Step `t` (from 0) uses `d = min(decay, (1 + t) / (10 + t))`, so that a short run is not held back by its first weights
/// (TensorFlow's `ExponentialMovingAverage` with `num_updates`).
#[derive(Debug, Clone, PartialEq)]
pub struct Ema {
    decay: f64,
    steps: u64,
    average: Params,
}

impl Ema {
    /// An average that begins with `params`.
    pub fn new(decay: f64, params: &Params) -> Self {
        Self { decay, steps: 0, average: params.clone() }
    }

    /// Takes in the parameters after a step; `params` are those of [`Ema::new`] by names and shapes.
    pub fn update(&mut self, params: &Params) {
        let t = self.steps as f64;
        let share = (1.0 - self.decay.min((1.0 + t) / (10.0 + t))) as f32;
        self.steps += 1;
        for (average, param) in self.average.entries_mut().iter_mut().zip(params.entries()) {
            chunks::update2(&mut average.data, &param.data, |a, p| a + share * (p - a));
        }
    }

    /// The average.
    pub fn params(&self) -> &Params {
        &self.average
    }

    /// Puts back a saved average after so many steps. Errors: other names or shapes.
    pub fn restore(&mut self, steps: u64, values: impl Fn(&str) -> Result<Vec<f32>>) -> Result<()> {
        self.steps = steps;
        for Param { name, data, .. } in self.average.entries_mut() {
            let saved = values(name)?;
            if saved.len() != data.len() {
                let message = format!("the saved average has {} values, {} wanted", saved.len(), data.len());
                return Err(Error::new(ErrorKind::Shape, &*name, message));
            }
            *data = saved;
        }
        Ok(())
    }
}
