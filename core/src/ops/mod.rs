//! Operators: what each computes, the checks that make it safe to run, and its kernels.
//!
//! Each folder holds the operator's record (`mod.rs`: formula, ranges, source, `decode`, `verify`), the plain
//! `reference`, and fast versions that are equal to it bit for bit. [`Kernels`] picks between them at compile time.

pub mod add;
pub mod average_pool;
pub mod conv2d;
pub mod depthwise_conv2d;
mod dot;
pub mod fully_connected;
mod kernels;
pub mod lut;
pub mod max_pool;
mod pool;
mod record;
pub mod reshape;
pub mod softmax;
mod weighted;

pub use add::Add;
pub use average_pool::AveragePool;
pub use conv2d::Conv2d;
pub use depthwise_conv2d::DepthwiseConv2d;
pub use fully_connected::FullyConnected;
pub use kernels::{Dsp, Kernels, Portable, Reference, Selected};
pub use lut::Lut;
pub use max_pool::MaxPool;
pub use pool::Pool;
pub use softmax::Softmax;
pub use weighted::Weighted;

use crate::LoadError;
use crate::blob::Tensor;
use crate::blob::format::OperatorRecord;
use record::Record;

/// The numbers that stand for operators in a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// [`Conv2d`].
    Conv2d = 1,
    /// [`FullyConnected`].
    FullyConnected = 2,
    /// [`MaxPool`].
    MaxPool = 3,
    /// [`AveragePool`].
    AveragePool = 4,
    /// [`reshape`].
    Reshape = 5,
    /// [`Lut`].
    Lut = 6,
    /// [`Add`].
    Add = 7,
    /// [`Softmax`].
    Softmax = 8,
    /// [`DepthwiseConv2d`].
    DepthwiseConv2d = 9,
}

impl Opcode {
    /// The name used in tables and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conv2d => "conv2d",
            Self::FullyConnected => "fully_connected",
            Self::MaxPool => "max_pool",
            Self::AveragePool => "average_pool",
            Self::Reshape => "reshape",
            Self::Lut => "lut",
            Self::Add => "add",
            Self::Softmax => "softmax",
            Self::DepthwiseConv2d => "depthwise_conv2d",
        }
    }
}

/// The consecutive parts of `length` elements (images, rows, channels' weights); `chunks_exact` without its panic on 0.
#[inline(always)]
pub(crate) fn parts<T>(all: &[T], length: usize) -> core::slice::ChunksExact<'_, T> {
    all.chunks_exact(length.max(1))
}

/// [`parts`], to be written.
#[inline(always)]
pub(crate) fn parts_mut<T>(all: &mut [T], length: usize) -> core::slice::ChunksExactMut<'_, T> {
    all.chunks_exact_mut(length.max(1))
}

