//! The two inputs of an operator, either of which may be a constant of the blob.

use ackermann_core::blob::write::{OperatorKind, TensorSpec};

use super::program::{Lowering, Made, Site};
use crate::Result;

/// The two inputs of an operator: those that are parameters as tensors of the blob.
#[derive(Debug, Clone)]
pub struct Sides([Option<TensorSpec>; 2]);

impl Sides {
    /// The sides of the node that is lowered.
    pub fn of(lowering: &Lowering<'_>) -> Result<Self> {
        let constant = |at: usize| lowering.is_param(at).then(|| lowering.constant(at)).transpose();
        Ok(Self([constant(0)?, constant(1)?]))
    }

    /// The scales of both.
    pub fn scales(&self, site: &Site<'_>) -> [f32; 2] {
        let mut computed = site.inputs.iter().map(|input| input.scale);
        let mut scale = |constant: &Option<TensorSpec>| match constant {
            Some(constant) => constant.scale,
            None => computed.next().unwrap_or(1.0),
        };
        let [first, second] = &self.0;
        [scale(first), scale(second)]
    }

    /// The operator between them.
    pub fn made(&self, kind: OperatorKind) -> Made {
        let [before, after] = self.0.each_ref().map(|constant| constant.iter().cloned().collect());
        Made { kind, before, after }
    }
}
