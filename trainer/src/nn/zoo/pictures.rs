//! From pictures to classes.

use super::{Layer, Network, normalized};
use crate::ops::Padding;

/// LeNet-5 (LeCun et al. 1998) with ReLU and maximum pools, for digits of 28x28.
pub fn lenet() -> Network {
    let layers = vec![
        Layer::conv2d(6, 5, 1).padded(2),
        Layer::Relu,
        Layer::max_pool(2),
        Layer::conv2d(16, 5, 1),
        Layer::Relu,
        Layer::max_pool(2),
        Layer::Flatten,
        Layer::dense(120),
        Layer::Relu,
        Layer::dense(84),
        Layer::Relu,
        Layer::dense(10),
    ];
    Network::of_pixels("lenet", [28, 28, 1], layers)
}

/// Three convolutions with batch norm for digits of 28x28: 1.3 million multiply-accumulates.
pub fn digits() -> Network {
    let stages = [normalized(Layer::conv2d(12, 5, 1).padded(2)), normalized(Layer::conv2d(24, 3, 1).padded(1))];
    let pooled = stages.into_iter().flat_map(|stage| stage.into_iter().chain([Layer::max_pool(2)]));
    let last = normalized(Layer::conv2d(48, 3, 1).padded(1));
    let head = [Layer::max_pool(2), Layer::Flatten, Layer::dense(10)];
    Network::of_pixels("digits", [28, 28, 1], pooled.chain(last).chain(head).collect())
}

/// MLPerf Tiny's image classification (Banbury et al. 2021): three residual blocks (He et al. 2016) on CIFAR's 32x32.
pub fn resnet8() -> Network {
    let block = |filters: usize, stride: usize| {
        let main = [
            &normalized(Layer::conv2d(filters, 3, stride).padded(1))[..],
            &[Layer::conv2d(filters, 3, 1).padded(1).without_bias(), Layer::BatchNorm],
        ];
        let shortcut = if stride == 1 { vec![] } else { vec![Layer::conv2d(filters, 1, stride)] };
        [Layer::residual_with(main.concat(), shortcut), Layer::Relu]
    };
    let stem = normalized(Layer::conv2d(16, 3, 1).padded(1));
    let head = [Layer::GlobalAvgPool, Layer::dense(10)];
    let layers = [&stem[..], &block(16, 1), &block(32, 2), &block(64, 2), &head].concat();
    Network::of_pixels("resnet8", [32, 32, 3], layers)
}

/// Stacks of 3x3 convolutions between pools (Simonyan and Zisserman 2015), for 32x32.
pub fn vgg_small() -> Network {
    let stack = |filters: usize| {
        let convolution = || normalized(Layer::conv2d(filters, 3, 1).padded(1));
        [&convolution()[..], &convolution(), &[Layer::max_pool(2)]].concat()
    };
    let head = [Layer::Flatten, Layer::dense(128), Layer::Relu, Layer::Dropout { rate: 0.5 }, Layer::dense(10)];
    let layers = [stack(16), stack(32), stack(64), head.to_vec()].concat();
    Network::of_pixels("vgg-small", [32, 32, 3], layers)
}

/// Filters of several sizes beside each other (Szegedy et al. 2015), for 32x32.
pub fn inception_small() -> Network {
    let module = |one: usize, [reduce3, three]: [usize; 2], [reduce5, five]: [usize; 2], pooled: usize| {
        let conv = |filters: usize, kernel: usize| normalized(Layer::conv2d(filters, kernel, 1).padded(kernel / 2));
        let (kernel, padding) = ([3, 3], Padding::all(1));
        let pool = Layer::MaxPool { kernel, stride: [1, 1], padding };
        Layer::Branches {
            branches: vec![
                conv(one, 1).to_vec(),
                [conv(reduce3, 1), conv(three, 3)].concat(),
                [conv(reduce5, 1), conv(five, 5)].concat(),
                [&[pool][..], &conv(pooled, 1)].concat(),
            ],
        }
    };
    let stem = [&normalized(Layer::conv2d(16, 3, 1).padded(1))[..], &[Layer::max_pool(2)]].concat();
    let modules = [module(8, [8, 16], [4, 4], 4), Layer::max_pool(2), module(16, [16, 32], [8, 8], 8)];
    let head = [Layer::GlobalAvgPool, Layer::Dropout { rate: 0.2 }, Layer::dense(10)];
    Network::of_pixels("inception-small", [32, 32, 3], [&stem[..], &modules, &head].concat())
}
