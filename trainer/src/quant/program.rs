//! A float network as the steps that the int8 core can do: batch norm folded, bias and activation fused.
//!
//! Every operator of the graph knows how it lowers ([`crate::ops::Operator::lower`]); it says so to a [`Lowering`].

use std::collections::{HashMap, HashSet};

use ackermann_core::blob::write::{OperatorKind, TensorSpec};
use ackermann_core::blob::{Activation, Window};

use super::Quantization;
use crate::graph::{Graph, NodeId, Params};
use crate::nn::{Built, InputKind, Mode, Network};
use crate::ops::{self, Op};
use crate::{Error, ErrorKind, Result};

pub use super::lowering::Lowering;

/// A float network in evaluation mode, whoever made it.
#[derive(Debug, Clone, Default)]
pub struct FloatGraph {
    /// The computation.
    pub graph: Graph,
    /// Its parameters.
    pub params: Params,
    /// Nodes that are fed.
    pub inputs: Vec<NodeId>,
    /// Nodes whose values are asked for.
    pub outputs: Vec<NodeId>,
    /// Quantizations that are given: of nodes' values, and scales of parameters' output channels (one, or one each).
    pub given: Given,
    /// Samples in one run, which are the outermost dimension of all values; 0 stands for 1.
    pub batch: usize,
}

/// What need not be calibrated.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// Quantization of nodes' values.
    pub values: HashMap<NodeId, Quantization>,
    /// Scales of weights, by parameter node.
    pub weights: HashMap<NodeId, Vec<f32>>,
    /// Biases as whole steps, by parameter node, each with the step's size: input scale x weight scale. They stay as they are.
    pub biases: HashMap<NodeId, Vec<(i32, f32)>>,
    /// Inputs that hold whole numbers, which pick (indices): int32 in the blob.
    pub integers: HashSet<NodeId>,
}

impl FloatGraph {
    /// Of a network of ours, for batches of `batch`. Pixels have a quantization of their own, words are whole numbers.
    ///
    /// # Errors
    /// A layer whose input does not fit.
    pub fn of(network: &Network, params: &Params, batch: usize) -> Result<Self> {
        Self::of_mode(network, params, batch, Mode::Eval)
    }

    /// As [`FloatGraph::of`], of the graph of this mode.
    ///
    /// # Errors
    /// A layer whose input does not fit.
    pub fn of_mode(network: &Network, params: &Params, batch: usize, mode: Mode) -> Result<Self> {
        let Built { graph, input, output, .. } = network.build(batch, mode)?;
        let mut given = Given::default();
        match network.kind {
            InputKind::Pixels => drop(given.values.insert(input, Quantization::FRAME)),
            InputKind::Tokens { .. } => drop(given.integers.insert(input)),
            InputKind::Numbers => {}
        }
        Ok(Self { graph, params: params.clone(), inputs: vec![input], outputs: vec![output], given, batch })
    }

    /// Gives the tables that embeddings are picked from scales of their own, which then stay while the tables are trained.
    pub fn fix_tables(&mut self) {
        for node in self.graph.nodes().iter().filter(|node| matches!(node.op, Op::Gather(_))) {
            let table = node.inputs[0];
            let Some(param) = self.params.get(&self.graph.node(table).name) else { continue };
            let largest = param.data.iter().fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
            self.given.weights.entry(table).or_insert_with(|| vec![largest / 127.0]);
        }
    }

    /// The shape of one sample of a value of this shape: the batch divides the first dimension (steps of sequences may be merged into it).
    /// A blob's tensors have four dimensions; of more, a first one of 1 goes away.
    pub fn sample_shape(&self, shape: &[usize]) -> Vec<usize> {
        let mut shape = shape.to_vec();
        if let Some(first) = shape.first_mut().filter(|first| first.is_multiple_of(self.batch())) {
            *first /= self.batch();
        }
        let surplus = shape.len().saturating_sub(4).min(shape.iter().take_while(|length| **length == 1).count());
        shape.split_off(surplus)
    }

    /// Samples in one run, at least 1.
    pub fn batch(&self) -> usize {
        self.batch.max(1)
    }
}

/// Steps in the order they run. Values 0 to `inputs - 1` are the inputs, the following ones the outputs of the steps.
#[derive(Debug, Default)]
pub struct Program {
    /// Nodes that are fed.
    pub inputs: Vec<NodeId>,
    /// The steps.
    pub steps: Vec<Step>,
    /// Values that are asked for.
    pub outputs: Vec<usize>,
    pub(super) values: HashMap<NodeId, usize>,
    /// Values that are whole numbers: int32 in the blob.
    pub(super) integers: HashSet<usize>,
}

/// One operator of the core, still in float.
#[derive(Debug)]
pub struct Step {
    /// Name of the layer it began with.
    pub name: String,
    /// Node of the graph whose value is this step's output.
    pub node: NodeId,
    /// Values read.
    pub inputs: Vec<usize>,
    /// Shape of the output for one sample, the batch of 1 included.
    pub shape: Vec<usize>,
    /// What is computed.
    pub kind: Kind,
    /// Range of the output, when an activation was fused.
    pub clamp: Option<(f32, f32)>,
}

