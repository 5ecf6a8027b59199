//! Every operator's gradient against central differences in `f64`, over random shapes.

use std::collections::BTreeSet;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::graph::{Executor, Param, Params};

/// Relative error allowed: central differences with h = 1e-5 are good to about 1e-9 where the function is smooth.
const TOLERANCE: f64 = 1e-6;
const STEP: f64 = 1e-5;
const ROUNDS: u64 = 6;

/// A graph under test: leaves are the parameters to differentiate by, the first ones of the operator.
struct Case {
    graph: Graph,
    leaves: Vec<NodeId>,
    rng: ChaCha8Rng,
    params: Params<f64>,
}

impl Case {
    fn new(seed: u64) -> Self {
        Self { graph: Graph::new(), leaves: Vec::new(), rng: ChaCha8Rng::seed_from_u64(seed), params: Params::new() }
    }

    fn size(&mut self, range: std::ops::RangeInclusive<usize>) -> usize {
        self.rng.random_range(range)
    }

    /// A leaf with values of magnitude 0.2 to 1.5, away from the kinks of the operators at 0 and their cases' bounds.
    fn leaf(&mut self, shape: impl Into<Shape>) -> NodeId {
        let values = |rng: &mut ChaCha8Rng| {
            let magnitude = rng.random_range(0.2..1.5);
            if rng.random_bool(0.5) { magnitude } else { -magnitude }
        };
        self.leaf_of(shape, values)
    }

    fn positive(&mut self, shape: impl Into<Shape>) -> NodeId {
        self.leaf_of(shape, |rng| rng.random_range(0.3..2.0))
    }

    fn leaf_of(&mut self, shape: impl Into<Shape>, values: impl Fn(&mut ChaCha8Rng) -> f64) -> NodeId {
        let shape = shape.into();
        let name = format!("leaf{}", self.leaves.len());
        let data = (0..shape.elements()).map(|_| values(&mut self.rng)).collect();
        self.params.insert(Param { name: name.clone(), shape: shape.clone(), data, trainable: true }).unwrap();
        let id = self.graph.param(&name, shape);
        self.leaves.push(id);
        id
    }

