//! The table of operators: from numbers in a blob to code, and back.
//!
//! Each line below gives an operator its number, its name (in tables, reports, errors) and the cargo feature that builds
//! it. An operator whose feature is off costs nothing in an image, and a blob that needs it is refused by name.

use core::ops::RangeInclusive;

use super::record::Record;
use super::*;
use crate::blob::format::{FLAG_INT4, OperatorRecord};
use crate::blob::{Element, Layout};
use crate::session::Memory;
use crate::{Feature, LoadError};

/// What every operator can do. Reading and checking happen at load; nothing fails afterwards.
pub(crate) trait Node<'m>: Sized {
    /// Element types of the first input: no other is accepted.
    const ELEMENTS: &'static [Element] = &[Element::Int8];

    /// Whether it takes int4 weights.
    const INT4: bool = false;

    /// Reads the record. Cheap: nothing proportional to the weights is looked at.
    fn decode(record: &Record<'_, 'm>) -> Result<Self, LoadError>;

    /// Checks shapes, constants and number ranges, so that running cannot fail.
    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError>;

    /// Runs over the memory of one step.
    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>);

    /// Whether its weights are int8, as its layout stores them, and zeros between them. Looks at each; [`Node::verify`] need not.
    fn has_clean_weights(&self) -> bool {
        true
    }

    /// How many tensors it may read.
    fn inputs(&self) -> RangeInclusive<usize> {
        1..=1
    }

    /// How many of them, the last ones, are states that it writes too.
    fn states(&self) -> usize {
        0
    }

    /// Whether it works on tensors of these element types, the first being one of [`Node::ELEMENTS`].
    fn accepts(&self, sides: &Sides<'_>) -> bool {
        sides.all(sides.input.element())
    }

    /// Whether the output may lie in the bytes of input number `input`, from the same offset on.
    fn in_place(&self, _sides: &Sides<'_>, _input: usize) -> bool {
        false
    }

    /// Scratch bytes that the kernels of this operator's layout need.
    fn scratch_bytes(&self, _sides: &Sides<'_>) -> usize {
        0
    }

    /// Multiply-accumulates of one run, padding included.
    fn macs(&self, _sides: &Sides<'_>) -> u64 {
        0
    }

    /// Weights and biases.
    fn parameters(&self) -> u64 {
        0
    }
}

impl Opcode {
    /// The method of [`Kernels`] that runs it on int8, where that has one of this name.
    pub fn kernel(self) -> &'static str {
        match self {
            Self::Lstm | Self::Gru | Self::Rnn => "matrix",
            Self::Sub => Self::Add.name(),
            Self::MaxPool => "window_maxima",
            Self::AveragePool | Self::Mean => "window_sums",
            _ => self.name(),
        }
    }

    /// The operator that takes over where this one has not the element type or the weights.
    pub fn general(self) -> Option<Self> {
        matches!(self, Self::Conv2d | Self::DepthwiseConv2d | Self::FullyConnected).then_some(Self::GeneralConv2d)
    }
}

impl Operator<'_> {
    /// The cargo features without which it is refused: its own, that of the order of its weights, and those of unbounded operators and
    /// of depthwise convolutions in planes.
    pub(crate) fn features(&self, sides: Sides<'_>) -> [Option<&'static str>; 4] {
        let form = self.form();
        let unbounded = form.filter(|(_, bounded)| !bounded).map(|_| Feature::Unbounded.name());
        let planes =
            matches!(self, Self::DepthwiseConv2d(conv) if conv.in_planes(sides)).then(|| Feature::Planes.name());
        [Some(self.opcode().name()), form.map(|(layout, _)| layout.feature()), unbounded, planes]
    }

    /// Of an operator with more than one version: the order of its weights, and whether the short requantization serves.
    fn form(&self) -> Option<(Layout, bool)> {
        match self {
            Self::Conv2d(Conv2d { weighted, .. }) | Self::FullyConnected(FullyConnected { weighted, .. }) => {
                Some((weighted.layout, weighted.bounded))
            }
            Self::DepthwiseConv2d(conv) => Some((conv.machine, conv.weighted.bounded)),
            Self::Lstm(Lstm { recurrent, .. })
            | Self::Gru(Gru { recurrent, .. })
            | Self::Rnn(Rnn { recurrent, .. }) => Some((recurrent.hidden.layout, recurrent.hidden.bounded)),
            _ => None,
        }
    }
}

