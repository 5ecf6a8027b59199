//! A float network as the steps that the int8 core can do: batch norm folded, bias and activation fused.
//!
//! Every operator of the graph knows how it lowers ([`crate::ops::Operator::lower`]); it says so to a [`Lowering`].

use std::collections::HashMap;

use ackermann_core::blob::Window;

use crate::graph::{Graph, NodeId, Params};
use crate::nn::Built;
use crate::ops::{self, Op, Operator};
use crate::{Error, ErrorKind, Result};

/// Steps in the order they run. Value 0 is the input, value i + 1 the output of step i.
#[derive(Debug, Default)]
pub struct Program {
    /// The steps.
    pub steps: Vec<Step>,
    values: HashMap<NodeId, usize>,
}

/// One operator of the core, still in float.
#[derive(Debug)]
pub struct Step {
    /// Name of the layer it began with.
    pub name: String,
    /// Node of the graph whose value is this step's output.
    pub node: NodeId,
    /// Value read.
    pub input: usize,
    /// Shape of the output for one sample, the batch of 1 included.
    pub shape: Vec<usize>,
    /// What is computed.
    pub kind: Kind,
}

/// What a step computes.
pub enum Kind {
    /// Convolution.
    Conv2d(Window, Weighted),
    /// Fully connected.
    Dense(Weighted),
    /// Largest value of each window.
    MaxPool(Window),
    /// Mean of each window.
    AveragePool(Window),
    /// The same values under another shape.
    Reshape,
    /// A function of one number.
    Function(Box<dyn Fn(f32) -> f32 + Send + Sync>),
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Conv2d(..) => "Conv2d",
            Self::Dense(_) => "Dense",
            Self::MaxPool(_) => "MaxPool",
            Self::AveragePool(_) => "AveragePool",
            Self::Reshape => "Reshape",
            Self::Function(_) => "Function",
        })
    }
}

/// Float weights, bias and fused activation.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighted {
    /// Row-major, output channel outermost.
    pub weights: Vec<f32>,
    /// One per output channel.
    pub bias: Vec<f32>,
    /// Range of the output, when an activation was fused.
    pub clamp: Option<(f32, f32)>,
}

impl Program {
    /// Lowers an evaluation graph. Errors name the layer that the core cannot do.
    pub fn new(built: &Built, params: &Params) -> Result<Self> {
        let program = Self { steps: Vec::new(), values: HashMap::from([(built.input, 0)]) };
        let mut lowering = Lowering { graph: &built.graph, params, node: built.input, program };
        for id in built.graph.ids() {
            let node = built.graph.node(id);
            if id <= built.output && !node.inputs.is_empty() {
                lowering.node = id;
                node.op.lower(&mut lowering)?;
            }
        }
        if lowering.program.steps.is_empty() {
            return Err(Error::new(ErrorKind::Shape, "", "a network without layers has nothing to quantize"));
        }
        Ok(lowering.program)
    }
}

/// Where operators say what they become.
#[derive(Debug)]
pub struct Lowering<'a> {
    graph: &'a Graph,
    params: &'a Params,
    node: NodeId,
    program: Program,
}

impl<'a> Lowering<'a> {
    /// The operator has no int8 form.
    pub fn refuse<T>(&self, why: &str) -> Result<T> {
        let node = self.graph.node(self.node);
        let place = if node.name.is_empty() { node.op.name() } else { &node.name };
        Err(Error::new(ErrorKind::Shape, place, format!("{} cannot be quantized: {why}", node.op.name())))
    }