    /// Differentiates a random weighting of `out` and compares.
    fn check(mut self, op: &str, out: NodeId) {
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

    fn unary(&mut self, op: impl Into<Op>) -> NodeId {
        let shape = [self.size(1..=3), self.size(1..=5)];
        let x = self.leaf(shape);
        self.graph.push(op, &[x]).unwrap()
    }

    fn binary(&mut self, op: impl Into<Op>) -> NodeId {
        let shape = [self.size(1..=3), self.size(1..=5)];
        let (a, b) = (self.leaf(shape), self.leaf(shape));
        self.graph.push(op, &[a, b]).unwrap()
    }

    fn window(&mut self) -> Window {
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

    fn image(&mut self) -> [usize; 4] {
        [self.size(1..=3), self.size(3..=6), self.size(3..=6), self.size(1..=3)]
    }

    /// A random depthwise convolution with the shapes of its image, filters, output.
    fn depthwise(&mut self) -> (DepthwiseConv2d, [usize; 4], [usize; 3], [usize; 4]) {
        let (window, image, _, [n, oh, ow, _]) = self.conv();
        let outputs = image[3] * self.size(1..=2);
        let conv = DepthwiseConv2d { stride: window.stride, dilation: window.dilation, padding: window.padding };
        (conv, image, [outputs, window.kernel[0], window.kernel[1]], [n, oh, ow, outputs])
    }

    /// A function of one number, smooth at the values of [`Case::positive`] times a sign.
    fn function(&mut self) -> Function {
        [
            Function::Sigmoid,
            Function::HardSigmoid { slope: 0.1, offset: 0.4 },
            Function::HardSwish,
            Function::Silu,
            Function::Gelu,
            Function::LeakyRelu { slope: 0.1 },
            Function::Softplus,
            Function::Softsign,
            Function::Exp,
            Function::Log,
            Function::Sqrt,
            Function::Abs,
            Function::Square,
        ][self.size(0..=12)]
    }

    /// Shapes of image, filters, output of a random convolution.
    fn conv(&mut self) -> (Window, [usize; 4], [usize; 4], [usize; 4]) {
        let (mut window, image, filters) = (self.window(), self.image(), self.size(1..=3));
        window.dilation = window.kernel.map(|length| if length < 3 { self.size(1..=2) } else { 1 });
        let [oh, ow] = window.output(image[1], image[2]).unwrap();
        let filter = [filters, window.kernel[0], window.kernel[1], image[3]];
        (window, image, filter, [image[0], oh, ow, filters])
    }
}

/// Builds the case of an operator, or says that it has no derivative.
fn case(op: &str, c: &mut Case) -> Option<NodeId> {
    let shape = [c.size(1..=4), c.size(1..=4)];
    windows(op, c).or_else(|| moved(op, c, shape)).or_else(|| numbers(op, c, shape))
}

/// Of operators that slide a window.
fn windows(op: &str, c: &mut Case) -> Option<NodeId> {
    Some(match op {
        "Conv2d" => {
            let (window, image, filter, _) = c.conv();
            let (x, w, b) = (c.leaf(image), c.leaf(filter), c.leaf([filter[0]]));
            let op = Conv2d { stride: window.stride, dilation: window.dilation, padding: window.padding };
            c.graph.push(op, &[x, w, b]).unwrap()
        }
        "Conv2dInputGrad" => {
            let (window, image, filter, output) = c.conv();
            let (dy, w) = (c.leaf(output), c.leaf(filter));
            let op = Conv2dInputGrad {
                stride: window.stride,
                dilation: window.dilation,
                padding: window.padding,
                input: image.into(),
            };
            c.graph.push(op, &[dy, w]).unwrap()
        }
        "Conv2dFilterGrad" => {
            let (window, image, filter, output) = c.conv();
            let (x, dy) = (c.leaf(image), c.leaf(output));
            let op = Conv2dFilterGrad {
                stride: window.stride,
                dilation: window.dilation,
                padding: window.padding,
                filter: filter.into(),
            };
            c.graph.push(op, &[x, dy]).unwrap()
        }
        "DepthwiseConv2d" => {
            let (conv, image, filter, _) = c.depthwise();
            let (x, w, b) = (c.leaf(image), c.leaf(filter), c.leaf([filter[0]]));
            c.graph.push(conv, &[x, w, b]).unwrap()
        }
        "DepthwiseInputGrad" => {
            let (conv, image, filter, output) = c.depthwise();
            let (dy, w) = (c.leaf(output), c.leaf(filter));
            c.graph.push(DepthwiseInputGrad { conv, input: image.into() }, &[dy, w]).unwrap()
        }
        "DepthwiseFilterGrad" => {
            let (conv, image, filter, output) = c.depthwise();
            let (x, dy) = (c.leaf(image), c.leaf(output));
            c.graph.push(DepthwiseFilterGrad { conv, filter: filter.into() }, &[x, dy]).unwrap()
        }
        "MaxPool" => {
            let (window, image) = (c.window(), c.image());
            let x = c.leaf(image);
            c.graph.push(MaxPool { window }, &[x]).unwrap()
        }
        "AvgPool" => {
            let (window, image) = (c.window(), c.image());
            let x = c.leaf(image);
            c.graph.push(AvgPool { window }, &[x]).unwrap()
        }
        "AvgPoolGrad" => {
            let (window, image) = (c.window(), c.image());
            let [oh, ow] = window.output(image[1], image[2]).unwrap();
            let dy = c.leaf([image[0], oh, ow, image[3]]);
            c.graph.push(AvgPoolGrad { window, input: image.into() }, &[dy]).unwrap()
        }
        _ => return None,
    })
}

/// Of operators that move, repeat or sum along dimensions.
fn moved(op: &str, c: &mut Case, shape: [usize; 2]) -> Option<NodeId> {
    Some(match op {
        "Concat" => {
            let axis = c.size(0..=1);
            let other = if axis == 0 { [2, shape[1]] } else { [shape[0], 3] };
            let inputs = [c.leaf(shape), c.leaf(other), c.leaf(shape)];
            c.graph.push(Concat { axis }, &inputs).unwrap()
        }
        "Slice" => {
            let x = c.leaf([shape[0] + 2, 2 * shape[1]]);
            let op = Slice { begin: vec![1, c.size(0..=1)], step: vec![1, 2], size: shape.into() };
            c.graph.push(op, &[x]).unwrap()
        }
        "Pad" => {
            let x = c.leaf(shape);
            let op =
                Pad { begin: vec![1, c.size(0..=1)], step: vec![1, 2], whole: [shape[0] + 2, 2 * shape[1]].into() };
            c.graph.push(op, &[x]).unwrap()
        }
        "Transpose" => {
            let x = c.leaf([shape[0], shape[1], 3]);
            let order = [[2, 0, 1], [1, 0, 2], [0, 2, 1]][c.size(0..=2)].to_vec();
            c.graph.push(Transpose { order }, &[x]).unwrap()
        }
        "Broadcast" => {
            let (small, big) = c.pair(shape);
            let x = c.leaf(small);
            c.graph.broadcast(x, &big).unwrap()
        }
        "SumTo" => {
            let (small, big) = c.pair(shape);
            let x = c.leaf(big);
            c.graph.sum_to(x, &small).unwrap()
        }
        "Reshape" => {
            let x = c.leaf(shape);
            c.graph.reshape(x, [shape[1], 1, shape[0]]).unwrap()
        }
        "Mean" => {
            let shape = [c.size(1..=3), c.size(1..=4), c.size(1..=3)];
            let x = c.leaf(shape);
            c.graph.push(Mean { axes: vec![2, 0] }, &[x]).unwrap()
        }
        _ => return None,
    })
}

/// Of all others.
fn numbers(op: &str, c: &mut Case, shape: [usize; 2]) -> Option<NodeId> {
    Some(match op {
        "Softmax" => c.unary(Softmax),
        "Unary" => {
            let function = c.function();
            let x = c.positive(shape);
            c.graph.push(Unary { function }, &[x]).unwrap()
        }
        "Dense" => {
            let outputs = c.size(1..=4);
            let (x, w, b) = (c.leaf(shape), c.leaf([outputs, shape[1]]), c.leaf([outputs]));
            c.graph.push(Dense, &[x, w, b]).unwrap()
        }
        "MatMul" => {
            let (transpose_a, transpose_b, n) = (c.rng.random(), c.rng.random(), c.size(1..=4));
            let turn = |shape: [usize; 2], turned: bool| if turned { [shape[1], shape[0]] } else { shape };
            let (a, b) = (c.leaf(turn(shape, transpose_a)), c.leaf(turn([shape[1], n], transpose_b)));
            c.graph.push(MatMul { transpose_a, transpose_b }, &[a, b]).unwrap()
        }
        "Relu" => c.unary(Relu),
        "Elu" => c.unary(Elu { alpha: 0.7 }),
        "EluGrad" => c.binary(EluGrad { alpha: 2.0 }),
        "Tanh" => c.unary(Tanh),
        "Atan" => c.unary(Atan { scale: 2.0 }),
        "Clamp" => c.unary(Clamp { low: -0.1, high: 0.15 }),
        "Mask" => c.binary(Mask { low: -0.1, high: 5.0 }),
        "Reciprocal" => c.unary(Reciprocal),
        "Rsqrt" => {
            let x = c.positive(shape);
            c.graph.push(Rsqrt, &[x]).unwrap()
        }
        "Affine" => c.unary(Affine { scale: -1.5, offset: 0.3 }),
        "Add" => c.binary(Add),
        "Sub" => c.binary(Sub),
        "Mul" => c.binary(Mul),
        "Dropout" => c.unary(Dropout { rate: 0.4, seed: 5 }),
        "BatchNormTrain" => {
            let channels = c.size(1..=3);
            let (x, gamma, beta) = (c.leaf([4, 2, channels]), c.leaf([channels]), c.leaf([channels]));
            let stats = c.graph.push(BatchStats, &[x]).unwrap();
            c.graph.push(BatchNormTrain { epsilon: 1e-3 }, &[x, stats, gamma, beta]).unwrap()
        }
        "BatchNorm" => {
            let channels = c.size(1..=3);
            let x = c.leaf([2, 3, channels]);
            let inputs = [x, c.leaf([channels]), c.leaf([channels]), c.leaf([channels]), c.positive([channels])];
            c.graph.push(BatchNorm { epsilon: 1e-3 }, &inputs).unwrap()
        }
        "Huber" => c.unary(Huber { delta: 0.1 }),
        _ => return None,
    })
}

impl Case {
    /// Two shapes of which the first broadcasts to the second.
    fn pair(&mut self, shape: [usize; 2]) -> (Shape, Shape) {
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

/// Nodes that are not functions of other nodes.
const SOURCES: [&str; 3] = ["Input", "Parameter", "Constant"];

/// Operators whose derivative is asked for only in second derivatives, which they refuse; their values are checked as
/// the gradients of the operators that use them.
const REFUSING: [&str; 6] = ["BatchStats", "BatchNormSums", "BatchNormGrad", "MaxPoolGrad", "Row", "UnaryGrad"];

/// Operators of imported networks, which are not trained.
const IMPORTED: [&str; 8] =
    ["Argmax", "BatchMatMul", "Gather", "LayerNorm", "Prelu", "Recurrent", "ResizeNearest", "ResizeBilinear"];

#[test]
fn every_operator_has_its_gradient_checked() {
    let missing: BTreeSet<&str> = Op::NAMES
        .iter()
        .copied()
        .filter(|op| !SOURCES.contains(op) && !REFUSING.contains(op) && !IMPORTED.contains(op))
        .filter(|op| case(op, &mut Case::new(0)).is_none())
        .collect();
    assert!(missing.is_empty(), "operators without a gradient check: {missing:?}");
}

#[test]
fn gradients_equal_central_differences() {
    for op in Op::NAMES {
        for seed in 0..ROUNDS {
            let mut built = Case::new(seed);
            if let Some(out) = case(op, &mut built) {
                let built_op = built.graph.nodes().iter().any(|n| n.op.name() == *op);
                assert!(built_op || seed > 0, "the case of {op} does not contain it");
                built.check(op, out);
            }
        }
    }
}

/// Negative arguments too, which a random case of the operator does not always draw.
#[test]
fn slopes_of_functions_equal_central_differences() {
    let slope = 0.3;
    for function in
        [Function::Sigmoid, Function::HardSwish, Function::Silu, Function::Gelu, Function::LeakyRelu { slope }]
    {
        for x in [-5.0, -2.5, -1.0, -0.1, 0.2, 1.5, 2.9, 7.0] {
            let difference = (function.value(x + STEP) - function.value(x - STEP)) / (2.0 * STEP);
            assert!((function.slope(x) - difference).abs() < TOLERANCE, "{function:?} at {x}");
        }
    }
}

/// The same operators once more: the gradient itself is differentiated, by a second pass over its own nodes.
#[test]
fn gradients_of_gradients_equal_central_differences() {
    for op in Op::NAMES.iter().filter(|op| !["MaxPool", "BatchNormTrain", "Unary"].contains(op)) {
        let mut built = Case::new(7);
        let Some(out) = case(op, &mut built) else { continue };
        let square = built.graph.mul(out, out).unwrap();
        let loss = built.graph.sum(square).unwrap();
        let leaves = built.leaves.clone();
        let gradients = built.graph.gradients(loss, &leaves).unwrap();
        let mut penalty = built.graph.push(Constant { value: 0.0, shape: Shape::scalar() }, &[]).unwrap();
        for gradient in gradients {
            let square = built.graph.mul(gradient, gradient).unwrap();
            let sum = built.graph.sum(square).unwrap();
            penalty = built.graph.add(penalty, sum).unwrap();
        }
        let scaled = built.graph.affine(penalty, 0.01, 0.0).unwrap();
        built.check(op, scaled);
    }
}

#[test]
fn second_derivatives_that_do_not_exist_are_refused() {
    for op in ["MaxPool", "BatchNormTrain", "Unary"] {
        let mut built = Case::new(1);
        let out = case(op, &mut built).unwrap();
        let square = built.graph.mul(out, out).unwrap();
        let loss = built.graph.sum(square).unwrap();
        let first = built.graph.gradients(loss, &built.leaves.clone()).unwrap()[0];
        let square = built.graph.mul(first, first).unwrap();
        let sum = built.graph.sum(square).unwrap();
        let error = built.graph.gradients(sum, &built.leaves.clone()).unwrap_err();
        assert!(error.message.contains("second derivative"), "{error}");
    }
}
