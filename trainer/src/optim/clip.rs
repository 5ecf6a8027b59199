//! Bounds on gradients, as PyTorch's `clip_grad_value_` and `clip_grad_norm_` (Pascanu et al. 2013).

use crate::{Error, Result};

/// Keeps the norm's division away from zero, as PyTorch does.
const EPSILON: f64 = 1e-6;

/// Bounds on gradients; each value first, then the norm of all together. The default has none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Clip {
    /// Each gradient is cut off at plus and minus this.
    pub value: Option<f64>,
    /// Gradients with a larger common Euclidean norm are scaled down to it.
    pub norm: Option<f64>,
}

impl Clip {
    /// Errors name the option whose bound is not positive.
    pub fn check(&self) -> Result<()> {
        for (option, bound) in [("--clip-value", self.value), ("--clip", self.norm)] {
            if let Some(bound) = bound
                && !(bound > 0.0 && bound.is_finite())
            {
                return Err(Error::usage(option, format!("{bound} is not a positive number")));
            }
        }
        Ok(())
    }

    /// The bound on each value.
    pub(super) fn limit(&self) -> f32 {
        self.value.map_or(f32::INFINITY, |limit| limit as f32)
    }

    /// The factor that brings the norm of `gradients` (their values cut off) down to the bound.
    pub(super) fn scale<'g>(&self, gradients: impl Iterator<Item = &'g [f32]>) -> f32 {
        let limit = self.limit();
        self.norm.map_or(1.0, |bound| (bound / (norm(gradients, limit) + EPSILON)).min(1.0) as f32)
    }
}

/// Euclidean norm of all gradients together, their values cut off at `limit`.
fn norm<'g>(gradients: impl Iterator<Item = &'g [f32]>, limit: f32) -> f64 {
    gradients.flatten().map(|g| f64::from(g.clamp(-limit, limit)).powi(2)).sum::<f64>().sqrt()
}
