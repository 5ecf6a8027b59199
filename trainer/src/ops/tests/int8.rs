//! Operators in int8 against themselves in float.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::graph::{Executor, Graph, NodeId, Param, Params, Shape};
use crate::ops::*;
use crate::quant::{FloatGraph, Inputs, Int8Predictor, Observer, Quantization, assemble, quantize_graph};

const SAMPLES: usize = 40;

/// Samples one after another.
struct Numbers(Vec<f32>);

impl Inputs for Numbers {
    fn count(&self) -> usize {
        SAMPLES
    }

    fn fill(&self, sample: usize, _input: usize, values: &mut [f32]) {
        values.copy_from_slice(&self.0[sample * values.len()..][..values.len()]);
    }
}

/// Parameters of these shapes, drawn from -0.5 to 0.5.
fn draw(graph: &mut Graph, shapes: &[Shape]) -> (Params, Vec<NodeId>) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut params, mut nodes) = (Params::new(), Vec::new());
    for (at, shape) in shapes.iter().enumerate() {
        let name = format!("p{at}");
        let data = (0..shape.elements()).map(|_| rng.random_range(-0.5..0.5)).collect();
        nodes.push(graph.param(&name, shape.clone()));
        params.insert(Param { name, shape: shape.clone(), data, trainable: true }).unwrap();
    }
    (params, nodes)
}

/// The largest difference between int8 and float, in steps of the output.
fn worst(image: [usize; 4], shapes: &[Shape], build: impl Fn(&mut Graph, NodeId, &[NodeId]) -> NodeId) -> f32 {
    let mut graph = Graph::new();
    let input = graph.input("x", image);
    let (params, nodes) = draw(&mut graph, shapes);
    let output = build(&mut graph, input, &nodes);
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let size = graph.shape(input).elements();
    let samples = Numbers((0..SAMPLES * size).map(|_| rng.random_range(-1.0..2.0)).collect());
    let mut executor = Executor::<f32>::new(&graph, &[output]);
    let float = FloatGraph { graph, params, inputs: vec![input], outputs: vec![output], ..FloatGraph::default() };
    let mut network = quantize_graph(&float, Some(&samples), Observer::MinMax).unwrap();
    let blob = assemble(&mut network).unwrap();
    let of = |tensor: u16| Quantization::of_spec(&network.tensors[usize::from(tensor)]);
    let (from, to) = (of(network.inputs[0]), of(network.outputs[0]));
    let mut predictor = Int8Predictor::new(&blob).unwrap();
    let mut worst = 0f32;
    for sample in samples.0.chunks_exact(size) {
        executor.input_mut(input).copy_from_slice(sample);
        executor.run(&float.params).unwrap();
        let bytes: Vec<i8> = sample.iter().map(|x| from.quantize(*x)).collect();
        for (float, byte) in executor.value(output).iter().zip(predictor.run(&bytes).unwrap()) {
            worst = worst.max((float - to.dequantize(byte)).abs() / to.scale);
        }
    }
    worst
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
    let steps = worst([1, 6, 7, 6], &shapes, |graph, x, p| {
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
    let steps = worst([1, 4, 5, 3], &shapes, |graph, x, p| graph.push(conv.clone(), &[x, p[0], p[1]]).unwrap());
    assert!(steps < 2.0, "{steps}");
}

#[test]
fn attention_of_an_image_to_itself() {
    let steps = worst([1, 1, 6, 8], &[], |graph, x, _| {
        let x = graph.reshape(x, [1, 6, 8]).unwrap();
        graph.multi_head_attention([x, x, x], 2, None).unwrap()
    });
    assert!(steps < 4.0, "{steps}");
}
