//! The rules by name, with their constants.

use serde::{Deserialize, Serialize};

use super::slope::Slope;
use super::{adam, rmsprop, sgd};
use crate::{Error, Result};

/// The rule of an update; constants as in PyTorch's optimizer of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Stochastic gradient descent, `p -= lr v` with `v = momentum v + g`.
    Sgd {
        /// How much of the last direction is kept, 0 to below 1.
        momentum: f64,
        /// Nesterov's momentum: looks ahead, `p -= lr (g + momentum v)`.
        #[serde(default)]
        nesterov: bool,
    },
    /// RMSProp: the gradient over the root of its mean square.
    RmsProp {
        /// Decay of the mean square, 0 to below 1.
        alpha: f64,
        /// Keeps the division away from zero.
        epsilon: f64,
        /// How much of the last direction is kept, 0 to below 1.
        momentum: f64,
        /// Whether the mean square is less the squared mean: the variance.
        centered: bool,
    },
    /// Adam: bias-corrected first moment over the root of the second; weight decay is coupled (added to the gradient).
    Adam {
        /// Decay of the first moment.
        beta1: f64,
        /// Decay of the second moment.
        beta2: f64,
        /// Keeps the division away from zero.
        epsilon: f64,
    },
    /// Adam with decoupled weight decay: the parameter shrinks by itself, whatever its gradient.
    AdamW {
        /// Decay of the first moment.
        beta1: f64,
        /// Decay of the second moment.
        beta2: f64,
        /// Keeps the division away from zero.
        epsilon: f64,
    },
}

impl Method {
    /// Adam with its authors' constants.
    pub fn adam() -> Self {
        Self::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }

    /// AdamW with its authors' constants.
    pub fn adam_w() -> Self {
        Self::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }

    /// Plain momentum.
    pub fn sgd(momentum: f64) -> Self {
        Self::Sgd { momentum, nesterov: false }
    }

    /// RMSProp with PyTorch's constants.
    pub fn rms_prop() -> Self {
        Self::RmsProp { alpha: 0.99, epsilon: 1e-8, momentum: 0.0, centered: false }
    }

    /// Errors name the constant that is out of range.
    pub fn check(&self) -> Result<()> {
        let shares = match *self {
            Self::Sgd { momentum, nesterov } => {
                if nesterov && momentum == 0.0 {
                    return Err(Error::usage("--nesterov", "needs a --momentum above 0"));
                }
                [("--momentum", momentum), ("", 0.0)]
            }
            Self::RmsProp { alpha, momentum, .. } => [("--alpha", alpha), ("--momentum", momentum)],
            Self::Adam { beta1, beta2, .. } | Self::AdamW { beta1, beta2, .. } => {
                [("--beta1", beta1), ("--beta2", beta2)]
            }
        };
        match shares.into_iter().find(|(_, share)| !(0.0..1.0).contains(share)) {
            Some((option, share)) => Err(Error::usage(option, format!("{share} is not in 0 to below 1"))),
            None => self.check_epsilon(),
        }
    }

    fn check_epsilon(&self) -> Result<()> {
        match *self {
            Self::RmsProp { epsilon, .. } | Self::Adam { epsilon, .. } | Self::AdamW { epsilon, .. }
                if !(epsilon.is_finite() && epsilon >= 0.0) =>
            {
                Err(Error::usage("epsilon", format!("{epsilon} is not a number from 0")))
            }
            _ => Ok(()),
        }
    }

    /// What is remembered of each parameter from step to step, by name.
    pub(super) fn slots(&self) -> Vec<&'static str> {
        match *self {
            Self::Sgd { momentum, .. } => {
                if momentum > 0.0 {
                    vec!["momentum"]
                } else {
                    vec![]
                }
            }
            Self::RmsProp { momentum, centered, .. } => {
                let wanted = [("square", true), ("mean", centered), ("momentum", momentum > 0.0)];
                wanted.into_iter().filter_map(|(name, wanted)| wanted.then_some(name)).collect()
            }
            Self::Adam { .. } | Self::AdamW { .. } => vec!["first", "second"],
        }
    }

    /// Updates one parameter `p` of gradient `g` at step `t` (from 1); `state` is as [`Method::slots`] says.
    pub(super) fn update(&self, p: &mut [f32], g: &[f32], state: &mut [Vec<f32>], step: Step) {
        let Step { limit, scale, rate, decay, t } = step;
        let slope = Slope { limit, scale, decay: decay as f32 };
        match (*self, state) {
            (Self::Sgd { .. }, []) => sgd::plain(p, g, slope, rate as f32),
            (Self::Sgd { momentum, nesterov }, [velocity, ..]) => {
                sgd::with_momentum(p, g, velocity, slope, rate as f32, momentum as f32, nesterov)
            }
            (Self::RmsProp { alpha, epsilon, momentum, centered }, [square, rest @ ..]) => {
                let (mean, velocity) = rest.split_at_mut(usize::from(centered));
                let (mean, velocity) = (values(mean), values(velocity));
                let (alpha, beta) = (alpha as f32, (1.0 - alpha) as f32);
                let step = rmsprop::Step {
                    slope,
                    rate: rate as f32,
                    alpha,
                    beta,
                    epsilon: epsilon as f32,
                    momentum: momentum as f32,
                };
                rmsprop::update(p, g, square, mean, velocity, step);
            }
            (Self::Adam { beta1, beta2, epsilon }, [first, second, ..]) => {
                adam::update(p, g, first, second, adam::Step::new(slope, rate, [beta1, beta2], epsilon, 0.0, t))
            }
            (Self::AdamW { beta1, beta2, epsilon }, [first, second, ..]) => {
                let coupled = Slope { decay: 0.0, ..slope };
                adam::update(p, g, first, second, adam::Step::new(coupled, rate, [beta1, beta2], epsilon, decay, t))
            }
            _ => unreachable!("the state has the slots of its method"),
        }
    }
}

/// The values of a slot that may not be there.
fn values(slot: &mut [Vec<f32>]) -> &mut [f32] {
    slot.first_mut().map_or(&mut [], Vec::as_mut_slice)
}

/// Numbers of one step, whatever the method.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// Bound on each gradient's value.
    pub limit: f32,
    /// Factor on each gradient.
    pub scale: f32,
    /// Learning rate.
    pub rate: f64,
    /// Weight decay.
    pub decay: f64,
    /// Number of the step, from 1.
    pub t: u64,
}
