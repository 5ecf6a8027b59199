//! Operators in int8 against themselves in float.

use std::collections::BTreeSet;

use ackermann_core::Session;
use ackermann_core::blob::AlignedBytes;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::case::Case;
use crate::Result;
use crate::graph::{Executor, Graph, NodeId, Param, Params, Shape};
use crate::ops::*;
use crate::quant::{FloatGraph, Inputs, Observer, Quantization, assemble, load, quantize_graph};

const SAMPLES: usize = 40;

/// Values of all inputs for each sample.
struct Numbers(Vec<Vec<Vec<f32>>>);

impl Inputs for Numbers {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn fill(&self, sample: usize, input: usize, values: &mut [f32]) {
        values.copy_from_slice(&self.0[sample][input]);
    }
}

/// The largest difference between int8 and float, in steps of the output.
fn worst(float: &FloatGraph, samples: &Numbers) -> Result<f32> {
    let mut network = quantize_graph(float, Some(samples), Observer::MinMax)?;
    let blob = assemble(&mut network)?;
    let of = |tensor: &u16| Quantization::of_spec(&network.tensors[usize::from(*tensor)]);
    let (from, to): (Vec<_>, _) = (network.inputs.iter().map(of).collect(), of(&network.outputs[0]));
    let mut arena = AlignedBytes::zeroed(load(&blob)?.arena_bytes());
    let mut session = Session::new(load(&blob)?, &mut arena).unwrap();
    let mut executor = Executor::<f32>::new(&float.graph, &float.outputs);
    let mut worst = 0f32;
    for sample in &samples.0 {
        for (at, values) in sample.iter().enumerate() {
            let fed = executor.input_mut(float.inputs[at]);
            fed.copy_from_slice(values);
            let fed = session.input_mut(at).unwrap().iter_mut();
            fed.zip(values).for_each(|(byte, value)| *byte = from[at].quantize(*value));
        }
        executor.run(&float.params)?;
        session.reset();
        session.run();
        let whole = session.output_i32(0).map(|whole| whole.iter().map(|number| *number as f32).collect());
        let real = || session.output(0).unwrap().iter().map(|byte| to.dequantize(*byte)).collect();
        let found: Vec<f32> = whole.unwrap_or_else(real);
        for (float, int8) in executor.value(float.outputs[0]).iter().zip(found) {
            let steps = (float - int8).abs() / to.scale;
            assert!(steps.is_finite(), "{int8} in int8, {float} in float");
            worst = worst.max(steps);
        }
    }
    Ok(worst)
}

/// [`worst`] of an operator on an image, with parameters of these shapes drawn from -0.5 to 0.5.
fn worst_of(image: [usize; 4], shapes: &[Shape], build: impl Fn(&mut Graph, NodeId, &[NodeId]) -> NodeId) -> f32 {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut graph, mut params, mut nodes) = (Graph::new(), Params::new(), Vec::new());
    let input = graph.input("x", image);
    for (at, shape) in shapes.iter().enumerate() {
        let name = format!("p{at}");
        let data = (0..shape.elements()).map(|_| rng.random_range(-0.5..0.5)).collect();
        nodes.push(graph.param(&name, shape.clone()));
        params.insert(Param { name, shape: shape.clone(), data, trainable: true }).unwrap();
    }
    let output = build(&mut graph, input, &nodes);
    let size = graph.shape(input).elements();
    let mut sample = || vec![(0..size).map(|_| rng.random_range(-1.0..2.0)).collect()];
    let samples = Numbers((0..SAMPLES).map(|_| sample()).collect());
    worst(&FloatGraph { graph, params, inputs: vec![input], outputs: vec![output], ..FloatGraph::default() }, &samples)
        .unwrap()
}

