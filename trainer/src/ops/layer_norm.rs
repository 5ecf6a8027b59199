//! Layer normalization (Ba et al. 2016).

use ackermann_core::blob::LayerNormSpec;
use ackermann_core::blob::write::OperatorKind;

use super::{Io, Operator, exactly, misfit};
use crate::Result;
use crate::graph::{Real, Shape};
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

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let (gamma, beta) = (lowering.param(1)?.to_vec(), lowering.param(2)?.to_vec());
        let epsilon = self.epsilon as f32;
        lowering.operator(Scale::Observed, move |site| {
            let spec = LayerNormSpec::for_scales(&gamma, &beta, epsilon, site.inputs[0].scale, site.output.scale);
            Ok(OperatorKind::LayerNorm(spec))
        })
    }
}
