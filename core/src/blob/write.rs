//! Writing blobs: a network described in plain host types, as TFLite would describe it, becomes bytes.
//!
//! What a board should not have to compute is folded here: zero points into biases, rounding constants, the bound on the
//! sums, the weights' order, scratch memory.

use std::string::String;
use std::vec::Vec;

use crate::LoadError;
use crate::blob::{Activation, AlignedBytes, Element, GeneralSpec, LayerNormSpec, Layout, Rounding, Target, Window};
use crate::ops::{
    Add, Argmax, BatchMatmul, Concat, Gather, Mean, Mul, Opcode, Pad, Prelu, Requantize, ResizeBilinear, Softmax,
    StridedSlice, Sub, Transpose, conv2d, depthwise_conv2d, fully_connected, general_conv2d, gru, lstm, rnn,
};
use crate::quantized::Multiplier;

pub use super::recurrent::{MatrixSpec, RecurrentSpec};

/// A quantized network.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Network {
    /// All tensors; operators and endpoints refer to them by index.
    pub tensors: Vec<TensorSpec>,
    /// Operators in the order they run.
    pub operators: Vec<OperatorSpec>,
    /// Tensors the caller writes before a run.
    pub inputs: Vec<u16>,
    /// Tensors the caller reads after a run.
    pub outputs: Vec<u16>,
    /// Keys ([`crate::blob::keys`]) and values, in this order. Names of tensors and operators are added from the specs.
    pub metadata: Vec<(String, String)>,
}

/// One tensor of a [`Network`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TensorSpec {
    /// 1 to 4 dimensions, outermost first.
    pub shape: Vec<u32>,
    /// Real number of one step, > 0.
    pub scale: f32,
    /// int8 value of 0.0.
    pub zero_point: i32,
    /// What one element is.
    pub element: Element,
    /// Where it lives.
    pub storage: Storage,
    /// First byte in the arena, a multiple of 16; the memory plan. Nothing for constants.
    pub arena_offset: u32,
    /// Name for people; may be empty.
    pub name: String,
}

/// Where a tensor of a [`Network`] lives: the [`Place`](crate::blob::Place)s, with what they hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Storage {
    /// In the arena while it is needed.
    #[default]
    Arena,
    /// In the arena for good.
    State,
    /// In the blob: these bytes, little-endian.
    Constant(Vec<u8>),
}

impl TensorSpec {
    /// Number of elements, saturating.
    pub fn elements(&self) -> usize {
        self.shape.iter().fold(1usize, |product, &d| product.saturating_mul(d as usize))
    }

    /// Batch, height, width and channels, if there are four dimensions.
    pub(super) fn nhwc(&self) -> Option<[usize; 4]> {
        self.shape.as_array().map(|shape| shape.map(|d| d as usize))
    }

    /// Number of bytes, saturating.
    pub fn bytes(&self) -> usize {
        self.elements().saturating_mul(self.element.bytes())
    }

    /// Bytes it takes of the arena.
    pub fn arena_bytes(&self) -> usize {
        if matches!(self.storage, Storage::Constant(_)) { 0 } else { self.bytes() }
    }
}

/// One operator of a [`Network`].
#[derive(Debug, Clone, PartialEq)]
pub struct OperatorSpec {
    /// Tensors read, 1 to 8; states last.
    pub inputs: Vec<u16>,
    /// Tensor written.
    pub output: u16,
    /// What is computed.
    pub kind: OperatorKind,
    /// Name for people; may be empty.
    pub name: String,
}

