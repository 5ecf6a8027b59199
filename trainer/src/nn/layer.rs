//! The layers a network is written in.

use serde::{Deserialize, Serialize};

use crate::ops::Padding;

/// One layer of a [`super::Network`]; the constructors (`Layer::conv2d(16, 3, 1).padded(1)`) are in PyTorch's words.
///
/// Shapes leave the batch out: pictures are `[height, width, channels]`, sequences `[time, features]`, vectors `[features]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Layer {
    /// Convolution of pictures.
    Conv2d {
        /// Channels of the output.
        filters: usize,
        /// Rows and columns of a filter.
        kernel: [usize; 2],
        /// Steps down and right.
        stride: [usize; 2],
        /// Zeros around the image.
        padding: Padding,
        /// Steps between the taps of a filter, 1 for a dense one.
        #[serde(default = "ones")]
        dilation: [usize; 2],
        /// Groups of channels that do not see each other; divides the channels of input and output.
        #[serde(default = "one")]
        groups: usize,
        /// Whether a number is added to each channel.
        #[serde(default = "yes")]
        bias: bool,
    },
    /// Convolution of each channel on its own: PyTorch's `Conv2d` with as many groups as channels.
    DepthwiseConv2d {
        /// Channels of the output for each of the input.
        multiplier: usize,
        /// Rows and columns of a filter.
        kernel: [usize; 2],
        /// Steps down and right.
        stride: [usize; 2],
        /// Zeros around the image.
        padding: Padding,
        /// Steps between the taps of a filter, 1 for a dense one.
        #[serde(default = "ones")]
        dilation: [usize; 2],
        /// Whether a number is added to each channel.
        #[serde(default = "yes")]
        bias: bool,
    },
    /// Transposed convolution: each pixel is spread over a window. The output has `stride (size - 1) + kernel - padding + more` rows.
    ConvTranspose2d {
        /// Channels of the output.
        filters: usize,
        /// Rows and columns of a filter.
        kernel: [usize; 2],
        /// Distance of the windows down and right.
        stride: [usize; 2],
        /// What is cut off around the output.
        padding: Padding,
        /// Rows and columns added at the bottom and at the right (PyTorch's `output_padding`), less than the stride.
        #[serde(default)]
        more: [usize; 2],
        /// Whether a number is added to each channel.
        #[serde(default = "yes")]
        bias: bool,
    },
    /// Fully connected: PyTorch's `Linear`, over the last dimension.
    Dense {
        /// How many outputs.
        outputs: usize,
        /// Whether a number is added to each output.
        #[serde(default = "yes")]
        bias: bool,
    },
    /// Batch normalization of the last dimension (epsilon 1e-5, momentum 0.1).
    BatchNorm,
    /// Layer normalization over the last dimension (epsilon 1e-5).
    LayerNorm,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `x` above zero, `e^x - 1` below.
    Elu,
    /// `x` above zero, `slope x` below.
    LeakyRelu {
        /// Slope below zero.
        slope: f64,
    },
    /// `1 / (1 + e^-x)`.
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// `x / (1 + e^-x)`.
    Silu,
    /// `x Phi(x)`, with the normal distribution's share below `x`.
    Gelu,
    /// [`Layer::Gelu`] in its tanh form: PyTorch's `GELU(approximate="tanh")`.
    GeluTanh,
    /// `x min(max(x / 6 + 1/2, 0), 1)`.
    HardSwish,
    /// `scale * atan(x)`.
    Atan {
        /// Factor on the angle.
        scale: f64,
    },
    /// Shares of the last dimension: `e^x / sum of e^x`.
    Softmax,
    /// Maximum over windows.
    MaxPool {
        /// Rows and columns of the window.
        kernel: [usize; 2],
        /// Steps down and right.
        stride: [usize; 2],
        /// Pixels around the image, which never are the maximum.
        #[serde(default)]
        padding: Padding,
    },
    /// Mean over windows.
    AvgPool {
        /// Rows and columns of the window.
        kernel: [usize; 2],
        /// Steps down and right.
        stride: [usize; 2],
    },
    /// Pictures to the mean of each channel, a vector.
    GlobalAvgPool,
    /// Sequences to the mean over time.
    Mean,
    /// To vectors: pictures in HWC order, sequences step by step.
    Flatten,
    /// The same numbers in another shape, in HWC order; in PyTorch pictures are permuted to channels last before and back behind it.
    Reshape {
        /// The new shape, without the batch.
        shape: Vec<usize>,
    },
    /// Zeroes elements at random in training.
    Dropout {
        /// Probability of zero.
        rate: f64,
    },
    /// Words to vectors: `[time]` to `[time, size]`.
    Embedding {
        /// How many words there are.
        vocabulary: usize,
        /// Numbers per word.
        size: usize,
    },
    /// Long short-term memory over sequences.
    Lstm {
        /// Numbers of the hidden state.
        units: usize,
        /// Whether another one reads the sequence from its end; their states stand behind one another.
        #[serde(default)]
        bidirectional: bool,
        /// Whether the gates see the memory.
        #[serde(default)]
        peephole: bool,
        /// Whether every hidden state is given, `[time, units]`, or the last one, `[units]`.
        #[serde(default = "yes")]
        sequence: bool,
    },
    /// Gated recurrent unit over sequences.
    Gru {
        /// Numbers of the hidden state.
        units: usize,
        /// As of [`Layer::Lstm`].
        #[serde(default)]
        bidirectional: bool,
        /// As of [`Layer::Lstm`].
        #[serde(default = "yes")]
        sequence: bool,
    },
    /// Elman's recurrent layer, tanh, over sequences.
    Rnn {
        /// Numbers of the hidden state.
        units: usize,
        /// As of [`Layer::Lstm`].
        #[serde(default)]
        bidirectional: bool,
        /// As of [`Layer::Lstm`].
        #[serde(default = "yes")]
        sequence: bool,
    },
    /// Layers applied to every step of a sequence (of pictures, for one).
    TimeDistributed {
        /// The layers.
        layers: Vec<Layer>,
    },
    /// Self-attention over a sequence: PyTorch's `MultiheadAttention(size, heads, batch_first=True)` of `(x, x, x)`.
    Attention {
        /// Heads; divides the features.
        heads: usize,
    },
    /// Vectors to sequences that have them at every step.
    Repeat {
        /// How many steps.
        times: usize,
    },
    /// `main(x) + shortcut(x)`.
    Residual {
        /// One way.
        main: Vec<Layer>,
        /// The other; empty for `x` itself.
        #[serde(default)]
        shortcut: Vec<Layer>,
    },
    /// Layers beside each other, their channels behind one another (Inception).
    Branches {
        /// The layers of each; empty for `x` itself.
        branches: Vec<Vec<Layer>>,
    },
}

