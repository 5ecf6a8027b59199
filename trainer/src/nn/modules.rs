//! Modules as functions, for networks that are written in a line: see [`sequential`](crate::train::sequential).

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

/// `nn.LeakyReLU`.
pub fn leaky_relu(slope: f64) -> Module {
    Layer::LeakyRelu { slope }.into()
}

/// `nn.ELU`.
pub fn elu() -> Module {
    Layer::Elu.into()
}

/// `nn.Tanh`.
pub fn tanh() -> Module {
    Layer::Tanh.into()
}

/// `nn.Sigmoid`.
pub fn sigmoid() -> Module {
    Layer::Sigmoid.into()
}

/// `nn.GELU`.
pub fn gelu() -> Module {
    Layer::Gelu.into()
}

/// `nn.Softmax(dim=-1)`.
pub fn softmax() -> Module {
    Layer::Softmax.into()
}

/// `nn.Dropout`.
pub fn dropout(rate: f64) -> Module {
    Layer::Dropout { rate }.into()
}

/// `nn.BatchNorm1d`.
pub fn batch_norm(features: usize) -> Module {
    Module { layer: Layer::BatchNorm, inputs: Some(features) }
}

/// `nn.LayerNorm`.
pub fn layer_norm(features: usize) -> Module {
    Module { layer: Layer::LayerNorm, inputs: Some(features) }
}