/// What an operator computes, with its constants.
#[derive(Debug, Clone, PartialEq)]
pub enum OperatorKind {
    /// [`crate::ops::Conv2d`]: weights output channels x kernel height x kernel width x input channels.
    Conv2d {
        /// Kernel, stride, dilation, padding.
        window: Window,
        /// Weights and requantization.
        weighted: WeightedSpec,
    },
    /// [`crate::ops::FullyConnected`]: weights output channels x inputs.
    FullyConnected {
        /// Weights and requantization.
        weighted: WeightedSpec,
    },
    /// [`crate::ops::MaxPool`].
    MaxPool {
        /// Window; dilation 1.
        window: Window,
        /// Output range.
        activation: Activation,
    },
    /// [`crate::ops::AveragePool`].
    AveragePool {
        /// Window; dilation 1.
        window: Window,
        /// Output range.
        activation: Activation,
    },
    /// [`crate::ops::reshape`].
    Reshape,
    /// [`crate::ops::Lut`]: outputs for the inputs -128 to 127.
    Lut {
        /// 256 outputs.
        table: [i8; 256],
    },
    /// [`crate::ops::Add`] of two inputs ([`Add::for_scales`]).
    Add(Add),
    /// [`crate::ops::DepthwiseConv2d`]: weights output channels x kernel height x kernel width.
    DepthwiseConv2d {
        /// Kernel, stride, dilation, padding.
        window: Window,
        /// Output channels per input channel.
        multiplier: usize,
        /// Weights and requantization.
        weighted: WeightedSpec,
    },
    /// [`crate::ops::Softmax`] ([`Softmax::for_scale`]).
    Softmax(Softmax),
    /// [`crate::ops::Sub`].
    Sub(Sub),
    /// [`crate::ops::Mul`].
    Mul(Mul),
    /// [`crate::ops::Concat`].
    Concat(Concat),
    /// [`crate::ops::StridedSlice`].
    StridedSlice(StridedSlice),
    /// [`crate::ops::Pad`].
    Pad(Pad),
    /// [`crate::ops::Transpose`].
    Transpose(Transpose),
    /// [`crate::ops::Mean`].
    Mean(Mean),
    /// [`crate::ops::ResizeBilinear`].
    ResizeBilinear(ResizeBilinear),
    /// [`crate::ops::Prelu`].
    Prelu(Prelu),
    /// [`crate::ops::Argmax`].
    Argmax(Argmax),
    /// [`crate::ops::Gather`].
    Gather(Gather),
    /// [`crate::ops::Requantize`].
    Requantize(Requantize),
    /// [`crate::ops::Lstm`]: gates input, forget, cell, output.
    Lstm {
        /// Sums in units of 2^-12.
        gates: RecurrentSpec,
        /// What follows them.
        cell: lstm::Cell,
    },
    /// [`crate::ops::Gru`]: gates update, reset, candidate.
    Gru {
        /// Sums in units of 2^-12.
        gates: RecurrentSpec,
        /// `2^-15 / output scale`.
        output: Multiplier,
    },
    /// [`crate::ops::Rnn`].
    Rnn {
        /// One gate.
        gates: RecurrentSpec,
        /// What follows it.
        cell: rnn::Cell,
    },
    /// [`crate::ops::BatchMatmul`].
    BatchMatmul(BatchMatmul),
    /// [`crate::ops::GeneralConv2d`].
    GeneralConv2d(GeneralSpec),
    /// [`crate::ops::LayerNorm`].
    LayerNorm(LayerNormSpec),
    /// [`crate::ops::ResizeNearest`].
    ResizeNearest {
        /// Rows, then columns ([`crate::ops::resize_nearest::nearest`]).
        table: Vec<u16>,
    },
}

/// Weights as TFLite has them: row-major, bias not folded, one multiplier and shift per output channel.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WeightedSpec {
    /// Row-major (OHWI or OI).
    pub weights: Vec<i8>,
    /// One per output channel, in units of input scale x weight scale; the input's zero point is not folded in.
    pub bias: Vec<i32>,
    /// Multiplier and shift of each output channel ([`crate::quantized::quantize_multiplier`] of
    /// input scale x weight scale / output scale).
    pub multipliers: Vec<(i32, i32)>,
    /// Rounding of the requantization.
    pub rounding: Rounding,
    /// Output range.
    pub activation: Activation,
}

impl Default for Activation {
    fn default() -> Self {
        Self::NONE
    }
}

/// Why a network could not be written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// The operator's weights, biases and multipliers do not belong together, or a tensor it names does not exist.
    Inconsistent {
        /// Index of the operator.
        operator: usize,
    },
    /// A folded bias leaves 32 bits.
    BiasOverflow {
        /// Index of the operator.
        operator: usize,
    },
    /// A table, text or section is longer than the format can say.
    TooLarge,
    /// The loader refuses the result.
    Refused(LoadError),
}

impl std::fmt::Display for WriteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Inconsistent { operator } => {
                write!(f, "operator {operator}: weights, biases, multipliers and tensors do not belong together")
            }
            Self::BiasOverflow { operator } => write!(f, "operator {operator}: a bias leaves 32 bits when folded"),
            Self::TooLarge => f.write_str("the network is too large for the blob format"),
            Self::Refused(error) => write!(f, "the network makes no valid blob: {error}"),
        }
    }
}

impl std::error::Error for WriteError {}

impl Network {
    /// The blob for `target` (or with all weights in one [`Layout`]); scratch is placed at the lowest free bytes of the tensors' plan, and the arena
    /// is as long as both need. What is returned has passed [`crate::Model::load`].
    ///
    /// # Errors
    /// [`WriteError`] when the network is not consistent or the loader refuses it.
    pub fn to_bytes(&self, target: impl Into<Target>) -> Result<AlignedBytes, WriteError> {
        let blob = super::pack::pack(self, &target.into())?;
        crate::Model::load(&blob).map_err(WriteError::Refused)?;
        Ok(blob)
    }

