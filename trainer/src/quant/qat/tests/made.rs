//! Random networks of convolutions, pools, sums, concatenations, norms, tables and a dense head.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::BATCH;
use crate::graph::{Graph, NodeId, Param, Params, Shape};
use crate::ops::{
    Add, AvgPool, BatchNorm, Clamp, Concat, Conv2d, Dense, DepthwiseConv2d, Elu, Function, MaxPool, Mean, Op, Padding,
    Relu, Reshape, Softmax, Tanh, Unary, Window,
};
use crate::quant::Quantization;
use crate::quant::program::FloatGraph;

/// A random float network.
pub struct Made {
    rng: ChaCha8Rng,
    graph: Graph,
    params: Params,
    x: NodeId,
}

impl Made {
    /// The network of this seed, for batches of [`BATCH`].
    pub fn float(seed: u64) -> FloatGraph {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut graph = Graph::new();
        let image = [BATCH, rng.random_range(6..=9), rng.random_range(6..=10), rng.random_range(1..=4)];
        let input = graph.input("input", image);
        let mut made = Self { rng, graph, params: Params::new(), x: input };
        for _ in 0..made.rng.random_range(3..=6) {
            made.layer();
        }
        made.head();
        let Self { graph, params, x, mut rng } = made;
        let mut float =
            FloatGraph { graph, params, inputs: vec![input], outputs: vec![x], batch: BATCH, ..FloatGraph::default() };
        if rng.random_bool(0.5) {
            float.given.values.insert(input, Quantization::FRAME);
        }
        float
    }

    fn param(&mut self, shape: impl Into<Shape>, range: std::ops::Range<f32>) -> NodeId {
        let (shape, name) = (shape.into(), format!("p{}", self.params.entries().len()));
        let data = (0..shape.elements()).map(|_| self.rng.random_range(range.clone())).collect();
        self.params.insert(Param { name: name.clone(), shape: shape.clone(), data, trainable: true }).unwrap();
        self.graph.param(&name, shape)
    }

    fn push(&mut self, op: impl Into<Op>, inputs: &[NodeId]) -> NodeId {
        let name = format!("layer{}", self.graph.nodes().len());
        self.graph.push_named(&name, op, inputs).unwrap()
    }

    fn channels(&self) -> usize {
        *self.graph.shape(self.x).last().unwrap()
    }

    /// A convolution that keeps the size, of `x`.
    fn conv(&mut self, filters: usize, kernel: usize) -> NodeId {
        let channels = self.channels();
        let w = self.param([filters, kernel, kernel, channels], -0.5..0.5);
        let b = self.param([filters], -0.3..0.3);
        let conv = Conv2d { stride: [1, 1], dilation: [1, 1], padding: Padding::all(kernel / 2) };
        let x = self.x;
        self.push(conv, &[x, w, b])
    }

    fn norm(&mut self, x: NodeId) -> NodeId {
        let channels = *self.graph.shape(x).last().unwrap();
        let parts = [
            self.param([channels], 0.5..1.5),
            self.param([channels], -0.3..0.3),
            self.param([channels], -0.3..0.3),
            self.param([channels], 0.3..2.0),
        ];
        self.push(BatchNorm { epsilon: 1e-5 }, &[x, parts[0], parts[1], parts[2], parts[3]])
    }

    fn activation(&mut self, x: NodeId) -> NodeId {
        match self.rng.random_range(0..7) {
            0 => self.push(Relu, &[x]),
            1 => self.push(Clamp { low: 0.0, high: 0.7 }, &[x]),
            2 => self.push(Tanh, &[x]),
            3 => self.push(Elu { alpha: 1.0 }, &[x]),
            4 => self.push(Unary { function: Function::Sigmoid }, &[x]),
            5 => self.push(Unary { function: Function::HardSwish }, &[x]),
            _ => x,
        }
    }

    fn layer(&mut self) {
        let (x, channels) = (self.x, self.channels());
        let size = self.graph.shape(x)[1].min(self.graph.shape(x)[2]);
        let window = Window::new([2, 2], [2, 2], Padding::default());
        self.x = match self.rng.random_range(0..8) {
            0 | 1 => {
                let (filters, kernel) = (self.rng.random_range(1..=6), [1, 3][self.rng.random_range(0..2)]);
                let y = self.conv(filters, kernel);
                let y = if self.rng.random_bool(0.5) { self.norm(y) } else { y };
                self.activation(y)
            }
            2 => {
                let multiplier = self.rng.random_range(1..=2);
                let (w, b) = (
                    self.param([channels * multiplier, 3, 3], -0.5..0.5),
                    self.param([channels * multiplier], -0.2..0.2),
                );
                let conv = DepthwiseConv2d { stride: [1, 1], dilation: [1, 1], padding: Padding::all(1) };
                let y = self.push(conv, &[x, w, b]);
                self.activation(y)
            }
            3 if size >= 4 => self.push(MaxPool { window }, &[x]),
            4 if size >= 4 => self.push(AvgPool { window }, &[x]),
            5 => {
                let y = self.conv(channels, 3);
                let sum = self.push(Add, &[y, x]);
                self.activation(sum)
            }
            6 => {
                let (a, b) = (self.conv(2, 1), self.conv(3, 3));
                let a = self.activation(a);
                self.push(Concat { axis: 3 }, &[a, b, x])
            }
            _ => self.norm(x),
        };
    }

    fn head(&mut self) {
        let x = self.x;
        self.x = if self.rng.random_bool(0.5) {
            let mean = self.push(Mean { axes: vec![1, 2] }, &[x]);
            let shape = [BATCH, self.channels()];
            self.push(Reshape { shape: shape.into() }, &[mean])
        } else {
            let flat = [BATCH, self.graph.shape(x).elements() / BATCH];
            self.push(Reshape { shape: flat.into() }, &[x])
        };
        let (x, width) = (self.x, self.channels());
        let outputs = self.rng.random_range(1..=4);
        let (w, b) = (self.param([outputs, width], -0.5..0.5), self.param([outputs], -0.2..0.2));
        self.x = self.push(Dense, &[x, w, b]);
        let x = self.x;
        self.x = if outputs > 1 && self.rng.random_bool(0.5) { self.push(Softmax, &[x]) } else { self.activation(x) };
    }
}
