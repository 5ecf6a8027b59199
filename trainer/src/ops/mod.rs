//! The operators of the graph, one file each: shape, forward, gradient, lowering to int8.
//!
//! To add one: a file with a struct that implements [`Operator`], its `mod` and its line in `operators!` below, a case in `tests`, its name in
//! docs/autodiff.md and, with an int8 form, in `BECOMES` of `tests/int8.rs` (tests fail where one of these lacks). Tensors are row-major, images
//! NHWC, filters OHWI.

mod channels;
pub(crate) mod chunks;
mod conv;
mod function;
mod kernels;
pub(crate) mod loops;
mod phases;
mod resize;
mod weighted;

#[cfg(test)]
mod tests;

use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::Lowering;
use crate::{Error, ErrorKind, Result};

pub use conv::{Padding, Window};
pub use fake_quant::By;
pub use function::Function;
pub use recurrent::Cell;

/// Most inputs an operator takes.
pub const MAX_INPUTS: usize = 8;
/// Most inputs of a node: [`Int8`] also reads the parameters of all that is fused, and the factors of ranges.
pub const MAX_NODE_INPUTS: usize = 16;

/// A tensor that an operator reads.
#[derive(Debug, Clone, Copy)]
pub struct View<'a, T> {
    /// Its shape.
    pub shape: &'a Shape,
    /// Its row-major values.
    pub data: &'a [T],
}

/// What an operator computes with; shapes were checked when the node was made.
#[derive(Debug)]
pub struct Io<'a, T> {
    /// Inputs, in the operator's order.
    pub inputs: &'a [View<'a, T>],
    /// Where the result goes; holds old values.
    pub output: &'a mut [T],
    /// Shape of the output.
    pub shape: &'a Shape,
    /// At least as many elements as [`Operator::scratch`] asked for; hold old values.
    pub scratch: &'a mut [T],
    /// Training step, which seeds random masks.
    pub step: u64,
}

/// What every operator is made of.
pub trait Operator {
    /// Shape of the output. Errors say what does not fit.
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape>;

    /// Computes the output.
    fn forward<T: Real>(&self, io: Io<'_, T>);

    /// Appends to `graph` the derivative of `node` (one of this operator) with respect to each input, given the
    /// derivative `upstream` with respect to its output; `None` where it is zero. Errors where it has none, which is rare: a gradient that
    /// is a fused node of its own has a derivative too, often by [`Graph::pull_back`].
    fn gradient(&self, _graph: &mut Graph, _node: NodeId, _upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        Err(misfit("has no derivative"))
    }

    /// Says what the operator becomes in int8. Errors when it has no int8 form.
    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        lowering.refuse("the int8 core has no such operator")
    }

    /// The input whose memory the output may take where nothing else reads it. `forward` then finds no values in that input, but in the output.
    fn overwrites(&self) -> Option<usize> {
        None
    }

    /// Elements of scratch memory that `forward` needs.
    fn scratch(&self, _inputs: &[&Shape], _output: &Shape) -> usize {
        0
    }
}

/// Declares the closed set of operators: module, struct; names and dispatch follow from it.
macro_rules! operators {
    ($($module:ident::$name:ident),* $(,)?) => {
        $(pub use $module::$name;)*

        /// An operator of the graph.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Op {
            $(#[doc = concat!("See [`", stringify!($name), "`].")] $name($name),)*
        }

        $(impl From<$name> for Op {
            fn from(op: $name) -> Self {
                Self::$name(op)
            }
        })*

        impl Op {
            /// Names of all operators.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            /// Name of this operator.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$name(_) => stringify!($name),)* }
            }
        }

        impl Operator for Op {
            fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
                match self { $(Self::$name(op) => op.shape(inputs),)* }
            }

            fn forward<T: Real>(&self, io: Io<'_, T>) {
                match self { $(Self::$name(op) => op.forward(io),)* }
            }

            fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
                match self { $(Self::$name(op) => op.gradient(graph, node, upstream),)* }
            }

            fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
                match self { $(Self::$name(op) => op.lower(lowering),)* }
            }

            fn overwrites(&self) -> Option<usize> {
                match self { $(Self::$name(op) => op.overwrites(),)* }
            }

            fn scratch(&self, inputs: &[&Shape], output: &Shape) -> usize {
                match self { $(Self::$name(op) => op.scratch(inputs, output),)* }
            }
        }
    };
}

