//! A network as a list of layers, and the graphs made from it.

use serde::{Deserialize, Serialize};

use super::{Layer, init};
use crate::graph::{Graph, NodeId, Params, Shape};
use crate::ops::{
    Atan, AvgPool, BatchNorm, BatchNormTrain, BatchStats, Conv2d, Dense, Dropout, Elu, MaxPool, Op, Relu, Tanh,
};
use crate::{Error, ErrorKind, Result};

/// Added to variances, as PyTorch does.
const EPSILON: f64 = 1e-5;

/// A sequential network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// Its name.
    pub name: String,
    /// Shape of its input without the batch: height, width and channels of a picture; time and features of a sequence.
    pub input: Vec<usize>,
    /// What the numbers of its input mean.
    #[serde(default)]
    pub kind: InputKind,
    /// What it does, in order.
    pub layers: Vec<Layer>,
}

/// What the numbers of a network's input mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// Bytes of a picture, height x width x channels; a pixel `p` is given as `(p - 128) / 128`.
    #[default]
    Pixels,
    /// Features as they are.
    Numbers,
    /// Words: whole numbers from 0 to below `vocabulary`.
    Tokens {
        /// How many words there are.
        vocabulary: usize,
    },
}

/// What a graph is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// To train: dropout is drawn from this seed, batch norm uses the statistics of the batch.
    Train {
        /// Seed of the dropout masks.
        seed: u64,
    },
    /// To use: no dropout, running statistics.
    Eval,
}

/// Batch statistics of one batch-norm layer in a training graph, from which the running ones are updated.
#[derive(Debug, Clone)]
pub struct RunningStats {
    /// Node `[2, c]`: mean and biased variance of the batch.
    pub node: NodeId,
    /// Name of the layer; its parameters are `NAME.running_mean` and `NAME.running_var`.
    pub name: String,
    /// Numbers that each statistic is made of.
    pub count: usize,
}

/// A graph made from a network.
#[derive(Debug, Clone)]
pub struct Built {
    /// The graph.
    pub graph: Graph,
    /// Input node, the network's input behind the batch; see [`InputKind`] for its values.
    pub input: NodeId,
    /// Output node, `[batch, outputs]`.
    pub output: NodeId,
    /// Output node of each layer, in order (of its input, for dropout in evaluation).
    pub layers: Vec<NodeId>,
    /// Trainable parameters.
    pub params: Vec<NodeId>,
    /// Batch statistics; empty in evaluation.
    pub stats: Vec<RunningStats>,
}

impl Network {
    /// A network that sees pictures of `height x width x channels`.
    pub fn of_pixels(name: &str, input: [usize; 3], layers: Vec<Layer>) -> Self {
        Self { name: name.into(), input: input.into(), kind: InputKind::Pixels, layers }
    }

    /// A network that reads features of this shape: `[n]` for vectors, `[time, n]` for sequences.
    pub fn of_numbers(name: &str, input: impl Into<Vec<usize>>, layers: Vec<Layer>) -> Self {
        Self { name: name.into(), input: input.into(), kind: InputKind::Numbers, layers }
    }

    /// A network that reads `length` words out of `vocabulary`.
    pub fn of_tokens(name: &str, length: usize, vocabulary: usize, layers: Vec<Layer>) -> Self {
        Self { name: name.into(), input: vec![length], kind: InputKind::Tokens { vocabulary }, layers }
    }

    /// Height, width and channels of the frames it sees. Errors when it takes something else.
    pub fn frame_size(&self) -> Result<[usize; 3]> {
        match (self.kind, self.input.as_slice()) {
            (InputKind::Pixels, &[.., height, width, channels]) => Ok([height, width, channels]),
            _ => {
                let shape = Shape::from(self.input.as_slice());
                let message = format!("sees no frames: it takes {} of shape {shape}", self.kind.name());
                Err(Error::new(ErrorKind::Shape, &self.name, message))
            }
        }
    }

    /// The graph of this network for batches of `batch`. Errors name the layer whose input does not fit.
    pub fn build(&self, batch: usize, mode: Mode) -> Result<Built> {
        let mut graph = Graph::new();
        let input = graph.input("input", [&[batch], self.input.as_slice()].concat());
        let built = Built { graph, input, output: input, layers: Vec::new(), params: Vec::new(), stats: Vec::new() };
        let mut builder = Builder { built, mode };
        for (name, layer) in self.named_layers() {
            builder.layer(&name, layer).map_err(|e| Error { place: format!("{}: {}", self.name, e.place), ..e })?;
        }
        Ok(builder.built)
    }

    /// Freshly drawn parameters: He-uniform weights, Xavier-uniform in the last layer, zero biases. The same seed gives
    /// the same values.
    pub fn init(&self, seed: u64) -> Result<Params> {
        init::draw(&self.build(1, Mode::Eval)?, seed)
    }

    /// How many numbers the network puts out for one input.
    pub fn outputs(&self) -> Result<usize> {
        let built = self.build(1, Mode::Eval)?;
        Ok(built.graph.shape(built.output).elements())
    }

