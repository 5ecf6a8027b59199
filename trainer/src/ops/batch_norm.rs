//! Batch normalization with fixed statistics (Ioffe and Szegedy 2015): what runs after training.

use super::{Io, Operator, Rsqrt, exactly, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::Lowering;

/// Inputs `x [.., c], gamma [c], beta [c], mean [c], variance [c]`:
/// `y = gamma (x - mean) / sqrt(variance + epsilon) + beta` per channel. Folds into the convolution before it.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchNorm {
    /// Keeps the division away from zero.
    pub epsilon: f64,
}

impl Operator for BatchNorm {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x, rest @ ..] = exactly::<5>(inputs)?;
        match rest.iter().find(|s| s.len() != 1 || x.last() != Some(&s[0])) {
            Some(odd) => Err(misfit(format!("{odd} values for the channels of {x}"))),
            None => Ok(x.clone()),
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [x, gamma, beta, mean, variance] = [0, 1, 2, 3, 4].map(|i| io.inputs[i].data);
        let channels = gamma.len();
        let (scale, offset) = io.scratch[..2 * channels].split_at_mut(channels);
        for c in 0..channels {
            scale[c] = gamma[c] / (variance[c] + T::of(self.epsilon)).sqrt();
            offset[c] = beta[c] - mean[c] * scale[c];
        }
        for (y, x) in io.output.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
            for c in 0..channels {
                y[c] = x[c] * scale[c] + offset[c];
            }
        }
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let inputs = graph.node(node).inputs.clone();
        let (x, gamma, mean, variance) = (inputs[0], inputs[1], inputs[3], inputs[4]);
        let channels = graph.shape(gamma).clone();
        let shifted = graph.affine(variance, 1.0, self.epsilon)?;
        let rstd = graph.push(Rsqrt, &[shifted])?;
        let scale = graph.mul(gamma, rstd)?;
        let dx = graph.mul(upstream, scale)?;
        let centred = graph.sub(x, mean)?;
        let weighted = graph.mul(upstream, centred)?;
        let moment = graph.sum_to(weighted, &channels)?;
        let dgamma = graph.mul(moment, rstd)?;
        let dbeta = graph.sum_to(upstream, &channels)?;
        let negative = graph.affine(scale, -1.0, 0.0)?;
        let dmean = graph.mul(dbeta, negative)?;
        let square = graph.mul(rstd, rstd)?;
        let slope = graph.mul(scale, square)?;
        let halved = graph.affine(slope, -0.5, 0.0)?;
        let dvariance = graph.mul(moment, halved)?;
        Ok([dx, dgamma, dbeta, dmean, dvariance].map(Some).to_vec())
    }

    fn scratch(&self, inputs: &[&Shape], _output: &Shape) -> usize {
        2 * inputs[1].elements()
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let [gamma, beta, mean, variance] = [1, 2, 3, 4].map(|at| lowering.param(at));
        let (beta, mean) = (beta?, mean?);
        let scale: Vec<f32> =
            gamma?.iter().zip(variance?).map(|(gamma, v)| gamma / (v + self.epsilon as f32).sqrt()).collect();
        let offset: Vec<f32> =
            beta.iter().zip(mean).zip(&scale).map(|((beta, mean), scale)| beta - mean * scale).collect();
        lowering.fold(&scale, &offset)
    }
}