    /// Operator number `operator` with its first input and its output.
    pub(super) fn sides(&self, operator: usize) -> Option<(&OperatorSpec, &TensorSpec, &TensorSpec)> {
        let spec = self.operators.get(operator)?;
        let tensor = |index: u16| self.tensors.get(usize::from(index));
        Some((spec, tensor(*spec.inputs.first()?)?, tensor(spec.output)?))
    }

    /// Scratch bytes of operator number `operator` in `layout`; 0 for an operator that is not there.
    pub fn scratch_bytes(&self, operator: usize, layout: Layout) -> usize {
        let Some((spec, input, output)) = self.sides(operator) else { return 0 };
        let shapes = input.nhwc().zip(output.nhwc());
        match &spec.kind {
            OperatorKind::Conv2d { window, .. } => {
                shapes.map_or(0, |(input, output)| conv2d::scratch_bytes(layout, window, input, output))
            }
            OperatorKind::FullyConnected { weighted } => {
                let inputs = weighted.weights.len().checked_div(weighted.bias.len()).unwrap_or(0);
                let rows = input.elements().checked_div(inputs).unwrap_or(0);
                fully_connected::scratch_bytes(layout, [rows, inputs])
            }
            OperatorKind::DepthwiseConv2d { window, .. } => {
                shapes.map_or(0, |(input, output)| depthwise_conv2d::scratch_bytes(layout, window, input, output))
            }
            OperatorKind::Lstm { gates, .. } => gates.scratch_bytes(lstm::GATES),
            OperatorKind::Gru { gates, .. } => gates.scratch_bytes(gru::GATES),
            OperatorKind::Rnn { gates, .. } => gates.scratch_bytes(1),
            OperatorKind::GeneralConv2d(spec) => general_conv2d::scratch_bytes(&spec.window, spec.input_channels()),
            OperatorKind::Add(_) | OperatorKind::Sub(_) => crate::ops::add::tables::scratch_bytes(output.elements()),
            _ => 0,
        }
    }

    /// Whether the output of operator number `operator` may lie in the bytes of its input number `input`, where nothing reads
    /// that later.
    pub fn in_place(&self, operator: usize, input: usize) -> bool {
        let Some(spec) = self.operators.get(operator) else { return false };
        let tensor = |index: u16| self.tensors.get(usize::from(index));
        let of_the_output = |input: &u16| {
            let sides = tensor(*input).zip(tensor(spec.output));
            sides.is_some_and(|(input, output)| (&input.shape, input.element) == (&output.shape, output.element))
        };
        match spec.kind {
            OperatorKind::Reshape | OperatorKind::Lut { .. } => input == 0,
            OperatorKind::DepthwiseConv2d { .. } => input == 0 && spec.inputs.first().is_some_and(of_the_output),
            OperatorKind::Add(_) | OperatorKind::Sub(_) => {
                let int8 = tensor(spec.output).is_some_and(|output| output.element == Element::Int8);
                int8 && spec.inputs.iter().all(of_the_output)
            }
            _ => false,
        }
    }
}

impl OperatorKind {
    /// Its number in a blob.
    pub fn opcode(&self) -> Opcode {
        match self {
            Self::Conv2d { .. } => Opcode::Conv2d,
            Self::FullyConnected { .. } => Opcode::FullyConnected,
            Self::MaxPool { .. } => Opcode::MaxPool,
            Self::AveragePool { .. } => Opcode::AveragePool,
            Self::Reshape => Opcode::Reshape,
            Self::Lut { .. } => Opcode::Lut,
            Self::Add(_) => Opcode::Add,
            Self::Softmax(_) => Opcode::Softmax,
            Self::Sub(_) => Opcode::Sub,
            Self::Mul(_) => Opcode::Mul,
            Self::Concat(_) => Opcode::Concat,
            Self::StridedSlice(_) => Opcode::StridedSlice,
            Self::Pad(_) => Opcode::Pad,
            Self::Transpose(_) => Opcode::Transpose,
            Self::Mean(_) => Opcode::Mean,
            Self::ResizeBilinear(_) => Opcode::ResizeBilinear,
            Self::Prelu(_) => Opcode::Prelu,
            Self::Argmax(_) => Opcode::Argmax,
            Self::Gather(_) => Opcode::Gather,
            Self::Requantize(_) => Opcode::Requantize,
            Self::BatchMatmul(_) => Opcode::BatchMatmul,
            Self::GeneralConv2d(_) => Opcode::GeneralConv2d,
            Self::LayerNorm(_) => Opcode::LayerNorm,
            Self::ResizeNearest { .. } => Opcode::ResizeNearest,
            Self::Lstm { .. } => Opcode::Lstm,
            Self::Gru { .. } => Opcode::Gru,
            Self::Rnn { .. } => Opcode::Rnn,
            Self::DepthwiseConv2d { .. } => Opcode::DepthwiseConv2d,
        }
    }
}
