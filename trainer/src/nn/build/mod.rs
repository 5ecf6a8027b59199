//! Graphs from lists of layers.
//!
//! A [`Builder`] walks the list, nested lists included; what each layer becomes stands in the file of its group.

mod conv;
mod nested;
mod norm;
mod recurrent;

use std::collections::HashMap;

use super::layer::named;
use super::{Built, Freeze, Layer, Mode, Role};
use crate::graph::{Graph, NodeId, Shape};
use crate::ops::{Atan, Clamp, Dense, Elu, Function, Gather, Op, Relu, Reshape, Softmax, Tanh, Unary};
use crate::{Error, ErrorKind, Result};

/// A graph that grows layer by layer.
pub struct Builder<'f> {
    built: Built,
    mode: Mode,
    freeze: &'f Freeze,
    /// Dropout layers so far: each draws masks of its own.
    dropouts: u64,
}

impl<'f> Builder<'f> {
    /// A graph with nothing but its input, of this shape (batch included).
    pub fn new(input: Vec<usize>, mode: Mode, freeze: &'f Freeze) -> Self {
        let mut graph = Graph::new();
        let input = graph.input("input", input);
        let (params, stats, roles) = (Vec::new(), Vec::new(), Vec::new());
        let built = Built { graph, input, output: input, sides: HashMap::new(), params, stats, roles };
        Self { built, mode, freeze, dropouts: 0 }
    }

    /// The graph with `layers` behind its input.
    pub fn build(mut self, layers: &[Layer]) -> Result<Built> {
        self.built.output = self.sequence("", layers, self.built.input)?;
        Ok(self.built)
    }

    /// Appends `layers`, whose names begin with `path`, behind `x`.
    fn sequence(&mut self, path: &str, layers: &[Layer], mut x: NodeId) -> Result<NodeId> {
        for (name, layer) in named(path, layers) {
            x = self.layer(&name, layer, x)?;
        }
        Ok(x)
    }

    fn layer(&mut self, name: &str, layer: &Layer, x: NodeId) -> Result<NodeId> {
        let y = self.made(name, layer, x)?;
        self.built.sides.insert(name.to_string(), [x, y]);
        Ok(y)
    }

    fn made(&mut self, name: &str, layer: &Layer, x: NodeId) -> Result<NodeId> {
        match layer {
            Layer::Conv2d { .. } | Layer::DepthwiseConv2d { .. } | Layer::ConvTranspose2d { .. } => {
                self.convolution(name, layer, x)
            }
            Layer::MaxPool { .. } | Layer::AvgPool { .. } | Layer::GlobalAvgPool | Layer::Mean => {
                self.pool(name, layer, x)
            }
            Layer::Dense { outputs, bias } => self.dense(name, *outputs, *bias, x),
            Layer::BatchNorm => self.batch_norm(name, x),
            Layer::LayerNorm => self.layer_norm(name, x),
            Layer::Dropout { rate } => self.dropout(name, *rate, x),
            Layer::Flatten => {
                let rest = Shape::from(&self.shape(x)[1..]).elements();
                self.reshape(name, x, &[rest])
            }
            Layer::Reshape { shape } => self.reshape(name, x, shape),
            Layer::Embedding { vocabulary, size } => {
                let table = self.param(name, "weight", [*vocabulary, *size], Role::Table);
                self.push(name, Gather { axis: 0 }, &[table, x])
            }
            Layer::Lstm { .. } | Layer::Gru { .. } | Layer::Rnn { .. } => self.recurrent(name, layer, x),
            Layer::TimeDistributed { layers } => self.time_distributed(name, layers, x),
            Layer::Attention { heads } => self.attention(name, *heads, x),
            Layer::Repeat { times } => self.repeat(name, *times, x),
            Layer::Residual { main, shortcut } => self.residual(name, main, shortcut, x),
            Layer::Branches { branches } => self.branches(name, branches, x),
            activation => self.push(name, function(activation), &[x]),
        }
    }

    /// Over the last dimension; what is before it counts as a batch.
    fn dense(&mut self, name: &str, outputs: usize, bias: bool, x: NodeId) -> Result<NodeId> {
        let mut shape = self.shape(x).to_vec();
        let depth = self.channels(x);
        let [weight_role, bias_role] = Role::pair(depth, outputs);
        let w = self.param(name, "weight", [outputs, depth], weight_role);
        let mut inputs = vec![self.rows(x)?, w];
        if bias {
            inputs.push(self.param(name, "bias", [outputs], bias_role));
        }
        let y = self.push(name, Dense, &inputs)?;
        if shape.len() == 2 {
            return Ok(y);
        }
        shape.last_mut().into_iter().for_each(|last| *last = outputs);
        self.push("", Reshape { shape: shape.into() }, &[y])
    }

    /// `x` as a matrix of its last dimension.
    fn rows(&mut self, x: NodeId) -> Result<NodeId> {
        let (shape, depth) = (self.shape(x).clone(), self.channels(x).max(1));
        if shape.len() == 2 { Ok(x) } else { self.built.graph.reshape(x, [shape.elements() / depth, depth]) }
    }

    /// In another shape, the batch left out.
    fn reshape(&mut self, name: &str, x: NodeId, shape: &[usize]) -> Result<NodeId> {
        let shape = [&[self.batch(x)], shape].concat();
        self.push(name, Reshape { shape: shape.into() }, &[x])
    }

    fn push(&mut self, name: &str, op: impl Into<Op>, inputs: &[NodeId]) -> Result<NodeId> {
        self.built.graph.push_named(name, op, inputs)
    }

    /// A parameter that is trained unless it is frozen.
    fn param(&mut self, layer: &str, name: &str, shape: impl Into<Shape>, role: Role) -> NodeId {
        let name = format!("{layer}.{name}");
        let node = self.built.graph.param(&name, shape);
        self.built.roles.push((node, role));
        if role.is_trained() && !self.freeze.holds(&name) {
            self.built.params.push(node);
        }
        node
    }

    fn shape(&self, x: NodeId) -> &Shape {
        self.built.graph.shape(x)
    }

    fn batch(&self, x: NodeId) -> usize {
        self.shape(x).first().copied().unwrap_or(1)
    }

    /// Length of the last dimension.
    fn channels(&self, x: NodeId) -> usize {
        self.shape(x).last().copied().unwrap_or(1)
    }
}

/// The operator of a layer that is a function of each number (softmax: of each row).
fn function(layer: &Layer) -> Op {
    let unary = |function| Unary { function }.into();
    match layer {
        Layer::Relu6 => Clamp { low: 0.0, high: 6.0 }.into(),
        Layer::Elu => Elu { alpha: 1.0 }.into(),
        Layer::LeakyRelu { slope } => unary(Function::LeakyRelu { slope: *slope }),
        Layer::Sigmoid => unary(Function::Sigmoid),
        Layer::Tanh => Tanh.into(),
        Layer::Silu => unary(Function::Silu),
        Layer::Gelu => unary(Function::Gelu),
        Layer::GeluTanh => unary(Function::GeluTanh),
        Layer::HardSwish => unary(Function::HardSwish),
        Layer::Atan { scale } => Atan { scale: *scale }.into(),
        Layer::Softmax => Softmax.into(),
        _ => Relu.into(),
    }
}

/// The error of a layer on an input that it cannot take.
fn unfit<T>(name: &str, message: impl std::fmt::Display) -> Result<T> {
    Err(Error::new(ErrorKind::Shape, name, message))
}
