//! Every layer that a network can have, in int8: near float, and the fake-quant graph equal to the blob.

use std::collections::BTreeSet;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::qat::{FACTORS, FakeQuantized, Purpose, int8};
use super::super::sources::sources;
use super::*;
use crate::data::{Samples, Target};
use crate::graph::{Executor, Param};
use crate::nn::InputKind;
use crate::train::Predictor;

/// Mean |int8 - float| of the outputs, relative to the mean |float|.
const BOUND: f64 = 0.03;
const BATCH: usize = 3;

/// Inputs of a network at random.
struct Random<'a>(&'a Network);

impl Samples for Random<'_> {
    fn len(&self) -> usize {
        60
    }

    fn input_shape(&self) -> &[usize] {
        &self.0.input
    }

    fn target(&self) -> Target {
        Target::Class(2)
    }

    fn write(&self, index: usize, _: Option<&mut ChaCha8Rng>, input: &mut [f32], target: &mut [f32]) {
        let mut rng = ChaCha8Rng::seed_from_u64(index as u64);
        for value in input {
            *value = match self.0.kind {
                InputKind::Pixels => (f32::from(rng.random::<u8>()) - 128.0) / 128.0,
                InputKind::Numbers => rng.random_range(-2.0..1.5),
                InputKind::Tokens { vocabulary } => rng.random_range(0..vocabulary) as f32,
            };
        }
        target.fill(0.0);
    }
}

fn pixels(layers: Vec<Layer>) -> Network {
    Network::of_pixels("pixels", [8, 10, 3], layers)
}

fn sequence(layers: Vec<Layer>) -> Network {
    Network::of_numbers("sequence", [6, 8], layers)
}

/// A convolution with an activation behind it.
fn activated(activation: Layer) -> Network {
    pixels(vec![Layer::conv2d(4, 3, 1), activation])
}

/// Networks that have every layer somewhere, in each of its forms.
fn networks() -> Vec<Network> {
    let inner =
        || vec![Layer::conv2d(3, 3, 1).padded(1), Layer::BatchNorm, Layer::Relu, Layer::conv2d(3, 3, 1).padded(1)];
    let recurrent = |layer: Layer| {
        [
            layer.clone(),
            layer.clone().last_state(),
            layer.clone().in_both_directions(),
            layer.in_both_directions().last_state(),
        ]
    };
    let mut networks = vec![
        pixels(vec![Layer::conv2d(6, 3, 1).padded(1).grouped(3), Layer::Relu, Layer::conv2d(4, 3, 2).dilated(2)]),
        pixels(vec![Layer::depthwise_conv2d(3, 1).padded(1), Layer::Relu, Layer::conv2d(4, 1, 1).without_bias()]),
        pixels(vec![Layer::conv2d(4, 1, 1).padded(1), Layer::BatchNorm, Layer::Relu, Layer::conv2d(2, 2, 1).padded(3)]),
        pixels(vec![Layer::conv2d(6, 1, 2).padded(1).grouped(3), Layer::conv2d(4, 2, 1).padded(2).grouped(2)]),
        pixels(vec![Layer::depthwise_conv2d(2, 1).padded(2), Layer::Relu, Layer::depthwise_conv2d(1, 1).padded(1)]),
        pixels(vec![Layer::conv_transpose2d(4, 3, 2), Layer::Relu]),
        pixels(vec![Layer::conv_transpose2d(4, 3, 2).without_bias(), Layer::BatchNorm, Layer::Relu6]),
        pixels(vec![Layer::Flatten, Layer::dense(5)]),
        sequence(vec![Layer::dense(4), Layer::Relu, Layer::dense(3)]),
        pixels(vec![Layer::conv2d(4, 3, 1), Layer::Relu, Layer::BatchNorm]),
        sequence(vec![Layer::LayerNorm]),
        pixels(vec![Layer::Flatten, Layer::dense(5), Layer::Softmax]),
        pixels(vec![Layer::conv2d(4, 3, 1), Layer::max_pool(3).padded(1)]),
        pixels(vec![Layer::avg_pool(2), Layer::conv2d(4, 3, 1)]),
        pixels(vec![Layer::conv2d(4, 3, 1), Layer::Relu, Layer::GlobalAvgPool]),
        sequence(vec![Layer::dense(4), Layer::Mean]),
        pixels(vec![Layer::Reshape { shape: vec![4, 20, 3] }, Layer::conv2d(4, 3, 1), Layer::Dropout { rate: 0.5 }]),
        Network::of_tokens("tokens", 6, 20, vec![Layer::embedding(20, 5), Layer::Mean, Layer::dense(3)]),
        Network::of_tokens(
            "tokens",
            6,
            20,
            vec![Layer::embedding(20, 5), Layer::lstm(4), Layer::Flatten, Layer::dense(3)],
        ),
        Network::of_numbers(
            "pictures",
            [3, 6, 7, 2],
            vec![
                Layer::time_distributed([Layer::conv2d(4, 3, 1), Layer::Relu, Layer::Flatten, Layer::dense(5)]),
                Layer::gru(4).last_state(),
            ],
        ),
        sequence(vec![Layer::Attention { heads: 2 }]),
        Network::of_numbers(
            "vector",
            [6],
            vec![Layer::dense(5), Layer::Tanh, Layer::Repeat { times: 10 }, Layer::lstm(4), Layer::dense(2)],
        ),
        sequence(vec![Layer::lstm(4).last_state(), Layer::Repeat { times: 9 }, Layer::dense(3)]),
        pixels(vec![Layer::residual(inner()), Layer::Relu]),
        pixels(vec![Layer::residual_with(inner(), [Layer::conv2d(3, 1, 1)])]),
        pixels(vec![Layer::Branches {
            branches: vec![vec![], vec![Layer::conv2d(3, 3, 1).padded(1), Layer::Relu], vec![Layer::conv2d(2, 1, 1)]],
        }]),
    ];
    networks.extend(
        [Layer::Relu, Layer::Relu6, Layer::Elu, Layer::LeakyRelu { slope: 0.1 }, Layer::Sigmoid, Layer::Tanh]
            .map(activated),
    );
    networks.extend(
        [Layer::Silu, Layer::Gelu, Layer::GeluTanh, Layer::HardSwish, Layer::Atan { scale: 2.0 }].map(activated),
    );
    networks.extend(
        [Layer::lstm(6), Layer::gru(6), Layer::rnn(6)]
            .into_iter()
            .flat_map(recurrent)
            .map(|layer| sequence(vec![layer])),
    );
    networks
}

