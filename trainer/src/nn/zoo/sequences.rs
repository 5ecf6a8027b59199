//! From sound and text to classes.

use super::{Layer, Network, normalized};
use crate::ops::Padding;

/// Words of a vocabulary; those beyond share the last ones.
const VOCABULARY: usize = 8192;
/// Words of a sentence.
const WORDS: usize = 52;

/// MLPerf Tiny's keyword spotting (Zhang et al. 2017): a depthwise separable network on 49 frames of 10 coefficients, 12 words.
pub fn ds_cnn() -> Network {
    let stem = Layer::Conv2d {
        filters: 64,
        kernel: [10, 4],
        stride: [2, 2],
        padding: Padding { top: 4, bottom: 5, left: 1, right: 1 },
        dilation: [1, 1],
        groups: 1,
        bias: true,
    };
    let mut layers = normalized(stem).to_vec();
    layers.push(Layer::Dropout { rate: 0.2 });
    for _ in 0..4 {
        layers.extend(normalized(Layer::depthwise_conv2d(3, 1).padded(1)));
        layers.extend(normalized(Layer::conv2d(64, 1, 1)));
    }
    layers.extend([Layer::Dropout { rate: 0.4 }, Layer::GlobalAvgPool, Layer::dense(12)]);
    Network::of_numbers("ds-cnn", [49, 10, 1], layers)
}

/// An LSTM over 48 frames of 32 mel bands, ten digits.
pub fn lstm() -> Network {
    Network::of_numbers("lstm", [48, 32], vec![Layer::lstm(64).last_state(), Layer::dense(10)])
}

/// The mean of the words' vectors (Iyyer et al. 2015), two classes.
pub fn text() -> Network {
    let layers = vec![Layer::embedding(VOCABULARY, 32), Layer::Mean, Layer::Dropout { rate: 0.3 }, Layer::dense(2)];
    Network::of_tokens("text", WORDS, VOCABULARY, layers)
}

/// An LSTM over the words' vectors, two classes.
pub fn text_lstm() -> Network {
    let layers = vec![
        Layer::embedding(VOCABULARY, 32),
        Layer::Dropout { rate: 0.3 },
        Layer::lstm(32).in_both_directions().last_state(),
        Layer::dense(2),
    ];
    Network::of_tokens("text-lstm", WORDS, VOCABULARY, layers)
}

/// Encoder and decoder (Sutskever et al. 2014) of eight symbols out of twelve: scores of each symbol at each step.
pub fn seq2seq() -> Network {
    let (steps, symbols) = (8, 12);
    let layers = vec![
        Layer::embedding(symbols, 16),
        Layer::lstm(32).last_state(),
        Layer::Repeat { times: steps },
        Layer::lstm(32),
        Layer::dense(symbols),
    ];
    Network::of_tokens("seq2seq", steps, symbols, layers)
}