/// An operator, read from its record; its slices are those of the blob.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Operator<'m> {
    /// Convolution over height and width.
    Conv2d(Conv2d<'m>),
    /// Matrix times vector.
    FullyConnected(FullyConnected<'m>),
    /// Largest value of each window.
    MaxPool(MaxPool),
    /// Mean of each window.
    AveragePool(AveragePool),
    /// The same bytes under another shape.
    Reshape,
    /// Any function of one int8, by table.
    Lut(Lut<'m>),
    /// Sum of two tensors.
    Add(Add),
    /// Shares of exponentials.
    Softmax(Softmax),
    /// Convolution of each channel on its own.
    DepthwiseConv2d(DepthwiseConv2d<'m>),
}

/// The tensors an operator reads and writes.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'m> {
    /// Read first, by most operators alone.
    pub input: &'m Tensor,
    /// Read beside it.
    pub others: [Option<&'m Tensor>; 3],
    /// Written.
    pub output: &'m Tensor,
}

impl Sides<'_> {
    /// Refuses different scales or zero points.
    fn same_quantization(&self, operator: u16) -> Result<(), LoadError> {
        let same = self.input.scale().to_bits() == self.output.scale().to_bits()
            && self.input.zero_point() == self.output.zero_point();
        if same { Ok(()) } else { Err(LoadError::QuantizationMismatch { operator }) }
    }
}

impl<'m> Operator<'m> {
    /// Reads record number `index`. Cheap: nothing proportional to the weights is looked at.
    pub(crate) fn decode(record: &OperatorRecord, constants: &'m [u8], index: u16) -> Result<Self, LoadError> {
        let record = Record { raw: record, constants, index };
        match record.raw.opcode {
            c if c == Opcode::Conv2d as u8 => Ok(Self::Conv2d(Conv2d::decode(&record)?)),
            c if c == Opcode::FullyConnected as u8 => Ok(Self::FullyConnected(FullyConnected::decode(&record)?)),
            c if c == Opcode::MaxPool as u8 => Ok(Self::MaxPool(MaxPool(Pool::decode(&record)?))),
            c if c == Opcode::AveragePool as u8 => Ok(Self::AveragePool(AveragePool(Pool::decode(&record)?))),
            c if c == Opcode::Reshape as u8 => reshape::decode(&record).map(|()| Self::Reshape),
            c if c == Opcode::Lut as u8 => Ok(Self::Lut(Lut::decode(&record)?)),
            c if c == Opcode::Add as u8 => Ok(Self::Add(Add::decode(&record)?)),
            c if c == Opcode::Softmax as u8 => Ok(Self::Softmax(Softmax::decode(&record)?)),
            c if c == Opcode::DepthwiseConv2d as u8 => Ok(Self::DepthwiseConv2d(DepthwiseConv2d::decode(&record)?)),
            _ => Err(LoadError::UnknownOperator { operator: index }),
        }
    }

    /// Checks shapes, constants and number ranges, so that running cannot fail.
    pub(crate) fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        match self {
            Self::Conv2d(conv) => conv.verify(sides, operator),
            Self::FullyConnected(dense) => dense.verify(sides, operator),
            Self::MaxPool(MaxPool(pool)) | Self::AveragePool(AveragePool(pool)) => pool.verify(sides, operator),
            Self::Reshape => reshape::verify(sides, operator),
            Self::Lut(_) => lut::verify(sides, operator),
            Self::Add(_) => add::verify(sides, operator),
            Self::Softmax(_) => softmax::verify(sides, operator),
            Self::DepthwiseConv2d(conv) => conv.verify(sides, operator),
        }
    }

    /// How many tensors it may read.
    pub(crate) fn inputs(&self) -> core::ops::RangeInclusive<usize> {
        match self {
            Self::Add(_) => 2..=2,
            _ => 1..=1,
        }
    }

    /// Scratch bytes that the kernels of this operator's layout need.
    pub fn scratch_bytes(&self) -> usize {
        match self {
            Self::Conv2d(conv) => conv.scratch_bytes(),
            Self::FullyConnected(dense) => dense.scratch_bytes(),
            Self::DepthwiseConv2d(conv) => conv.scratch_bytes(),
            _ => 0,
        }
    }

    /// Multiply-accumulates of one run (padding included), given the output's number of elements.
    pub fn macs(&self, output_elements: usize) -> u64 {
        let taps = match self {
            Self::Conv2d(conv) => conv.taps(),
            Self::FullyConnected(dense) => dense.inputs,
            Self::DepthwiseConv2d(conv) => conv.taps(),
            _ => 0,
        };
        output_elements as u64 * taps as u64
    }

    /// Weights and biases.
    pub fn parameters(&self) -> u64 {
        let weighted = |taps: usize, w: &Weighted<'_>| (taps as u64 + 1) * w.channels.len() as u64;
        match self {
            Self::Conv2d(conv) => weighted(conv.taps(), &conv.weighted),
            Self::FullyConnected(dense) => weighted(dense.inputs, &dense.weighted),
            Self::DepthwiseConv2d(conv) => weighted(conv.taps(), &conv.weighted),
            _ => 0,
        }
    }

    /// Which operator it is.
    pub fn opcode(&self) -> Opcode {
        match self {
            Self::Conv2d(_) => Opcode::Conv2d,
            Self::FullyConnected(_) => Opcode::FullyConnected,
            Self::MaxPool(_) => Opcode::MaxPool,
            Self::AveragePool(_) => Opcode::AveragePool,
            Self::Reshape => Opcode::Reshape,
            Self::Lut(_) => Opcode::Lut,
            Self::Add(_) => Opcode::Add,
            Self::Softmax(_) => Opcode::Softmax,
            Self::DepthwiseConv2d(_) => Opcode::DepthwiseConv2d,
        }
    }
}
