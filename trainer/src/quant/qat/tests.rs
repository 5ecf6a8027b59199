mod made;

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;

use ackermann_core::Session;
use ackermann_core::blob::AlignedBytes;
use ackermann_core::ops::{Kernels, Portable, Reference};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use self::made::Made;
use super::*;
use crate::data::{Augment, Augmented, FrameSet, Samples, Target};
use crate::graph::{Executor, Graph, NodeId, Param, Params, Shape};
use crate::nn::{Freeze, Layer, Network};
use crate::ops::{By, FakeQuant, FakeQuantGrad, RoundWeights};
use crate::quant::observe::{Inputs, Observer, observe};
use crate::quant::program::{FloatGraph, Program};
use crate::quant::sources::{Source, sources};
use crate::quant::{assemble, load};
use crate::train::{EpochRow, Loss, measure};

const BATCH: usize = 3;

struct Noise;

impl Inputs for Noise {
    fn count(&self) -> usize {
        2 * BATCH
    }

    fn fill(&self, sample: usize, _: usize, values: &mut [f32]) {
        let mut rng = ChaCha8Rng::seed_from_u64(sample as u64);
        values.iter_mut().for_each(|value| *value = rng.random_range(-1.0..1.0));
    }
}

/// What the core makes of each value, sample after sample, as real numbers.
fn core_values<K: Kernels>(
    float: &FloatGraph,
    program: &Program,
    (sources, factors): (&[Source], &[f32]),
    params: &Params,
) -> Vec<Vec<f32>> {
    let (mut network, tensors) = int8(float, program, sources, params, factors).unwrap();
    let outputs: Vec<u16> = network.operators.iter().map(|operator| operator.output).collect();
    let blob = assemble(&mut network).unwrap_or_else(|error| panic!("{error}: {network:?}"));
    let model = load(&blob).unwrap();
    let mut arena = AlignedBytes::zeroed(model.arena_bytes());
    let mut session = Session::new(model, &mut arena).unwrap();
    let mut values = vec![Vec::new(); tensors.len()];
    for sample in 0..BATCH {
        let mut real = vec![0.0; float.graph.shape(float.inputs[0]).elements() / BATCH];
        Noise.fill(sample, 0, &mut real);
        let scale = sources[0].at(factors);
        session.input_mut(0).unwrap().iter_mut().zip(&real).for_each(|(q, x)| *q = scale.quantize(*x));
        let mut found: HashMap<u16, Vec<i8>> = HashMap::from([(tensors[0], session.input_mut(0).unwrap().to_vec())]);
        session.run_with::<K>(|index, output| drop(found.insert(outputs[index], output.to_vec())));
        for ((value, tensor), source) in values.iter_mut().zip(&tensors).zip(sources) {
            value.extend(found[tensor].iter().map(|q| source.at(factors).dequantize(*q)));
        }
    }
    values
}

/// Random networks and shapes, random ranges: the graph that is trained, the one that is only looked at, and the whole network's blob on the core's plain and
/// fast kernels give the same numbers in every layer, bit for bit.
#[test]
fn the_fake_quant_graph_equals_the_core_bit_for_bit() {
    let mut operators = std::collections::BTreeSet::new();
    for seed in 0..60 {
        let float = Made::float(seed);
        let program = Program::new(&float).unwrap();
        let seen = observe(&float, &program, &Noise, false).unwrap();
        let (sources, rows) = sources(&float, &program, Some(&seen)).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let factors: Vec<f32> = (0..2 * rows.max(1)).map(|_| rng.random_range(-0.7..0.4)).collect();
        let mut params = float.params.clone();
        let shape = Shape::from([rows.max(1), 2]);
        params.insert(Param { name: FACTORS.into(), shape, data: factors.clone(), trainable: true }).unwrap();
        let reference = core_values::<Reference>(&float, &program, (&sources, &factors), &params);
        assert_eq!(reference, core_values::<Portable>(&float, &program, (&sources, &factors), &params), "{seed}");
        for purpose in [Purpose::Train, Purpose::Simulate] {
            let fake = FakeQuantized::new(&float, &program, (&sources, rows), purpose, &|_| true).unwrap();
            let mut executor = Executor::<f32>::new(&fake.graph, &fake.values);
            let input = executor.input_mut(fake.inputs[0]);
            let length = input.len() / BATCH;
            input.chunks_mut(length).enumerate().for_each(|(sample, x)| Noise.fill(sample, 0, x));
            executor.run(&params).unwrap();
            for (value, (node, expected)) in fake.values.iter().zip(&reference).enumerate() {
                assert_eq!(executor.value(*node), expected, "seed {seed}, {purpose:?}, value {value}");
            }
        }
        operators.extend(float.graph.nodes().iter().map(|node| node.op.name()));
    }
    let wanted = [
        "Add",
        "AvgPool",
        "BatchNorm",
        "Clamp",
        "Concat",
        "Conv2d",
        "Dense",
        "DepthwiseConv2d",
        "MaxPool",
        "Mean",
        "Softmax",
        "Tanh",
    ];
    assert!(wanted.iter().all(|op| operators.contains(op)), "the random networks lack some: {operators:?}");
}

