//! A graph whose gradient is compared with central differences.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::graph::{Executor, Graph, NodeId, Param, Params, Shape};
use crate::ops::*;

/// Relative error allowed: central differences with h = 1e-5 are good to about 1e-9 where the function is smooth.
const TOLERANCE: f64 = 1e-6;
/// Half the distance of the two points of a difference.
const STEP: f64 = 1e-5;

/// All functions, of any shape that they have.
pub const FUNCTIONS: [Function; 16] = [
    Function::Sigmoid,
    Function::HardSigmoid { slope: 0.1, offset: 0.4 },
    Function::HardSwish,
    Function::Silu,
    Function::GeluTanh,
    Function::Gelu,
    Function::Erf,
    Function::LeakyRelu { slope: 0.1 },
    Function::Softplus,
    Function::Softsign,
    Function::Exp,
    Function::Log,
    Function::Sqrt,
    Function::Abs,
    Function::Square,
    Function::Power { exponent: 2.5 },
];

/// A graph under test, which is differentiated by its leaves.
pub struct Case {
    pub graph: Graph,
    pub leaves: Vec<NodeId>,
    pub rng: ChaCha8Rng,
    pub params: Params<f64>,
    /// How many of the leaves are inputs instead of parameters.
    fed: usize,
    /// Their values.
    pub inputs: Vec<Vec<f64>>,
}

impl Case {
    pub fn new(seed: u64) -> Self {
        Self::fed(seed, 0)
    }