mod add;
mod affine;
mod argmax;
mod atan;
mod avg_pool;
mod batch_matmul;
mod batch_norm;
mod batch_norm_second;
mod batch_norm_train;
mod batch_stats;
mod bce_with_logits;
mod broadcast;
mod clamp;
mod concat;
mod conv2d;
mod conv2d_filter_grad;
mod conv2d_input_grad;
mod cross_entropy;
mod ctc;
mod ctc_paths;
mod dense;
mod depthwise_conv2d;
mod div;
mod dropout;
mod elu;
mod equal;
mod fake_quant;
mod gather;
mod grouped_conv2d;
mod huber;
mod int8;
mod layer_norm;
mod log_softmax;
mod mask;
mod matmul;
mod max_pool;
mod max_pool_pick;
mod maximum;
mod mean;
mod mul;
mod one_hot;
mod part;
mod pow;
mod prelu;
mod reciprocal;
mod recurrent;
mod reduce_max;
mod relu;
mod reshape;
mod resize_bilinear;
mod resize_nearest;
mod round_weights;
mod row;
mod rsqrt;
mod scatter_add;
mod slice;
mod softmax;
mod source;
mod standardize;
mod sub;
mod sum_to;
mod tanh;
mod transpose;
mod transposed_conv2d;
mod unary;

operators! {
    source::Input,
    source::Parameter,
    source::Constant,
    source::Positions,
    conv2d::Conv2d,
    conv2d_input_grad::Conv2dInputGrad,
    conv2d_filter_grad::Conv2dFilterGrad,
    depthwise_conv2d::DepthwiseConv2d,
    depthwise_conv2d::DepthwiseInputGrad,
    depthwise_conv2d::DepthwiseFilterGrad,
    transposed_conv2d::TransposedConv2d,
    grouped_conv2d::GroupedConv2d,
    grouped_conv2d::GroupedInputGrad,
    grouped_conv2d::GroupedFilterGrad,
    dense::Dense,
    matmul::MatMul,
    relu::Relu,
    elu::Elu,
    elu::EluGrad,
    tanh::Tanh,
    atan::Atan,
    clamp::Clamp,
    mask::Mask,
    reciprocal::Reciprocal,
    rsqrt::Rsqrt,
    affine::Affine,
    add::Add,
    sub::Sub,
    mul::Mul,
    div::Div,
    pow::Pow,
    maximum::Maximum,
    maximum::Minimum,
    equal::Equal,
    broadcast::Broadcast,
    sum_to::SumTo,
    reshape::Reshape,
    dropout::Dropout,
    batch_stats::BatchStats,
    batch_norm_train::BatchNormTrain,
    batch_norm_train::BatchNormSums,
    batch_norm_train::BatchNormGrad,
    batch_norm::BatchNorm,
    row::Row,
    max_pool::MaxPool,
    max_pool::MaxPoolGrad,
    max_pool_pick::MaxPoolPick,
    avg_pool::AvgPool,
    avg_pool::AvgPoolGrad,
    huber::Huber,
    mean::Mean,
    reduce_max::ReduceMax,
    softmax::Softmax,
    log_softmax::LogSoftmax,
    one_hot::OneHot,
    cross_entropy::CrossEntropy,
    bce_with_logits::BceWithLogits,
    ctc::Ctc,
    ctc::CtcGrad,
    ctc::CtcCurvature,
    unary::Unary,
    unary::UnaryGrad,
    concat::Concat,
    slice::Slice,
    slice::Pad,
    transpose::Transpose,
    argmax::Argmax,
    batch_matmul::BatchMatMul,
    gather::Gather,
    scatter_add::ScatterAdd,
    layer_norm::LayerNorm,
    standardize::Standardize,
    standardize::StandardizeGrad,
    prelu::Prelu,
    recurrent::Recurrent,
    recurrent::RecurrentTape,
    recurrent::RecurrentStates,
    recurrent::RecurrentGrad,
    part::Part,
    resize_nearest::ResizeNearest,
    resize_nearest::ResizeNearestGrad,
    resize_bilinear::ResizeBilinear,
    resize_bilinear::ResizeBilinearGrad,
    int8::Int8,
    fake_quant::FakeQuant,
    fake_quant::FakeQuantGrad,
    round_weights::RoundWeights,
}

/// The shape of a derivative by something of shape `of`. Errors unless `dy` has the shape of the output.
fn belongs(dy: &Shape, output: &[usize], of: &Shape) -> Result<Shape> {
    if dy.dims() == output {
        Ok(of.clone())
    } else {
        Err(misfit(format!("gradient {dy} does not belong to an output {}", Shape::from(output))))
    }
}

/// The error of shapes that do not fit; the graph adds the place.
fn misfit(message: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Shape, "", message)
}

/// The shapes of exactly `N` inputs.
fn exactly<'a, const N: usize>(inputs: &[&'a Shape]) -> Result<[&'a Shape; N]> {
    inputs.try_into().map_err(|_| misfit(format!("takes {N} inputs, was given {}", inputs.len())))
}

/// The shape that two inputs share.
fn same(inputs: &[&Shape]) -> Result<Shape> {
    let [a, b] = exactly(inputs)?;
    if a == b { Ok(a.clone()) } else { Err(misfit(format!("shapes {a} and {b} differ"))) }
}
