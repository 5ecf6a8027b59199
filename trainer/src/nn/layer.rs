//! The layers a network is written in.

use serde::{Deserialize, Serialize};

use crate::ops::{Padding, Window};

/// One layer of a [`super::Network`]; the constructors read like PyTorch's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Layer {
    /// Convolution with bias.
    Conv2d {
        /// Channels of the output.
        filters: usize,
        /// Rows and columns of a filter.
        kernel: [usize; 2],
        /// Steps down and right.
        stride: [usize; 2],
        /// Zeros around the image.
        padding: Padding,
    },
    /// Batch normalization of the channels (epsilon 1e-5, momentum 0.1).
    BatchNorm,
    /// `max(x, 0)`.
    Relu,
    /// `x` above zero, `e^x - 1` below.
    Elu,
    /// Hyperbolic tangent.
    Tanh,
    /// `scale * atan(x)`.
    Atan {
        /// Factor on the angle.
        scale: f64,
    },
    /// Maximum over windows.
    MaxPool {
        /// Rows and columns of the window.
        kernel: [usize; 2],
        /// Steps down and right.
        stride: [usize; 2],
    },
    /// Mean over windows.
    AvgPool {
        /// Rows and columns of the window.
        kernel: [usize; 2],
        /// Steps down and right.
        stride: [usize; 2],
    },
    /// Images to vectors, in HWC order.
    Flatten,
    /// Fully connected with bias.
    Dense {
        /// How many outputs.
        outputs: usize,
    },
    /// Zeroes elements at random in training.
    Dropout {
        /// Probability of zero.
        rate: f64,
    },
}

impl Layer {
    /// A square convolution without padding.
    pub fn conv2d(filters: usize, kernel: usize, stride: usize) -> Self {
        Self::Conv2d { filters, kernel: [kernel; 2], stride: [stride; 2], padding: Padding::default() }
    }

    /// This convolution with `pixels` zeros on every side; other layers unchanged.
    pub fn padded(self, pixels: usize) -> Self {
        match self {
            Self::Conv2d { filters, kernel, stride, .. } => {
                Self::Conv2d { filters, kernel, stride, padding: Padding::all(pixels) }
            }
            other => other,
        }
    }

    /// A square maximum pool that tiles the image.
    pub fn max_pool(kernel: usize) -> Self {
        Self::MaxPool { kernel: [kernel; 2], stride: [kernel; 2] }
    }

    /// A square mean pool that tiles the image.
    pub fn avg_pool(kernel: usize) -> Self {
        Self::AvgPool { kernel: [kernel; 2], stride: [kernel; 2] }
    }

    /// A fully connected layer.
    pub fn dense(outputs: usize) -> Self {
        Self::Dense { outputs }
    }

    /// Stem of the layer's name: the first convolution is `conv1`, the second dense layer `fc2`.
    pub fn stem(&self) -> &'static str {
        match self {
            Self::Conv2d { .. } => "conv",
            Self::BatchNorm => "bn",
            Self::Relu => "relu",
            Self::Elu => "elu",
            Self::Tanh => "tanh",
            Self::Atan { .. } => "atan",
            Self::MaxPool { .. } => "maxpool",
            Self::AvgPool { .. } => "avgpool",
            Self::Flatten => "flatten",
            Self::Dense { .. } => "fc",
            Self::Dropout { .. } => "dropout",
        }
    }

    /// The window of a pool.
    pub(super) fn pool(kernel: [usize; 2], stride: [usize; 2]) -> Window {
        Window::new(kernel, stride, Padding::default())
    }
}