    /// Layers with their names: stem and number within the stem, from 1.
    pub fn named_layers(&self) -> impl Iterator<Item = (String, &Layer)> {
        self.layers.iter().enumerate().map(|(at, layer)| {
            let number = self.layers[..=at].iter().filter(|l| l.stem() == layer.stem()).count();
            (format!("{}{number}", layer.stem()), layer)
        })
    }

    /// Errors when `params` is not of this network, naming the first parameter that differs.
    pub fn check(&self, params: &Params) -> Result<()> {
        let own = self.init(0)?;
        for param in own.entries() {
            let message = match params.get(&param.name) {
                None => format!("{} has it with shape {}, the values given lack it", self.name, param.shape),
                Some(other) if other.shape != param.shape => {
                    format!("{} has it with shape {}, the values given with {}", self.name, param.shape, other.shape)
                }
                Some(_) => continue,
            };
            return Err(Error::new(ErrorKind::Shape, &param.name, message));
        }
        match params.entries().iter().find(|p| own.get(&p.name).is_none()) {
            Some(extra) => Err(Error::new(
                ErrorKind::Shape,
                &extra.name,
                format!("the values given have it with shape {}, {} has no such parameter", extra.shape, self.name),
            )),
            None => Ok(()),
        }
    }
}

impl InputKind {
    /// In a sentence: what such an input is made of.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pixels => "pixels",
            Self::Numbers => "numbers",
            Self::Tokens { .. } => "words",
        }
    }
}

struct Builder {
    built: Built,
    mode: Mode,
}

impl Builder {
    fn layer(&mut self, name: &str, layer: &Layer) -> Result<()> {
        let x = self.built.output;
        self.built.output = match layer {
            Layer::Conv2d { filters, kernel, stride, padding } => {
                let channels = self.channels();
                let w = self.param(name, "weight", [*filters, kernel[0], kernel[1], channels]);
                let b = self.param(name, "bias", [*filters]);
                self.push(name, Conv2d { stride: *stride, dilation: [1, 1], padding: *padding }, &[x, w, b])?
            }
            Layer::Dense { outputs } => {
                let depth = self.channels();
                let w = self.param(name, "weight", [*outputs, depth]);
                let b = self.param(name, "bias", [*outputs]);
                self.push(name, Dense, &[x, w, b])?
            }
            Layer::BatchNorm => self.batch_norm(name)?,
            Layer::Relu => self.push(name, Relu, &[x])?,
            Layer::Elu => self.push(name, Elu { alpha: 1.0 }, &[x])?,
            Layer::Tanh => self.push(name, Tanh, &[x])?,
            Layer::Atan { scale } => self.push(name, Atan { scale: *scale }, &[x])?,
            Layer::MaxPool { kernel, stride } => {
                self.push(name, MaxPool { window: Layer::pool(*kernel, *stride) }, &[x])?
            }
            Layer::AvgPool { kernel, stride } => {
                self.push(name, AvgPool { window: Layer::pool(*kernel, *stride) }, &[x])?
            }
            Layer::Flatten => {
                let shape = self.built.graph.shape(x);
                let batch = shape.first().copied().unwrap_or(1);
                let flat = Shape::from([batch, shape.elements() / batch.max(1)]);
                self.push(name, crate::ops::Reshape { shape: flat }, &[x])?
            }
            Layer::Dropout { rate } => self.dropout(name, *rate)?,
        };
        self.built.layers.push(self.built.output);
        Ok(())
    }

    fn batch_norm(&mut self, name: &str) -> Result<NodeId> {
        let (x, channels) = (self.built.output, self.channels());
        let gamma = self.param(name, "weight", [channels]);
        let beta = self.param(name, "bias", [channels]);
        if self.mode == Mode::Eval {
            let mean = self.built.graph.param(&format!("{name}.running_mean"), [channels]);
            let variance = self.built.graph.param(&format!("{name}.running_var"), [channels]);
            return self.push(name, BatchNorm { epsilon: EPSILON }, &[x, gamma, beta, mean, variance]);
        }
        let node = self.push(name, BatchStats, &[x])?;
        let count = self.built.graph.shape(x).elements() / channels.max(1);
        self.built.stats.push(RunningStats { node, name: name.to_string(), count });
        self.push(name, BatchNormTrain { epsilon: EPSILON }, &[x, node, gamma, beta])
    }

    fn dropout(&mut self, name: &str, rate: f64) -> Result<NodeId> {
        let x = self.built.output;
        match self.mode {
            Mode::Eval => Ok(x),
            // Each layer its own stream of masks.
            Mode::Train { seed } => {
                let seed = seed.wrapping_mul(0x0100_0000_01b3) ^ self.built.layers.len() as u64;
                self.push(name, Dropout { rate, seed }, &[x])
            }
        }
    }

    fn push(&mut self, name: &str, op: impl Into<Op>, inputs: &[NodeId]) -> Result<NodeId> {
        self.built.graph.push_named(name, op, inputs)
    }

    fn param(&mut self, layer: &str, name: &str, shape: impl Into<Shape>) -> NodeId {
        let node = self.built.graph.param(&format!("{layer}.{name}"), shape);
        self.built.params.push(node);
        node
    }

    fn channels(&self) -> usize {
        self.built.graph.shape(self.built.output).last().copied().unwrap_or(1)
    }
}