    /// Values of input number `at`, which must be a parameter.
    pub fn param(&self, at: usize) -> Result<&'a [f32]> {
        let inputs = &self.graph.node(self.node).inputs;
        let node = inputs.get(at).map(|id| self.graph.node(*id)).filter(|node| matches!(node.op, Op::Parameter(_)));
        match node.and_then(|node| self.params.get(&node.name)) {
            Some(param) => Ok(&param.data),
            None => self.refuse("its weights are not parameters"),
        }
    }

    /// Becomes a convolution; inputs are x, OHWI filters and perhaps a bias.
    pub fn conv2d(&mut self, stride: [usize; 2], padding: ops::Padding) -> Result<()> {
        let filters = self.graph.shape(self.graph.node(self.node).inputs[1]);
        let kernel = [filters[1], filters[2]];
        let weighted = self.weighted(filters[0])?;
        self.push(Kind::Conv2d(window(ops::Window { kernel, stride, padding }), weighted))
    }

    /// Becomes fully connected; inputs are x, weights (outputs x inputs) and perhaps a bias.
    pub fn dense(&mut self) -> Result<()> {
        let weights = self.graph.shape(self.graph.node(self.node).inputs[1]);
        let weighted = self.weighted(weights[0])?;
        self.push(Kind::Dense(weighted))
    }

    /// Becomes a maximum pool.
    pub fn max_pool(&mut self, pool: ops::Window) -> Result<()> {
        self.push(Kind::MaxPool(window(pool)))
    }

    /// Becomes a mean pool.
    pub fn average_pool(&mut self, pool: ops::Window) -> Result<()> {
        self.push(Kind::AveragePool(window(pool)))
    }

    /// Becomes a reshape.
    pub fn reshape(&mut self) -> Result<()> {
        self.push(Kind::Reshape)
    }

    /// Becomes a table of `function`.
    pub fn function(&mut self, function: impl Fn(f32) -> f32 + Send + Sync + 'static) -> Result<()> {
        self.push(Kind::Function(Box::new(function)))
    }

    /// Is fused into the layer before it where that has weights, else becomes a table.
    pub fn clamp(&mut self, low: f32, high: f32) -> Result<()> {
        match self.fusable() {
            Some(weighted) => {
                weighted.clamp = Some((low, high));
                self.fused()
            }
            None => self.function(move |x| x.max(low).min(high)),
        }
    }

    /// `y = scale x + offset` per channel, folded into the weights of the layer before it.
    pub fn fold(&mut self, scale: &[f32], offset: &[f32]) -> Result<()> {
        let Some(weighted) = self.fusable() else {
            return self.refuse("it must directly follow a convolution or dense layer");
        };
        let taps = weighted.weights.len() / weighted.bias.len().max(1);
        let rows = weighted.weights.chunks_mut(taps.max(1)).zip(&mut weighted.bias);
        for ((row, bias), (scale, offset)) in rows.zip(scale.iter().zip(offset)) {
            row.iter_mut().for_each(|w| *w *= scale);
            *bias = *bias * scale + offset;
        }
        self.fused()
    }

    /// Leaves its input as it is.
    pub fn identity(&mut self) -> Result<()> {
        let value = self.input()?;
        self.program.values.insert(self.node, value);
        Ok(())
    }

    fn input(&self) -> Result<usize> {
        let input = self.graph.node(self.node).inputs[0];
        match self.program.values.get(&input) {
            Some(value) => Ok(*value),
            None => self.refuse("its input is not computed from the network's input"),
        }
    }

    fn weighted(&self, outputs: usize) -> Result<Weighted> {
        let has_bias = self.graph.node(self.node).inputs.len() > 2;
        let bias = if has_bias { self.param(2)?.to_vec() } else { vec![0.0; outputs] };
        Ok(Weighted { weights: self.param(1)?.to_vec(), bias, clamp: None })
    }

    fn push(&mut self, kind: Kind) -> Result<()> {
        let input = self.input()?;
        let node = self.graph.node(self.node);
        let mut shape = node.shape.to_vec();
        if let Some(batch) = shape.first_mut() {
            *batch = 1;
        }
        self.program.steps.push(Step { name: node.name.clone(), node: self.node, input, shape, kind });
        self.program.values.insert(self.node, self.program.steps.len());
        Ok(())
    }

    /// The weights that produced the input, if nothing else reads it and no activation stands between.
    fn fusable(&mut self) -> Option<&mut Weighted> {
        let input = self.graph.node(self.node).inputs[0];
        let readers = self.graph.nodes().iter().filter(|n| n.inputs.contains(&input)).count();
        let step = self.program.steps.last_mut().filter(|step| step.node == input && readers == 1)?;
        match &mut step.kind {
            Kind::Conv2d(_, weighted) | Kind::Dense(weighted) => Some(weighted).filter(|w| w.clamp.is_none()),
            _ => None,
        }
    }

    /// The last step now computes this node.
    fn fused(&mut self) -> Result<()> {
        if let Some(step) = self.program.steps.last_mut() {
            step.node = self.node;
        }
        self.program.values.insert(self.node, self.program.steps.len());
        Ok(())
    }
}

fn window(from: ops::Window) -> Window {
    let padding = [from.padding.top, from.padding.left];
    Window { kernel: from.kernel, stride: from.stride, dilation: [1, 1], padding }
}