/// Names of all layers, as a network's file has them.
fn names() -> BTreeSet<String> {
    let error = serde_json::from_str::<Layer>("\"none\"").unwrap_err().to_string();
    let (_, list) = error.split_once("expected one of").unwrap();
    list.split('`').skip(1).step_by(2).map(str::to_string).collect()
}

fn collect(layers: &[Layer], found: &mut BTreeSet<String>) {
    for layer in layers {
        let name = match serde_json::to_value(layer).unwrap() {
            serde_json::Value::String(name) => name,
            object => object.as_object().unwrap().keys().next().unwrap().clone(),
        };
        found.insert(name);
        layer.inner().iter().for_each(|(_, layers)| collect(layers, found));
    }
}

#[test]
fn every_layer_is_in_a_network() {
    let mut found = BTreeSet::new();
    networks().iter().for_each(|network| collect(&network.layers, &mut found));
    assert_eq!(found, names(), "give the layers that are missing a network in `networks`");
}

fn inputs(network: &Network, count: usize) -> Vec<f32> {
    let length: usize = network.input.iter().product();
    let mut inputs = vec![0.0; count * length];
    let samples = Random(network);
    inputs.chunks_mut(length).enumerate().for_each(|(at, x)| samples.write(at, None, x, &mut [0.0]));
    inputs
}

#[test]
fn every_layer_in_int8_is_near_float() {
    for network in networks() {
        let params = params(&network);
        let options = QuantizeOptions {
            observer: Some(Observer::MinMax),
            bias_correction: Some(true),
            equalize: Some(false),
            ..QuantizeOptions::default()
        };
        let layers = &network.layers;
        let quantized = quantize(&network, &params, &Random(&network), &options);
        let quantized = quantized.unwrap_or_else(|error| panic!("{layers:?}: {error}"));
        let inputs = inputs(&network, 40);
        let float = Predictor::new(network.clone(), params).unwrap().predict_inputs(&inputs).unwrap();
        let int8 = Int8Predictor::new(&quantized.blob).unwrap().predict_inputs(&inputs).unwrap();
        assert_eq!(float.len(), int8.len(), "{layers:?}");
        let (mut error, mut size) = (0.0, 0.0);
        for (x, q) in float.iter().zip(&int8) {
            error += f64::from((x - q).abs());
            size += f64::from(x.abs());
        }
        assert!(error < BOUND * size, "{layers:?}: relative error {}", error / size);
    }
}

/// Whatever the layer: what the fake-quant graph computes is what its blob computes.
#[test]
fn every_layer_is_simulated_bit_for_bit() {
    for network in networks() {
        let mut float = FloatGraph::of(&network, &params(&network), BATCH).unwrap();
        float.fix_tables();
        let program = Program::new(&float).unwrap();
        let samples = Random(&network);
        let indices = spread(samples.len(), 20);
        let seen = observe_by(&float, &program, &Recorded(&samples, &indices), Observer::MinMax).unwrap();
        let (sources, rows) = sources(&float, &program, Some(&seen)).unwrap();
        let factors: Vec<f32> = (0..2 * rows.max(1)).map(|at| [0.1, -0.3, 0.2][at % 3]).collect();
        let (mut blob, _) = int8(&float, &program, &sources, &float.params, &factors).unwrap();
        let blob = assemble(&mut blob).unwrap();
        let (shape, data) = ([rows.max(1), 2].into(), factors);
        float.params.insert(Param { name: FACTORS.into(), shape, data, trainable: true }).unwrap();
        let fake = FakeQuantized::new(&float, &program, (&sources, rows), Purpose::Simulate, &|_| true).unwrap();
        let mut executor = Executor::<f32>::new(&fake.graph, &fake.outputs);
        let inputs = inputs(&network, BATCH);
        executor.input_mut(fake.inputs[0]).copy_from_slice(&inputs);
        executor.run(&float.params).unwrap();
        let expected = Int8Predictor::new(&blob).unwrap().predict_inputs(&inputs).unwrap();
        assert_eq!(executor.value(fake.outputs[0]), expected, "{:?}", network.layers);
    }
}

/// What has no int8 form says which layer it is and what to do.
#[test]
fn layers_without_an_int8_form_say_so() {
    let peepholes = Layer::Lstm { units: 4, bidirectional: false, peephole: true, sequence: true };
    let norm = vec![Layer::dense(4), Layer::Relu, Layer::BatchNorm];
    for (network, place, word) in
        [(sequence(vec![peepholes]), "lstm1", "without"), (sequence(norm), "bn1", "directly follow")]
    {
        let error = quantize(&network, &params(&network), &Random(&network), &QuantizeOptions::default()).unwrap_err();
        assert!(error.place == place && error.message.contains(word), "{error}");
    }
}
