//! A generator and its discriminator (Radford et al. 2016), for pictures of 28x28.

use super::{Layer, Network};

/// 32 random numbers to a picture, values (pixel - 128) / 128.
pub fn generator() -> Network {
    let layers = vec![
        Layer::conv_transpose2d(64, 7, 1).without_bias(),
        Layer::BatchNorm,
        Layer::Relu,
        Layer::conv_transpose2d(32, 4, 2).padded(1).without_bias(),
        Layer::BatchNorm,
        Layer::Relu,
        Layer::conv_transpose2d(1, 4, 2).padded(1),
        Layer::Tanh,
    ];
    Network::of_numbers("generator", [1, 1, 32], layers)
}

/// A picture to one number: positive for a real one.
pub fn discriminator() -> Network {
    let layers = vec![
        Layer::conv2d(32, 4, 2).padded(1),
        Layer::LeakyRelu { slope: 0.2 },
        Layer::conv2d(64, 4, 2).padded(1).without_bias(),
        Layer::BatchNorm,
        Layer::LeakyRelu { slope: 0.2 },
        Layer::Flatten,
        Layer::dense(1),
    ];
    Network::of_pixels("discriminator", [28, 28, 1], layers)
}
