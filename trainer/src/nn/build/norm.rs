//! Normalizations and dropout: the layers that differ between training and use.

use super::Builder;
use crate::Result;
use crate::graph::NodeId;
use crate::nn::{Mode, Role, RunningStats};
use crate::ops::{BatchNorm, BatchNormTrain, BatchStats, Dropout, LayerNorm};

/// Added to variances, as PyTorch does.
const EPSILON: f64 = 1e-5;

impl Builder<'_> {
    /// Of the last dimension. A layer that is frozen keeps its running statistics and uses them.
    pub(super) fn batch_norm(&mut self, name: &str, x: NodeId) -> Result<NodeId> {
        let channels = self.channels(x);
        let gamma = self.param(name, "weight", [channels], Role::One);
        let beta = self.param(name, "bias", [channels], Role::Zero);
        let frozen = ["weight", "bias"].iter().all(|param| self.freeze.holds(&format!("{name}.{param}")));
        if matches!(self.mode, Mode::Eval | Mode::Step) || frozen {
            let mean = self.param(name, "running_mean", [channels], Role::RunningMean);
            let variance = self.param(name, "running_var", [channels], Role::RunningVariance);
            return self.push(name, BatchNorm { epsilon: EPSILON }, &[x, gamma, beta, mean, variance]);
        }
        let node = self.push(name, BatchStats, &[x])?;
        let count = self.shape(x).elements() / channels.max(1);
        self.built.stats.push(RunningStats { node, name: name.to_string(), count });
        self.push(name, BatchNormTrain { epsilon: EPSILON }, &[x, node, gamma, beta])
    }

    pub(super) fn layer_norm(&mut self, name: &str, x: NodeId) -> Result<NodeId> {
        let channels = self.channels(x);
        let gamma = self.param(name, "weight", [channels], Role::One);
        let beta = self.param(name, "bias", [channels], Role::Zero);
        self.push(name, LayerNorm { epsilon: EPSILON }, &[x, gamma, beta])
    }

    pub(super) fn dropout(&mut self, name: &str, rate: f64, x: NodeId) -> Result<NodeId> {
        match self.mode {
            Mode::Eval | Mode::Step => Ok(x),
            Mode::Train { seed } => {
                self.dropouts += 1;
                let seed = seed.wrapping_mul(0x0100_0000_01b3) ^ self.dropouts;
                self.push(name, Dropout { rate, seed }, &[x])
            }
        }
    }
}