macro_rules! operators {
    ($($(#[$doc:meta])* $name:ident $(<$life:lifetime>)? = $code:literal, $text:tt;)*) => {
        /// The numbers that stand for operators in a blob.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Opcode { $($(#[$doc])* $name = $code,)* }

        impl Opcode {
            /// Every operator, by number.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The operator whose number is `code`.
            pub fn from_code(code: u8) -> Option<Self> {
                Self::ALL.iter().copied().find(|opcode| *opcode as u8 == code)
            }

            /// The name used in tables, reports and cargo features.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Element types of the first input that the loader accepts.
            pub fn elements(self) -> &'static [Element] {
                match self { $(Self::$name => $name::ELEMENTS,)* }
            }

            /// Whether the loader accepts int4 weights.
            pub fn int4(self) -> bool {
                match self { $(Self::$name => $name::INT4,)* }
            }
        }

        /// An operator, read from its record; its slices are those of the blob.
        #[derive(Debug, Clone, Copy)]
        #[non_exhaustive]
        pub enum Operator<'m> { $($(#[$doc])* $name($name $(<$life>)?),)* }

        impl<'m> Operator<'m> {
            /// Reads record number `index`.
            pub(crate) fn decode(record: &OperatorRecord, constants: &'m [u8], index: u16) -> Result<Self, LoadError> {
                let record = Record { raw: record, constants, index };
                let int4 = record.raw.flags & FLAG_INT4 != 0;
                match record.raw.opcode {
                    $($code if int4 && !$name::INT4 => Err(LoadError::UnknownOption { operator: index }),
                    $code if cfg!(feature = $text) => $name::decode(&record).map(Self::$name),
                    )*
                    code => Err(match Opcode::from_code(code) {
                        Some(opcode) => LoadError::LeftOut { operator: index, feature: Feature::Operator(opcode) },
                        None => LoadError::UnknownOperator { operator: index },
                    }),
                }
            }

            /// Which operator it is.
            pub fn opcode(&self) -> Opcode {
                match self { $(Self::$name(_) => Opcode::$name,)* }
            }

            /// Checks shapes, constants and number ranges, so that running cannot fail.
            pub(crate) fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
                match self {
                    $(Self::$name(it) => if cfg!(feature = $text) { Node::verify(it, sides, operator) } else { Ok(()) },)*
                }
            }

            /// Whether its weights are int8, as its layout stores them, and zeros between them.
            pub(crate) fn has_clean_weights(&self) -> bool {
                match self {
                    $(Self::$name(it) => if cfg!(feature = $text) { Node::has_clean_weights(it) } else { true },)*
                }
            }

            /// How many tensors it may read.
            pub(crate) fn inputs(&self) -> RangeInclusive<usize> {
                match self {
                    $(Self::$name(it) => if cfg!(feature = $text) { Node::inputs(it) } else { 1..=1 },)*
                }
            }

            /// How many of them, the last ones, are states that it writes too.
            pub(crate) fn states(&self) -> usize {
                match self {
                    $(Self::$name(it) => if cfg!(feature = $text) { Node::states(it) } else { 0 },)*
                }
            }

            /// Whether it works on tensors of these element types.
            pub(crate) fn accepts(&self, sides: &Sides<'_>) -> bool {
                match self {
                    $(Self::$name(it) => {
                        let known = $name::ELEMENTS.contains(&sides.input.element());
                        cfg!(feature = $text) && known && Node::accepts(it, sides)
                    })*
                }
            }

            /// Whether the output may lie in the bytes of input number `input`, from the same offset on.
            pub fn in_place(&self, sides: &Sides<'_>, input: usize) -> bool {
                match self {
                    $(Self::$name(it) => if cfg!(feature = $text) { Node::in_place(it, sides, input) } else { false },)*
                }
            }

            /// Scratch bytes that the kernels of this operator's layout need.
            pub fn scratch_bytes(&self, sides: &Sides<'_>) -> usize {
                match self {
                    $(Self::$name(it) => if cfg!(feature = $text) { Node::scratch_bytes(it, sides) } else { 0 },)*
                }
            }

            /// Multiply-accumulates of one run, padding included.
            pub fn macs(&self, sides: &Sides<'_>) -> u64 {
                match self {
                    $(Self::$name(it) => if cfg!(feature = $text) { Node::macs(it, sides) } else { 0 },)*
                }
            }

            /// Weights and biases.
            pub fn parameters(&self) -> u64 {
                match self {
                    $(Self::$name(it) => if cfg!(feature = $text) { Node::parameters(it) } else { 0 },)*
                }
            }

            /// Runs over the memory of one step.
            pub(crate) fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
                match self {
                    $(Self::$name(it) => if cfg!(feature = $text) { Node::run::<K>(it, sides, memory) },)*
                }
            }
        }
    };
}

operators! {
    /// Convolution over height and width.
    Conv2d<'m> = 1, "conv2d";
    /// Matrix times vector.
    FullyConnected<'m> = 2, "fully_connected";
    /// Largest value of each window.
    MaxPool = 3, "max_pool";
    /// Mean of each window.
    AveragePool = 4, "average_pool";
    /// The same bytes under another shape.
    Reshape = 5, "reshape";
    /// Any function of one int8, by table.
    Lut<'m> = 6, "lut";
    /// Sum of two tensors.
    Add = 7, "add";
    /// Shares of exponentials.
    Softmax = 8, "softmax";
    /// Convolution of each channel on its own.
    DepthwiseConv2d<'m> = 9, "depthwise_conv2d";
    /// Difference of two tensors.
    Sub = 11, "sub";
    /// Product of two tensors.
    Mul = 12, "mul";
    /// Tensors one after the other.
    Concat = 13, "concat";
    /// A box of a tensor.
    StridedSlice = 14, "strided_slice";
    /// A tensor with a border.
    Pad = 15, "pad";
    /// Dimensions in another order.
    Transpose = 16, "transpose";
    /// Mean over some dimensions.
    Mean = 17, "mean";
    /// Nearest pixels.
    ResizeNearest<'m> = 18, "resize_nearest";
    /// Pixels in between.
    ResizeBilinear = 19, "resize_bilinear";
    /// ReLU with learned slopes.
    Prelu = 20, "prelu";
    /// Index of the largest element.
    Argmax = 21, "argmax";
    /// Slices by index.
    Gather = 22, "gather";
    /// Another scale or element type.
    Requantize = 23, "requantize";
    /// A recurrent layer with gates and a cell.
    Lstm<'m> = 40, "lstm";
    /// A recurrent layer with gates.
    Gru<'m> = 41, "gru";
    /// A recurrent layer.
    Rnn<'m> = 42, "rnn";
    /// Convolution in every form: groups, transposed, int16 activations, int4 weights.
    GeneralConv2d<'m> = 24, "general_conv2d";
    /// Products of matrices.
    BatchMatmul = 25, "batch_matmul";
    /// Values less their mean, over their deviation.
    LayerNorm<'m> = 26, "layer_norm";
}