/// The float path beside the core's follows it within two steps: the derivative is that of the right function.
#[test]
fn the_path_of_the_derivative_follows_the_core() {
    for seed in 0..10 {
        let float = Made::float(seed);
        let program = Program::new(&float).unwrap();
        let seen = observe(&float, &program, &Noise, false).unwrap();
        let (sources, rows) = sources(&float, &program, Some(&seen)).unwrap();
        let mut params = float.params.clone();
        let shape = Shape::from([rows.max(1), 2]);
        params
            .insert(Param { name: FACTORS.into(), data: vec![0.0; shape.elements()], shape, trainable: true })
            .unwrap();
        let fake = FakeQuantized::new(&float, &program, (&sources, rows), Purpose::Train, &|_| true).unwrap();
        let pair = |(node, source): (&NodeId, &Source)| (*node, fake.graph.node(*node).inputs[0], source.at(&[]));
        let pairs: Vec<_> = fake.values[1..].iter().zip(&sources[1..]).map(pair).collect();
        let outputs: Vec<NodeId> = pairs.iter().flat_map(|(exact, path, _)| [*exact, *path]).collect();
        let mut executor = Executor::<f32>::new(&fake.graph, &outputs);
        let input = executor.input_mut(fake.inputs[0]);
        let length = input.len() / BATCH;
        input.chunks_mut(length).enumerate().for_each(|(sample, x)| Noise.fill(sample, 0, x));
        executor.run(&params).unwrap();
        for (exact, path, grid) in pairs {
            let (low, high) = (grid.dequantize(i8::MIN), grid.dequantize(i8::MAX));
            for (a, b) in executor.value(exact).iter().zip(executor.value(path)) {
                assert!((a - b.clamp(low, high)).abs() <= 2.0 * grid.scale, "seed {seed}: {a} {b}, {grid:?}");
            }
        }
    }
}

/// LSQ by hand: values inside, above and below a range of -1 to 3 in 255 steps.
#[test]
fn derivatives_pass_straight_through_and_reach_the_range() {
    let source = Source::Range { row: 1, low: -1.0, high: 3.0 };
    let grid = source.at(&[]);
    let mut graph = Graph::new();
    let (y, factors) = (graph.param("y", [4]), graph.param("factors", [2, 2]));
    let result = graph.push(FakeQuant { source }, &[y, factors]).unwrap();
    let upstream = graph.param("upstream", [4]);
    let of = FakeQuant { source };
    let value = graph.push(FakeQuantGrad { of: of.clone(), by: By::Value }, &[y, factors, upstream]).unwrap();
    let range = graph.push(FakeQuantGrad { of, by: By::Range }, &[y, factors, upstream, result]).unwrap();
    let mut params = Params::<f32>::new();
    let mut give = |name: &str, shape: &[usize], data: Vec<f32>| {
        params.insert(Param { name: name.into(), shape: shape.into(), data, trainable: true }).unwrap();
    };
    let inside = 1.2345;
    give("y", &[4], vec![inside, 5.0, -4.0, 0.0]);
    give("upstream", &[4], vec![2.0, 3.0, 5.0, 7.0]);
    give("factors", &[2, 2], vec![0.0; 4]);
    let mut executor = Executor::<f32>::new(&graph, &[result, value, range]);
    executor.run(&params).unwrap();
    let rounded = grid.dequantize(grid.quantize(inside));
    assert_eq!(executor.value(result), [rounded, grid.dequantize(127), grid.dequantize(-128), 0.0]);
    assert_eq!(executor.value(value), [2.0, 0.0, 0.0, 7.0]);
    let width = grid.dequantize(127) - grid.dequantize(-128);
    let (share, ln2) = (2.0 * (rounded - inside) / width, std::f32::consts::LN_2);
    let expected = [0.0, 0.0, -(5.0 - share) * ln2, (3.0 + share) * 3.0 * ln2];
    for (found, expected) in executor.value(range).iter().zip(expected) {
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    }
}

#[test]
fn weights_are_rounded_per_channel() {
    let mut graph = Graph::new();
    let weights = graph.param("w", [2, 3]);
    let rounded = graph.push(RoundWeights, &[weights]).unwrap();
    let mut params = Params::<f32>::new();
    let data = vec![127.0, 0.4, -3.6, 0.0, 0.0, 0.0];
    params.insert(Param { name: "w".into(), shape: [2, 3].into(), data, trainable: true }).unwrap();
    let mut executor = Executor::<f32>::new(&graph, &[rounded]);
    executor.run(&params).unwrap();
    assert_eq!(executor.value(rounded), [127.0, 0.0, -4.0, 0.0, 0.0, 0.0]);
}

fn frames() -> FrameSet {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut set = FrameSet { height: 8, width: 10, ..FrameSet::default() };
    for _ in 0..96 {
        let label = rng.random_range(-0.9f32..0.9);
        let centre = (label + 1.0) / 2.0 * 10.0;
        for at in 0..8 * 10 * 3 {
            let near = (-((at / 3 % 10) as f32 - centre).powi(2) / 4.0).exp();
            set.pixels.push((60.0 + 150.0 * near + rng.random_range(0.0..20.0)) as u8);
        }
        set.labels.push(label);
    }
    set
}