/// What a step computes.
pub enum Kind {
    /// Convolution.
    Conv2d(Window, Weighted),
    /// Convolution of each channel on its own, with so many outputs each.
    DepthwiseConv2d(Window, usize, Weighted),
    /// Convolution in so many groups of channels.
    GroupedConv2d(Window, usize, Weighted),
    /// Transposed convolution, by the window of the plain one that goes back.
    TransposedConv2d(Window, Weighted),
    /// Fully connected.
    Dense(Weighted),
    /// Anything without trained weights.
    Other(Other),
}

/// An operator that is made from the quantizations of its sides.
pub struct Other {
    /// How its output's scale is found.
    pub scale: Scale,
    /// Whether an activation can be fused.
    pub fuses: bool,
    /// Whether the last value that it reads picks among the others: whole numbers.
    pub indexed: bool,
    /// Makes the operator.
    pub make: Make,
}

/// Makes an operator from the quantizations around it; fails where they are out of its range.
pub type Make = Box<dyn Fn(&Site<'_>) -> Result<Made> + Send + Sync>;

/// An operator, and the tensors that it reads beside computed values.
#[derive(Debug)]
pub struct Made {
    /// What is computed.
    pub kind: OperatorKind,
    /// Constants that it reads first.
    pub before: Vec<TensorSpec>,
    /// Constants and states that it reads last.
    pub after: Vec<TensorSpec>,
}

impl From<OperatorKind> for Made {
    fn from(kind: OperatorKind) -> Self {
        Self { kind, before: Vec::new(), after: Vec::new() }
    }
}

/// The quantizations around an operator.
#[derive(Debug)]
pub struct Site<'a> {
    /// Of its inputs.
    pub inputs: &'a [Quantization],
    /// Of its output.
    pub output: Quantization,
    /// Range of its output.
    pub activation: Activation,
}

/// How the scale of an operator's output is found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    /// From the values seen.
    Observed,
    /// int8 values are passed on: inputs and output have one scale.
    OfInputs,
    /// The operator has this one only.
    Fixed(Quantization),
    /// It has none: the values are whole numbers.
    Integers,
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Conv2d(..) => f.write_str("Conv2d"),
            Self::DepthwiseConv2d(..) => f.write_str("DepthwiseConv2d"),
            Self::GroupedConv2d(..) => f.write_str("GroupedConv2d"),
            Self::TransposedConv2d(..) => f.write_str("TransposedConv2d"),
            Self::Dense(_) => f.write_str("Dense"),
            Self::Other(other) => write!(f, "Other({:?})", other.scale),
        }
    }
}

impl Kind {
    /// Weights and bias, where it has any.
    pub fn weighted(&self) -> Option<&Weighted> {
        match self {
            Self::Conv2d(_, weighted)
            | Self::DepthwiseConv2d(_, _, weighted)
            | Self::GroupedConv2d(_, _, weighted)
            | Self::TransposedConv2d(_, weighted)
            | Self::Dense(weighted) => Some(weighted),
            Self::Other(_) => None,
        }
    }

    /// Whether an activation can be fused into it.
    pub(super) fn fuses(&self) -> bool {
        match self {
            Self::Other(other) => other.fuses,
            _ => true,
        }
    }

    pub(super) fn weighted_mut(&mut self) -> Option<&mut Weighted> {
        match self {
            Self::Conv2d(_, weighted)
            | Self::DepthwiseConv2d(_, _, weighted)
            | Self::GroupedConv2d(_, _, weighted)
            | Self::TransposedConv2d(_, weighted)
            | Self::Dense(weighted) => Some(weighted),
            Self::Other(_) => None,
        }
    }
}

/// Float weights and bias.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighted {
    /// Row-major, output channel outermost.
    pub weights: Vec<f32>,
    /// One per output channel.
    pub bias: Vec<f32>,
    /// One per output channel, where the weights are multiples of given scales.
    pub scales: Option<Vec<f32>>,
    /// The bias as whole steps, each with the step's size, where it is given so.
    pub steps: Option<Vec<(i32, f32)>>,
}

impl Program {
    /// Lowers a float graph: every node that an output needs. Errors name the layer that the core cannot do.
    pub fn new(float: &FloatGraph) -> Result<Self> {
        let values: HashMap<_, _> = float.inputs.iter().enumerate().map(|(value, input)| (*input, value)).collect();
        let integers = float.given.integers.iter().filter_map(|input| values.get(input).copied()).collect();
        let program = Self { inputs: float.inputs.clone(), values, integers, ..Self::default() };
        let mut program = Lowering::run(float, program)?;
        if program.steps.is_empty() {
            return Err(Error::new(ErrorKind::Shape, "", "a network without layers has nothing to quantize"));
        }
        let value = |node| program.values.get(node).copied();
        let outputs: Option<Vec<usize>> = float.outputs.iter().map(value).collect();
        let fixed = || Error::new(ErrorKind::Shape, "", "an output does not depend on the network's input");
        program.outputs = outputs.ok_or_else(fixed)?;
        Ok(program)
    }

    /// Nodes of all values, in their order.
    pub fn nodes(&self) -> Vec<NodeId> {
        self.inputs.iter().copied().chain(self.steps.iter().map(|step| step.node)).collect()
    }
}

/// A window of the graph as the core has it.
pub fn window(from: ops::Window) -> Window {
    let padding = [from.padding.top, from.padding.left];
    Window { kernel: from.kernel, stride: from.stride, dilation: from.dilation, padding }
}
