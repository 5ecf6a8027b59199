//! From features to a number.

use super::{Layer, Network};

/// The course's perceptron, with two hidden layers.
pub fn mlp() -> Network {
    let layers = vec![Layer::dense(16), Layer::Relu, Layer::dense(16), Layer::Tanh, Layer::dense(1)];
    Network::of_numbers("mlp", [2], layers)
}