fn small() -> Network {
    let layers = vec![
        Layer::conv2d(6, 3, 2),
        Layer::BatchNorm,
        Layer::Relu,
        Layer::Flatten,
        Layer::dense(8),
        Layer::Relu,
        Layer::dense(1),
    ];
    Network::of_pixels("small", [8, 10, 3], layers)
}

fn options(epochs: usize) -> FineTuneOptions {
    FineTuneOptions {
        epochs,
        batch: 16,
        lr: 3e-3,
        loss: Loss::Mse,
        freeze: Freeze::NONE,
        seed: 1,
        calibrated: 64,
        observer: Observer::Percentile(80.0),
        output_margin: 1.1,
    }
}

fn tuned(epochs: usize, stop: bool) -> (Tuned, f64) {
    let frames = frames();
    let samples = Augmented::new(&frames, Augment::NONE);
    let (network, options) = (small(), options(epochs));
    let params = network.init(2).unwrap();
    let tuned = fine_tune(&network, &params, (&samples, &samples), &options, &mut (), &AtomicBool::new(stop)).unwrap();
    let blob = assemble(&mut tuned.int8.clone()).unwrap();
    let mut predictor = crate::quant::Int8Predictor::new(&blob).unwrap();
    let metrics = measure(&mut |x: &[f32]| predictor.predict_inputs(x), &samples as &dyn Samples, Loss::Mse).unwrap();
    (tuned, metrics.unwrap().loss)
}

#[test]
fn fine_tuning_lowers_the_loss_of_int8() {
    let (found, loss) = tuned(6, false);
    let losses: Vec<f64> = found.history.iter().map(|row| row.val_loss.unwrap()).collect();
    assert!(losses[found.best] < losses[0] / 2.0, "{losses:?}");
    // What is handed back is the epoch that is said to be best.
    assert_eq!(loss, losses[found.best]);
    assert_eq!(tuned(6, false).0.int8, found.int8);
}

#[test]
fn a_stop_keeps_what_there_was() {
    let (found, loss) = tuned(3, true);
    assert_eq!((found.best, found.history.len()), (0, 1));
    assert_eq!(found.history[0].val_loss, Some(loss));
}

#[test]
fn what_is_frozen_stays_in_int8_too() {
    let (frames, network) = (frames(), small());
    let samples = Augmented::new(&frames, Augment::NONE);
    let options = FineTuneOptions { freeze: Freeze::new(["conv*"]), ..options(4) };
    let params = network.init(2).unwrap();
    let stop = AtomicBool::new(false);
    let tuned = fine_tune(&network, &params, (&samples, &samples), &options, &mut (), &stop).unwrap();
    assert!(tuned.best > 0, "{:?}", tuned.history);
    for (before, after) in params.entries().iter().zip(tuned.params.entries()) {
        let stays = before.name.starts_with("conv") || !before.trainable;
        assert_eq!(before.data == after.data, stays, "{}", before.name);
    }
}

/// The same frames in two classes, told apart by the sign of the label.
struct Sides<'a>(Augmented<'a>);

impl Samples for Sides<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn input_shape(&self) -> &[usize] {
        self.0.input_shape()
    }

    fn target(&self) -> Target {
        Target::Class(2)
    }

    fn write(&self, index: usize, augment: Option<&mut ChaCha8Rng>, input: &mut [f32], target: &mut [f32]) {
        self.0.write(index, augment, input, target);
        target[0] = f32::from(target[0] > 0.0);
    }
}

#[test]
fn of_classes_the_most_accurate_epoch_is_kept() {
    let (frames, network) = (frames(), small().with_outputs(2).unwrap());
    let samples = Sides(Augmented::new(&frames, Augment::NONE));
    let options = FineTuneOptions { loss: Loss::CrossEntropy { smoothing: 0.0 }, lr: 0.02, ..options(8) };
    let (params, stop) = (network.init(2).unwrap(), AtomicBool::new(false));
    let tuned = fine_tune(&network, &params, (&samples, &samples), &options, &mut (), &stop).unwrap();
    let accuracy = |row: &EpochRow| row.val_accuracy.unwrap();
    let best = tuned.history.iter().map(accuracy).fold(0.0, f64::max);
    assert!(best > accuracy(&tuned.history[0]) && accuracy(&tuned.history[tuned.best]) == best, "{:?}", tuned.history);
}

#[test]
fn networks_that_remember_are_refused() {
    let frames = frames();
    let samples = Augmented::new(&frames, Augment::NONE);
    let network = crate::nn::by_name("micro-lstm").unwrap();
    let (params, stop) = (network.init(0).unwrap(), AtomicBool::new(false));
    let refused = fine_tune(&network, &params, (&samples, &samples), &options(1), &mut (), &stop);
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("micro-lstm") && text.contains("--qat"), "{text}");
}
