//! Layer normalization (Ba et al. 2016).

use ackermann_core::blob::LayerNormSpec;
use ackermann_core::blob::write::OperatorKind;

use super::standardize::standardize;
use super::{Io, Operator, Standardize, StandardizeGrad, chunks, exactly, misfit};
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
        chunks::rows(x.data, io.output, gamma.data.len(), |x, y| {
            standardize(x, y, self.epsilon);
            y.iter_mut().zip(gamma.data.iter().zip(beta.data)).for_each(|(y, (&gamma, &beta))| *y = gamma * *y + beta);
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let (x, gamma) = (graph.node(node).inputs[0], graph.node(node).inputs[1]);
        let (depth, epsilon) = (graph.shape(gamma).clone(), self.epsilon);
        let scaled = graph.mul(upstream, gamma)?;
        let dx = graph.push(StandardizeGrad { epsilon }, &[x, scaled])?;
        let normal = graph.push(Standardize { epsilon }, &[x])?;
        let product = graph.mul(upstream, normal)?;
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
