//! From the camera's picture to steering.

use super::{Layer, Network};

/// NVIDIA's DAVE-2 (Bojarski et al. 2016): 252,219 parameters, 27 million multiply-accumulates.
pub fn pilotnet() -> Network {
    let layers = vec![
        Layer::conv2d(24, 5, 2),
        Layer::Relu,
        Layer::conv2d(36, 5, 2),
        Layer::Relu,
        Layer::conv2d(48, 5, 2),
        Layer::Relu,
        Layer::conv2d(64, 3, 1),
        Layer::Relu,
        Layer::conv2d(64, 3, 1),
        Layer::Relu,
        Layer::Flatten,
        Layer::dense(100),
        Layer::Relu,
        Layer::dense(50),
        Layer::Relu,
        Layer::dense(10),
        Layer::Relu,
        Layer::dense(1),
    ];
    Network::of_pixels("pilotnet", [66, 200, 3], layers)
}

/// A third of the parameters and a ninth of the work, for a Cortex-M4.
pub fn micro() -> Network {
    let layers = vec![
        Layer::conv2d(16, 5, 2),
        Layer::Relu,
        Layer::conv2d(24, 5, 2),
        Layer::Relu,
        Layer::conv2d(32, 3, 1),
        Layer::Relu,
        Layer::conv2d(48, 3, 2).padded(1),
        Layer::Relu,
        Layer::Flatten,
        Layer::dense(64),
        Layer::Relu,
        Layer::dense(16),
        Layer::Relu,
        Layer::dense(1),
    ];
    Network::of_pixels("micro", [32, 96, 3], layers)
}

/// Frames of a sequence that [`micro_lstm`] is trained on.
const STEPS: usize = 24;

/// [`micro`] with a memory: an LSTM between its dense layers, trained on sequences of 24 frames, so that it keeps its course while it sees
/// nothing.
pub fn micro_lstm() -> Network {
    let Network { input, kind, mut layers, .. } = micro();
    let head = layers.split_off(layers.len() - 3);
    let layers = [vec![Layer::time_distributed(layers), Layer::lstm(64)], head, vec![Layer::Flatten]].concat();
    Network { name: "micro-lstm".into(), input: [&[STEPS], input.as_slice()].concat(), kind, layers }
}