fn one() -> usize {
    1
}

fn ones() -> [usize; 2] {
    [1, 1]
}

fn yes() -> bool {
    true
}

impl Layer {
    /// Stem of the layer's name: the first convolution is `conv1`, the second dense layer `fc2`.
    pub fn stem(&self) -> &'static str {
        match self {
            Self::Conv2d { .. } => "conv",
            Self::DepthwiseConv2d { .. } => "depthwise",
            Self::ConvTranspose2d { .. } => "deconv",
            Self::Dense { .. } => "fc",
            Self::BatchNorm => "bn",
            Self::LayerNorm => "ln",
            Self::Relu => "relu",
            Self::Relu6 => "relu6_",
            Self::Elu => "elu",
            Self::LeakyRelu { .. } => "leaky_relu",
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
            Self::Silu => "silu",
            Self::Gelu => "gelu",
            Self::GeluTanh => "gelu_tanh",
            Self::HardSwish => "hardswish",
            Self::Atan { .. } => "atan",
            Self::Softmax => "softmax",
            Self::MaxPool { .. } => "maxpool",
            Self::AvgPool { .. } => "avgpool",
            Self::GlobalAvgPool => "globalpool",
            Self::Mean => "mean",
            Self::Flatten => "flatten",
            Self::Reshape { .. } => "reshape",
            Self::Dropout { .. } => "dropout",
            Self::Embedding { .. } => "embedding",
            Self::Lstm { .. } => "lstm",
            Self::Gru { .. } => "gru",
            Self::Rnn { .. } => "rnn",
            Self::TimeDistributed { .. } => "time",
            Self::Attention { .. } => "attention",
            Self::Repeat { .. } => "repeat",
            Self::Residual { .. } => "residual",
            Self::Branches { .. } => "branches",
        }
    }

    /// The layers in it, each list with the name that it has there.
    pub fn inner(&self) -> Vec<(String, &[Layer])> {
        match self {
            Self::TimeDistributed { layers } => vec![(String::new(), layers)],
            Self::Residual { main, shortcut } => vec![("main".into(), main), ("shortcut".into(), shortcut)],
            Self::Branches { branches } => {
                branches.iter().enumerate().map(|(at, layers)| (at.to_string(), layers.as_slice())).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// `layers` with their names below `path`: stem and number within the stem, from 1.
pub fn named<'l>(path: &str, layers: &'l [Layer]) -> impl Iterator<Item = (String, &'l Layer)> + use<'l> {
    let path = if path.is_empty() { String::new() } else { format!("{path}.") };
    layers.iter().enumerate().map(move |(at, layer)| {
        let number = layers[..=at].iter().filter(|l| l.stem() == layer.stem()).count();
        (format!("{path}{}{number}", layer.stem()), layer)
    })
}

/// The path of a list of layers that has the name `part` in the layer `name`.
pub fn path(name: &str, part: &str) -> String {
    if part.is_empty() { name.to_string() } else { format!("{name}.{part}") }
}
