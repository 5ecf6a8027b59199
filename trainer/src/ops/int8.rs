//! A layer in the int8 core's arithmetic, between real numbers.

use std::sync::Arc;

use super::{Io, MAX_NODE_INPUTS, Operator, misfit};
use crate::Result;
use crate::graph::{Real, Shape};
use crate::quant::qat::Int8Layer;

/// Inputs: the values that the layer reads, its parameters, and the factors of the ranges; all real numbers. What the int8 core computes
/// with them rounded, as real numbers; NaN where no int8 layer can be made of them. It has no derivative: see [`super::FakeQuant`].
#[derive(Debug, Clone)]
pub struct Int8 {
    /// The layer.
    pub layer: Arc<Int8Layer>,
}

impl PartialEq for Int8 {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.layer, &other.layer)
    }
}

impl Operator for Int8 {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let wanted = self.layer.values().len() + self.layer.params().len() + 1;
        match inputs.len() == wanted && wanted <= MAX_NODE_INPUTS {
            true => Ok(self.layer.shape().clone()),
            false => {
                Err(misfit(format!("takes {wanted} inputs of at most {MAX_NODE_INPUTS}, was given {}", inputs.len())))
            }
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        if self.layer.run(io.inputs, io.output).is_err() {
            io.output.fill(T::of(f64::NAN));
        }
    }
}
