//! Modules as functions, for networks that are written in a line: see [`sequential`](crate::train::sequential). Any other [`Layer`] is one by `into()`.

use super::Layer;

/// A layer, and how many numbers it takes where it says so.
#[derive(Debug, Clone, PartialEq)]
pub struct Module {
    /// The layer.
    pub layer: Layer,
    /// Features of its input.
    pub inputs: Option<usize>,
}

impl From<Layer> for Module {
    fn from(layer: Layer) -> Self {
        Self { layer, inputs: None }
    }
}

/// `inputs` numbers to `outputs`: PyTorch's `nn.Linear`.
pub fn linear(inputs: usize, outputs: usize) -> Module {
    Module { layer: Layer::dense(outputs), inputs: Some(inputs) }
}

/// `nn.ReLU`.
pub fn relu() -> Module {
    Layer::Relu.into()
}

/// `nn.Tanh`.
pub fn tanh() -> Module {
    Layer::Tanh.into()
}