    /// A case whose first leaves, so many, are fed: it cannot be differentiated.
    pub fn fed(seed: u64, fed: usize) -> Self {
        Self {
            graph: Graph::new(),
            leaves: Vec::new(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            params: Params::new(),
            fed,
            inputs: Vec::new(),
        }
    }

    pub fn size(&mut self, range: std::ops::RangeInclusive<usize>) -> usize {
        self.rng.random_range(range)
    }

    /// A leaf with values of magnitude 0.2 to 1.5, away from the kinks of the operators at 0 and their cases' bounds.
    pub fn leaf(&mut self, shape: impl Into<Shape>) -> NodeId {
        let values = |rng: &mut ChaCha8Rng| {
            let magnitude = rng.random_range(0.2..1.5);
            if rng.random_bool(0.5) { magnitude } else { -magnitude }
        };
        self.leaf_of(shape, values)
    }

    pub fn positive(&mut self, shape: impl Into<Shape>) -> NodeId {
        self.leaf_of(shape, |rng| rng.random_range(0.3..2.0))
    }

    pub fn leaf_of(&mut self, shape: impl Into<Shape>, values: impl Fn(&mut ChaCha8Rng) -> f64) -> NodeId {
        let shape = shape.into();
        let name = format!("leaf{}", self.leaves.len());
        let data = (0..shape.elements()).map(|_| values(&mut self.rng)).collect();
        if self.leaves.len() < self.fed {
            self.inputs.push(data);
            self.leaves.push(self.graph.input(&name, shape));
            return self.leaves[self.leaves.len() - 1];
        }
        self.params.insert(Param { name: name.clone(), shape: shape.clone(), data, trainable: true }).unwrap();
        let id = self.graph.param(&name, shape);
        self.leaves.push(id);
        id
    }

    /// A leaf of these values.
    pub fn leaf_at(&mut self, values: &[f64]) -> NodeId {
        let drawn = self.leaf([values.len()]);
        let place = self.params.position(&self.graph.node(drawn).name).unwrap();
        self.params.entries_mut()[place].data.copy_from_slice(values);
        drawn
    }

    /// A tensor that the operator has no derivative by: whole numbers below `end`.
    pub fn indices(&mut self, shape: impl Into<Shape>, end: usize) -> NodeId {
        let shape = shape.into();
        let data = (0..shape.elements()).map(|_| self.rng.random_range(0..end) as f64).collect();
        self.fixed(shape, data)
    }

    /// A tensor of these values that the operator has no derivative by.
    pub fn fixed(&mut self, shape: impl Into<Shape>, data: Vec<f64>) -> NodeId {
        let (shape, name) = (shape.into(), format!("fixed{}", self.params.entries().len()));
        self.params.insert(Param { name: name.clone(), shape: shape.clone(), data, trainable: false }).unwrap();
        self.graph.param(&name, shape)
    }

    /// Differentiates a random weighting of `out` and compares.
    pub fn check(mut self, op: &str, out: NodeId) {
        let shape = self.graph.shape(out).clone();
        let weights = (0..shape.elements()).map(|_| self.rng.random_range(-1.0..1.0)).collect();
        let weight = Param { name: "weighting".into(), shape: shape.clone(), data: weights, trainable: false };
        self.params.insert(weight).unwrap();
        let weighting = self.graph.param("weighting", shape);
        let product = self.graph.mul(out, weighting).unwrap();
        let loss = self.graph.sum(product).unwrap();
        let gradients = self.graph.gradients(loss, &self.leaves.clone()).unwrap();
        let mut outputs = gradients.clone();
        outputs.push(loss);
        let mut executor = Executor::<f64>::new(&self.graph, &outputs);
        executor.set_step(3);
        executor.run(&self.params).unwrap();
        let found: Vec<Vec<f64>> = gradients.iter().map(|&g| executor.value(g).to_vec()).collect();
        for (leaf, found) in found.iter().enumerate() {
            for (at, &found) in found.iter().enumerate() {
                let expected = self.difference(&mut executor, loss, leaf, at);
                let error = (found - expected).abs() / expected.abs().max(1.0);
                assert!(error < TOLERANCE, "{op}: input {leaf} element {at}: {found}, differences give {expected}");
            }
        }
    }

    fn difference(&mut self, executor: &mut Executor<f64>, loss: NodeId, leaf: usize, at: usize) -> f64 {
        let leaf = self.params.position(&self.graph.node(self.leaves[leaf]).name).unwrap();
        let value = self.params.entries()[leaf].data[at];
        let mut loss_at = |x: f64| {
            self.params.entries_mut()[leaf].data[at] = x;
            executor.run(&self.params).unwrap();
            executor.value(loss)[0]
        };
        let slope = (loss_at(value + STEP) - loss_at(value - STEP)) / (2.0 * STEP);
        self.params.entries_mut()[leaf].data[at] = value;
        slope
    }

    pub fn unary(&mut self, op: impl Into<Op>) -> NodeId {
        let shape = [self.size(1..=3), self.size(1..=5)];
        let x = self.leaf(shape);
        self.graph.push(op, &[x]).unwrap()
    }

    pub fn binary(&mut self, op: impl Into<Op>) -> NodeId {
        let shape = [self.size(1..=3), self.size(1..=5)];
        let (a, b) = (self.leaf(shape), self.leaf(shape));
        self.graph.push(op, &[a, b]).unwrap()
    }

    pub fn window(&mut self) -> Window {
        let kernel = [self.size(1..=3), self.size(1..=3)];
        let side = |case: &mut Self, k: usize| case.size(0..=k - 1);
        let padding = Padding {
            top: side(self, kernel[0]),
            bottom: side(self, kernel[0]),
            left: side(self, kernel[1]),
            right: side(self, kernel[1]),
        };
        Window::new(kernel, [self.size(1..=2), self.size(1..=3)], padding)
    }

    pub fn image(&mut self) -> [usize; 4] {
        [self.size(1..=3), self.size(3..=6), self.size(3..=6), self.size(1..=3)]
    }

    /// A random depthwise convolution with the shapes of its image, filters, output.
    pub fn depthwise(&mut self) -> (DepthwiseConv2d, [usize; 4], [usize; 3], [usize; 4]) {
        let (window, image, _, [n, oh, ow, _]) = self.conv();
        let outputs = image[3] * self.size(1..=2);
        let conv = DepthwiseConv2d { stride: window.stride, dilation: window.dilation, padding: window.padding };
        (conv, image, [outputs, window.kernel[0], window.kernel[1]], [n, oh, ow, outputs])
    }

    /// A function of one number, smooth at the values of [`Case::positive`] times a sign.
    pub fn function(&mut self) -> Function {
        FUNCTIONS[self.size(0..=FUNCTIONS.len() - 1)]
    }

    /// Shapes of image, filters, output of a random convolution.
    pub fn conv(&mut self) -> (Window, [usize; 4], [usize; 4], [usize; 4]) {
        let (mut window, image, filters) = (self.window(), self.image(), self.size(1..=3));
        window.dilation = window.kernel.map(|length| if length < 3 { self.size(1..=2) } else { 1 });
        let [oh, ow] = window.output(image[1], image[2]).unwrap();
        let filter = [filters, window.kernel[0], window.kernel[1], image[3]];
        (window, image, filter, [image[0], oh, ow, filters])
    }

    /// Two shapes of which the first broadcasts to the second.
    pub fn pair(&mut self, shape: [usize; 2]) -> (Shape, Shape) {
        let big = Shape::from([2, shape[0], shape[1]]);
        let small: Shape = match self.size(0..=3) {
            0 => Shape::scalar(),
            1 => [shape[1]].into(),
            2 => [shape[0], 1].into(),
            _ => [2, 1, shape[1]].into(),
        };
        (small, big)
    }
}
