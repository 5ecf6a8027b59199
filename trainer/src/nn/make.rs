//! Constructors of layers, in PyTorch's words.

use super::Layer;
use crate::ops::Padding;

impl Layer {
    /// A square convolution without padding.
    pub fn conv2d(filters: usize, kernel: usize, stride: usize) -> Self {
        Self::Conv2d {
            filters,
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: Padding::default(),
            dilation: [1, 1],
            groups: 1,
            bias: true,
        }
    }

    /// A square depthwise convolution without padding, one channel for each.
    pub fn depthwise_conv2d(kernel: usize, stride: usize) -> Self {
        let (kernel, stride) = ([kernel; 2], [stride; 2]);
        Self::DepthwiseConv2d {
            multiplier: 1,
            kernel,
            stride,
            padding: Padding::default(),
            dilation: [1, 1],
            bias: true,
        }
    }

    /// A square transposed convolution without padding.
    pub fn conv_transpose2d(filters: usize, kernel: usize, stride: usize) -> Self {
        let (kernel, stride) = ([kernel; 2], [stride; 2]);
        Self::ConvTranspose2d { filters, kernel, stride, padding: Padding::default(), more: [0, 0], bias: true }
    }

    /// This convolution or maximum pool with `pixels` zeros on every side; other layers unchanged.
    pub fn padded(self, pixels: usize) -> Self {
        self.with_padding(Padding::all(pixels))
    }

    /// This convolution or maximum pool with this padding; other layers unchanged.
    pub fn with_padding(mut self, zeros: Padding) -> Self {
        if let Self::Conv2d { padding, .. }
        | Self::DepthwiseConv2d { padding, .. }
        | Self::ConvTranspose2d { padding, .. }
        | Self::MaxPool { padding, .. } = &mut self
        {
            *padding = zeros;
        }
        self
    }

    /// This convolution with taps `steps` apart; other layers unchanged.
    pub fn dilated(mut self, steps: usize) -> Self {
        if let Self::Conv2d { dilation, .. } | Self::DepthwiseConv2d { dilation, .. } = &mut self {
            *dilation = [steps; 2];
        }
        self
    }

    /// This convolution in `count` groups of channels; other layers unchanged.
    pub fn grouped(mut self, count: usize) -> Self {
        if let Self::Conv2d { groups, .. } = &mut self {
            *groups = count;
        }
        self
    }

    /// This convolution or dense layer without a bias; other layers unchanged.
    pub fn without_bias(mut self) -> Self {
        if let Self::Conv2d { bias, .. }
        | Self::DepthwiseConv2d { bias, .. }
        | Self::ConvTranspose2d { bias, .. }
        | Self::Dense { bias, .. } = &mut self
        {
            *bias = false;
        }
        self
    }

    /// A square maximum pool that tiles the image.
    pub fn max_pool(kernel: usize) -> Self {
        Self::MaxPool { kernel: [kernel; 2], stride: [kernel; 2], padding: Padding::default() }
    }

    /// A square mean pool that tiles the image.
    pub fn avg_pool(kernel: usize) -> Self {
        Self::AvgPool { kernel: [kernel; 2], stride: [kernel; 2] }
    }

    /// A fully connected layer.
    pub fn dense(outputs: usize) -> Self {
        Self::Dense { outputs, bias: true }
    }

    /// Vectors of `size` numbers for the words of a vocabulary.
    pub fn embedding(vocabulary: usize, size: usize) -> Self {
        Self::Embedding { vocabulary, size }
    }

    /// An LSTM that gives all its hidden states.
    pub fn lstm(units: usize) -> Self {
        Self::Lstm { units, bidirectional: false, peephole: false, sequence: true }
    }

    /// A GRU that gives all its hidden states.
    pub fn gru(units: usize) -> Self {
        Self::Gru { units, bidirectional: false, sequence: true }
    }

    /// An RNN (tanh) that gives all its hidden states.
    pub fn rnn(units: usize) -> Self {
        Self::Rnn { units, bidirectional: false, sequence: true }
    }

    /// This recurrent layer in both directions; other layers unchanged.
    pub fn in_both_directions(mut self) -> Self {
        if let Self::Lstm { bidirectional, .. } | Self::Gru { bidirectional, .. } | Self::Rnn { bidirectional, .. } =
            &mut self
        {
            *bidirectional = true;
        }
        self
    }

    /// This recurrent layer giving only its last hidden state (PyTorch's `h_n`); other layers unchanged.
    pub fn last_state(mut self) -> Self {
        if let Self::Lstm { sequence, .. } | Self::Gru { sequence, .. } | Self::Rnn { sequence, .. } = &mut self {
            *sequence = false;
        }
        self
    }

    /// `layers` applied to each step of a sequence.
    pub fn time_distributed(layers: impl Into<Vec<Layer>>) -> Self {
        Self::TimeDistributed { layers: layers.into() }
    }

    /// `main(x) + x`.
    pub fn residual(main: impl Into<Vec<Layer>>) -> Self {
        Self::Residual { main: main.into(), shortcut: Vec::new() }
    }

    /// `main(x) + shortcut(x)`.
    pub fn residual_with(main: impl Into<Vec<Layer>>, shortcut: impl Into<Vec<Layer>>) -> Self {
        Self::Residual { main: main.into(), shortcut: shortcut.into() }
    }
}
