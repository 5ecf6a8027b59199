//! Layer normalization (Ba et al. 2016).

use ackermann_core::blob::LayerNormSpec;
use ackermann_core::blob::write::OperatorKind;

use super::{Io, Operator, Rsqrt, exactly, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::{Lowering, Scale};

/// Inputs `x`, `gamma` and `beta` (parameters): `gamma (x - mean) / sqrt(variance + epsilon) + beta` over the last dimension.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerNorm {
    /// Added to the variance.
    pub epsilon: f64,
}

impl Operator for LayerNorm {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x, gamma, beta] = exactly(inputs)?;
        let depth = x.last().copied().unwrap_or(0);
        if depth > 0 && gamma.dims() == [depth] && beta.dims() == [depth] {
            Ok(x.clone())
        } else {
            Err(misfit(format!("gamma {gamma} and beta {beta} for a tensor {x}")))
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [x, gamma, beta] = [io.inputs[0], io.inputs[1], io.inputs[2]];
        let depth = gamma.data.len();
        for (y, x) in io.output.chunks_exact_mut(depth).zip(x.data.chunks_exact(depth)) {
            let mean = x.iter().map(|x| x.to_f64()).sum::<f64>() / depth as f64;
            let variance = x.iter().map(|x| (x.to_f64() - mean).powi(2)).sum::<f64>() / depth as f64;
            let factor = (variance + self.epsilon).sqrt().recip();
            for ((y, x), (gamma, beta)) in y.iter_mut().zip(x).zip(gamma.data.iter().zip(beta.data)) {
                *y = *gamma * T::of((x.to_f64() - mean) * factor) + *beta;
            }
        }
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        // With z the normalized values and g = gamma v: dx = (g - mean(g) - z mean(g z)) / sqrt(variance + epsilon).
        let (x, gamma) = (graph.node(node).inputs[0], graph.node(node).inputs[1]);
        let (depth, last) = (graph.shape(gamma).clone(), graph.shape(x).len() - 1);
        let mean = graph.mean_over(x, &[last])?;
        let centred = graph.sub(x, mean)?;
        let square = graph.square(centred)?;
        let variance = graph.mean_over(square, &[last])?;
        let shifted = graph.affine(variance, 1.0, self.epsilon)?;
        let factor = graph.push(Rsqrt, &[shifted])?;
        let normal = graph.mul(centred, factor)?;
        let product = graph.mul(upstream, normal)?;
        let scaled = graph.mul(upstream, gamma)?;
        let common = graph.mean_over(scaled, &[last])?;
        let level = graph.sub(scaled, common)?;
        let along = graph.mul(scaled, normal)?;
        let along = graph.mean_over(along, &[last])?;
        let tilt = graph.mul(normal, along)?;
        let rest = graph.sub(level, tilt)?;
        let dx = graph.mul(rest, factor)?;
        Ok(vec![Some(dx), Some(graph.sum_to(product, &depth)?), Some(graph.sum_to(upstream, &depth)?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let (gamma, beta) = (lowering.param(1)?.to_vec(), lowering.param(2)?.to_vec());
        let epsilon = self.epsilon as f32;
        lowering.operator(Scale::Observed, move |site| {
            let spec = LayerNormSpec::for_scales(&gamma, &beta, epsilon, site.inputs[0].scale, site.output.scale);
            Ok(OperatorKind::LayerNorm(spec))
        })
    }
}
