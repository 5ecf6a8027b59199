//! What is minimized, in a graph and on its own.

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::data::Target;
use crate::graph::{Graph, NodeId, Shape};
use crate::ops::{BceWithLogits, CrossEntropy, Function, Huber, Unary};

/// What is minimized: the mean over samples and outputs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Squared difference.
    Mse,
    /// Absolute difference.
    Mae,
    /// Half the squared difference within `delta`, linear outside: outliers pull less.
    Huber {
        /// Where the parabola turns into a line.
        delta: f64,
    },
    /// Negative logarithm of the softmax share of the right class. Outputs are scores (logits), targets are classes.
    CrossEntropy {
        /// Share of the target that is spread evenly over all classes (Szegedy et al. 2016), 0 to 1.
        smoothing: f64,
    },
    /// Negative logarithm of the logistic probability of each target, which is 0 or 1 (or between). Outputs are scores (logits).
    BinaryCrossEntropy,
}

impl Loss {
    /// Its name on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Mse => "mse",
            Self::Mae => "mae",
            Self::Huber { .. } => "huber",
            Self::CrossEntropy { .. } => "cross-entropy",
            Self::BinaryCrossEntropy => "binary-cross-entropy",
        }
    }

    /// Whether a network with so many outputs can be trained on such targets with this loss; else what to do.
    pub fn check(&self, target: Target, outputs: usize) -> std::result::Result<(), String> {
        let loss = self.name();
        match (self, target) {
            // One score tells two classes apart.
            (Self::BinaryCrossEntropy, Target::Class(2)) if outputs == 1 => return Ok(()),
            (Self::CrossEntropy { .. }, Target::Class(_)) | (Self::BinaryCrossEntropy, Target::Numbers(_)) => {}
            (Self::CrossEntropy { .. }, Target::Numbers(_)) => {
                return Err(format!("has numbers as targets, {loss} needs classes; use mse, mae or huber"));
            }
            (_, Target::Class(classes)) => {
                return Err(format!("has {classes} classes as targets, {loss} needs numbers; use cross-entropy"));
            }
            (_, Target::Numbers(_)) => {}
        }
        match (target, target.outputs()) {
            (_, wanted) if wanted == outputs => Ok(()),
            (Target::Numbers(count), _) => {
                Err(format!("has {count} targets per sample, the network {outputs} outputs"))
            }
            (Target::Class(classes), _) => Err(format!("has {classes} classes, the network {outputs} outputs")),
        }
    }

    /// Whether numbers can be learned with this loss; else the first one that cannot, by its place, and what is wanted.
    pub fn check_numbers(&self, numbers: &[f32]) -> std::result::Result<(), (usize, String)> {
        let wrong = |number: &f32| !(0.0..=1.0).contains(number);
        match (self, numbers.iter().position(wrong)) {
            (Self::BinaryCrossEntropy, Some(at)) => {
                Err((at, format!("is {}; {} needs numbers from 0 to 1", numbers[at], self.name())))
            }
            _ => Ok(()),
        }
    }

    /// What a network that was trained with this loss predicts, given one of its outputs, where targets are numbers: with binary cross-entropy the
    /// logistic function of the score.
    pub fn prediction(&self, output: f32) -> f32 {
        match self {
            Self::BinaryCrossEntropy => 1.0 / (1.0 + (-output).exp()),
            _ => output,
        }
    }

    /// Shape of the targets of a batch, given that of the network's outputs (`[batch, outputs]`).
    pub fn target_shape(&self, predicted: &Shape) -> Shape {
        match self {
            Self::CrossEntropy { .. } => Shape::from([predicted.first().copied().unwrap_or(1)]),
            _ => predicted.clone(),
        }
    }

    /// Appends the loss of `predicted` against `target` (of [`Loss::target_shape`]) to a graph: a scalar.
    pub fn append(&self, graph: &mut Graph, predicted: NodeId, target: NodeId) -> Result<NodeId> {
        let each = match *self {
            Self::Mse => {
                let difference = graph.sub(predicted, target)?;
                graph.mul(difference, difference)?
            }
            Self::Mae => {
                let difference = graph.sub(predicted, target)?;
                graph.push(Unary { function: Function::Abs }, &[difference])?
            }
            Self::Huber { delta } => {
                let difference = graph.sub(predicted, target)?;
                graph.push(Huber { delta }, &[difference])?
            }
            Self::CrossEntropy { smoothing } => graph.push(CrossEntropy { smoothing }, &[predicted, target])?,
            Self::BinaryCrossEntropy => graph.push(BceWithLogits, &[predicted, target])?,
        };
        graph.mean(each)
    }

    /// The loss of one sample, of its outputs against its target.
    pub fn of(&self, predicted: &[f32], target: &[f32]) -> f64 {
        let pairs = || predicted.iter().zip(target).map(|(&p, &t)| (f64::from(p), f64::from(t)));
        let mean = |of: &dyn Fn(f64, f64) -> f64| pairs().map(|(p, t)| of(p, t)).sum::<f64>() / target.len() as f64;
        match *self {
            Self::Mse => mean(&|p, t| (p - t) * (p - t)),
            Self::Mae => mean(&|p, t| (p - t).abs()),
            Self::Huber { delta } => mean(&|p, t| match (p - t).abs() {
                far if far > delta => delta * (far - delta / 2.0),
                near => near * near / 2.0,
            }),
            Self::BinaryCrossEntropy => mean(&|p, t| p.max(0.0) + (-p.abs()).exp().ln_1p() - p * t),
            Self::CrossEntropy { smoothing } => {
                let largest = predicted.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let sum: f64 = predicted.iter().map(|&p| f64::from(p - largest).exp()).sum();
                let surprise = |p: f32| sum.ln() - f64::from(p - largest);
                let right = predicted.get(target[0] as usize).map_or(f64::NAN, |&p| surprise(p));
                let even = predicted.iter().map(|&p| surprise(p)).sum::<f64>() / predicted.len() as f64;
                (1.0 - smoothing) * right + smoothing * even
            }
        }
    }
}
