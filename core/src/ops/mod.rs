//! Operators: what each computes, the checks that make it safe to run, and its kernels.
//!
//! Each folder holds the operator's record (`mod.rs`: formula, ranges, source, `decode`, `verify`), the plain
//! `reference`, and fast versions that are equal to it bit for bit. [`Kernels`] picks between them at compile time.

pub mod add;
pub mod argmax;
pub mod average_pool;
pub mod batch_matmul;
pub mod concat;
pub mod conv2d;
pub mod depthwise_conv2d;
mod dot;
mod dot_dsp;
mod elementwise;
pub mod fully_connected;
pub mod gather;
pub mod general_conv2d;
pub mod gru;
mod helium;
mod kernels;
pub mod layer_norm;
pub mod lstm;
pub mod lut;
pub mod max_pool;
pub mod mean;
pub mod mul;
mod operator;
pub mod pad;
mod parts;
mod pool;
pub mod prelu;
mod record;
pub mod recurrent;
pub mod requantize;
pub mod reshape;
pub mod resize_bilinear;
pub mod resize_nearest;
pub mod rnn;
pub mod softmax;
pub mod strided_slice;
pub mod sub;
pub mod transpose;
mod walk;
mod weighted;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use add::Add;
pub use argmax::Argmax;
pub use average_pool::AveragePool;
pub use batch_matmul::BatchMatmul;
pub use concat::Concat;
pub use conv2d::Conv2d;
pub use depthwise_conv2d::DepthwiseConv2d;
pub use fully_connected::FullyConnected;
pub use gather::Gather;
pub use general_conv2d::GeneralConv2d;
pub use gru::Gru;
pub use kernels::{Dsp, Kernels, Mve, Neon, Portable, Reference, Selected};
pub use layer_norm::LayerNorm;
pub use lstm::Lstm;
pub use lut::Lut;
pub use max_pool::MaxPool;
pub use mean::Mean;
pub use mul::Mul;
use operator::Node;
pub use operator::{Opcode, Operator};
pub use pad::Pad;
pub(crate) use parts::{parts, parts_mut};
pub use pool::Pool;
pub use prelu::Prelu;
pub use recurrent::{Matrix, Recurrent, RowScale, Rows};
pub use requantize::Requantize;
pub use reshape::Reshape;
pub use resize_bilinear::ResizeBilinear;
pub use resize_nearest::ResizeNearest;
pub use rnn::Rnn;
pub use softmax::Softmax;
pub use strided_slice::StridedSlice;
pub use sub::Sub;
pub use transpose::Transpose;
pub use weighted::Weighted;
#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Host, Vnni};

use crate::LoadError;
use crate::blob::format::MAX_INPUTS;
use crate::blob::{Element, Tensor};

/// The tensors an operator reads and writes.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'m> {
    /// Read first, by most operators alone.
    pub input: &'m Tensor,
    /// Read beside it: the first `None` ends the list.
    pub others: [Option<&'m Tensor>; MAX_INPUTS - 1],
    /// Written.
    pub output: &'m Tensor,
}

impl<'m> Sides<'m> {
    /// All tensors read.
    pub fn inputs(&self) -> impl Iterator<Item = &'m Tensor> + use<'m> {
        let others = self.others;
        core::iter::once(self.input).chain(others.into_iter().map_while(|tensor| tensor))
    }

    /// Batch, height, width and channels of input and output, if both have four dimensions. Where time does not matter: kernels want the
    /// compiler to see that none is 0.
    #[inline(never)]
    fn images(&self) -> Option<[[usize; 4]; 2]> {
        Some([self.input.nhwc()?, self.output.nhwc()?])
    }

    /// Whether all inputs and the output have this element type.
    pub(crate) fn all(&self, element: Element) -> bool {
        self.output.element() == element && self.inputs().all(|tensor| tensor.element() == element)
    }

    /// Refuses different scales or zero points of input and output.
    fn same_quantization(&self, operator: u16) -> Result<(), LoadError> {
        if self.input.same_quantization(self.output) {
            Ok(())
        } else {
            Err(LoadError::QuantizationMismatch { operator })
        }
    }
}

#[cfg(test)]
mod tests;