/// [`worst`] of a case.
fn worst_of_case(mut c: Case, output: NodeId) -> Result<f32> {
    let mut sample = || -> Vec<Vec<f32>> {
        let vary = |x: &f64, rng: &mut ChaCha8Rng| (x * rng.random_range(0.7..1.0)) as f32;
        c.inputs.iter().map(|values| values.iter().map(|x| vary(x, &mut c.rng)).collect()).collect()
    };
    let samples = Numbers((0..SAMPLES).map(|_| sample()).collect());
    let mut params = Params::new();
    for Param { name, shape, data, trainable } in c.params.entries().iter().cloned() {
        params.insert(Param { name, shape, data: data.iter().map(|x| *x as f32).collect(), trainable })?;
    }
    let inputs = c.leaves[..c.inputs.len()].to_vec();
    worst(&FloatGraph { graph: c.graph, params, inputs, outputs: vec![output], ..FloatGraph::default() }, &samples)
}

/// Operators that become int8; all others say that they do not. Of those that vanish ([`Dropout`]), are folded into a layer ([`BatchNorm`])
/// or depend on more than a case draws ([`Pad`]) tests lie with the quantization.
const BECOMES: [&str; 35] = [
    "Add",
    "Affine",
    "Argmax",
    "Atan",
    "AvgPool",
    "BatchMatMul",
    "Clamp",
    "Concat",
    "Conv2d",
    "Dense",
    "DepthwiseConv2d",
    "Elu",
    "Gather",
    "GroupedConv2d",
    "LayerNorm",
    "MatMul",
    "MaxPool",
    "Mean",
    "Mul",
    "Prelu",
    "Reciprocal",
    "Recurrent",
    "Relu",
    "Reshape",
    "ResizeBilinear",
    "ResizeNearest",
    "Rsqrt",
    "Slice",
    "Softmax",
    "Sub",
    "SumTo",
    "Tanh",
    "Transpose",
    "TransposedConv2d",
    "Unary",
];

#[test]
fn every_operator_becomes_int8_or_says_that_it_does_not() {
    let mut becomes = BTreeSet::new();
    for op in Op::NAMES {
        for (seed, fed) in [(0, 1), (1, 1), (2, usize::MAX), (3, usize::MAX)] {
            let mut built = Case::fed(seed, fed);
            let Some(output) = super::case(op, &mut built) else { continue };
            match worst_of_case(built, output) {
                // Which of two values is larger may change with their rounding; a sum that cancels leaves the rounding of all its parts.
                Ok(steps) => {
                    let most = match *op {
                        "Argmax" => f32::INFINITY,
                        "SumTo" => 10.0,
                        _ => 5.0,
                    };
                    assert!(steps < most, "{op}: {steps} steps");
                }
                Err(error) => {
                    let said =
                        ["cannot be quantized", "nothing to quantize"].iter().any(|why| error.message.contains(why));
                    assert!(said, "{op}: {error}");
                    continue;
                }
            }
            becomes.insert(*op);
        }
    }
    assert_eq!(becomes, BTreeSet::from(BECOMES));
}

#[test]
fn convolutions_in_groups() {
    let conv = GroupedConv2d {
        groups: 3,
        stride: [1, 2],
        dilation: [1, 1],
        padding: Padding { top: 1, ..Padding::default() },
    };
    let shapes = [[12, 3, 2, 2].into(), [12].into()];
    let steps = worst_of([1, 6, 7, 6], &shapes, |graph, x, p| {
        let y = graph.push(conv.clone(), &[x, p[0], p[1]]).unwrap();
        graph.push(Relu, &[y]).unwrap()
    });
    assert!(steps < 2.0, "{steps}");
}

#[test]
fn transposed_convolutions_with_bias() {
    let padding = Padding { top: 1, bottom: 1, left: 0, right: 1 };
    let conv = TransposedConv2d { stride: [2, 2], dilation: [1, 1], padding, more: [1, 0] };
    let shapes = [[3, 3, 3, 5].into(), [5].into()];
    let steps = worst_of([1, 4, 5, 3], &shapes, |graph, x, p| graph.push(conv.clone(), &[x, p[0], p[1]]).unwrap());
    assert!(steps < 2.0, "{steps}");
}

#[test]
fn attention_of_an_image_to_itself() {
    let steps = worst_of([1, 1, 6, 8], &[], |graph, x, _| {
        let x = graph.reshape(x, [1, 6, 8]).unwrap();
        graph.multi_head_attention([x, x, x], 2, None).unwrap()
    });
    assert!(steps < 4.0, "{steps}");
}
