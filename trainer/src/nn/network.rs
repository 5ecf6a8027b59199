//! A network as a list of layers.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::build::Builder;
use super::layer::named;
use super::{Freeze, Initializer, Layer, Role, init};
use crate::graph::{Graph, NodeId, Params, Shape};
use crate::{Error, ErrorKind, Result};

/// A network: layers one after another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[serde(rename_all = "snake_case", deny_unknown_fields)]
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
    /// To use on sequences that come step by step: the time is left out of all shapes, and recurrent layers do one step in a run.
    Step,
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
    /// Input and output node of each layer by its name, layers within layers included.
    pub sides: HashMap<String, [NodeId; 2]>,
    /// Parameters to train.
    pub params: Vec<NodeId>,
    /// Batch statistics; empty in evaluation.
    pub stats: Vec<RunningStats>,
    /// All parameters, with what they are to their layer.
    pub roles: Vec<(NodeId, Role)>,
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

    /// How many frames a sample has, where it is a sequence of frames.
    pub fn steps(&self) -> Option<usize> {
        match (self.kind, self.input.as_slice()) {
            (InputKind::Pixels, &[steps, _, _, _]) => Some(steps),
            _ => None,
        }
    }

    /// The graph of this network for batches of `batch`. Errors name the layer whose input does not fit.
    pub fn build(&self, batch: usize, mode: Mode) -> Result<Built> {
        self.build_frozen(batch, mode, &Freeze::NONE)
    }

    /// [`Network::build`] with some parameters frozen: they are not among those to train, and batch norm whose parameters are frozen
    /// uses its running statistics.
    pub fn build_frozen(&self, batch: usize, mode: Mode, freeze: &Freeze) -> Result<Built> {
        let sample = if mode == Mode::Step { self.input.get(1..).unwrap_or_default() } else { &self.input };
        let input = [&[batch], sample].concat();
        let built = Builder::new(input, mode, freeze).build(&self.layers);
        built.map_err(|e| Error { place: format!("{}: {}", self.name, e.place), ..e })
    }

    /// Freshly drawn parameters, by kind of layer. The same seed gives the same values.
    pub fn init(&self, seed: u64) -> Result<Params> {
        self.init_as(seed, Initializer::default())
    }

    /// Freshly drawn parameters. The same seed gives the same values.
    pub fn init_as(&self, seed: u64, initializer: Initializer) -> Result<Params> {
        init::draw(&self.build(1, Mode::Eval)?, seed, initializer)
    }

    /// How many numbers the network puts out for one input.
    pub fn outputs(&self) -> Result<usize> {
        let built = self.build(1, Mode::Eval)?;
        Ok(built.graph.shape(built.output).elements())
    }

    /// Layers with their names: stem and number within the stem, from 1.
    pub fn named_layers(&self) -> impl Iterator<Item = (String, &Layer)> {
        named("", &self.layers)
    }

    /// Errors when `params` is not of this network, naming the first parameter that differs.
    pub fn check(&self, params: &Params) -> Result<()> {
        let built = self.build(1, Mode::Eval)?;
        let own = || built.roles.iter().map(|(node, _)| built.graph.node(*node));
        for param in own() {
            let message = match params.get(&param.name) {
                None => format!("{} has it with shape {}, the values given lack it", self.name, param.shape),
                Some(other) if other.shape != param.shape => {
                    format!("{} has it with shape {}, the values given with {}", self.name, param.shape, other.shape)
                }
                Some(_) => continue,
            };
            return Err(Error::new(ErrorKind::Shape, &param.name, message));
        }
        match params.entries().iter().find(|p| own().all(|node| node.name != p.name)) {
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
