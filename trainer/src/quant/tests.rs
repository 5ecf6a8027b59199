mod layers;
mod sequences;

use ackermann_core::Model;
use ackermann_core::blob::write::OperatorKind;
use ackermann_core::blob::{Layout, repack};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::observe::{Recorded, observe_by, run, spread};
use super::program::{FloatGraph, Kind, Program};
use super::qat::{FACTORS, FakeQuantized, Purpose};
use super::*;
use crate::ErrorKind;
use crate::data::{Augment, Augmented, FrameSet, Samples, Target};
use crate::graph::{Executor, Param, Params};
use crate::nn::{Layer, Mode, Network};
use crate::ops::Op;

/// Frames with some structure: a bright bar whose place is the label.
fn frames(count: usize, [height, width]: [usize; 2]) -> FrameSet {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut set = FrameSet { height, width, ..FrameSet::default() };
    for _ in 0..count {
        let label = rng.random_range(-0.9f32..0.9);
        let centre = (label + 1.0) / 2.0 * width as f32;
        for at in 0..height * width * 3 {
            let near = (-((at / 3 % width) as f32 - centre).powi(2) / 8.0).exp();
            set.pixels.push((60.0 + 150.0 * near + rng.random_range(0.0..20.0)) as u8);
        }
        set.labels.push(label);
    }
    set
}

fn recorded(frames: &FrameSet) -> Augmented<'_> {
    Augmented::new(frames, Augment::NONE)
}

fn network(layers: Vec<Layer>) -> Network {
    Network::of_pixels("sample", [12, 16, 3], layers)
}

/// Everything at once: padding, batch norm, pools, tables.
fn rich() -> Network {
    network(vec![
        Layer::conv2d(8, 3, 1).padded(1),
        Layer::BatchNorm,
        Layer::Relu,
        Layer::max_pool(2),
        Layer::conv2d(12, 3, 1),
        Layer::BatchNorm,
        Layer::Elu,
        Layer::avg_pool(2),
        Layer::Flatten,
        Layer::dense(16),
        Layer::Relu,
        Layer::Dropout { rate: 0.3 },
        Layer::dense(1),
        Layer::Atan { scale: 2.0 / std::f64::consts::PI },
    ])
}

/// Parameters with biases and running statistics as training leaves them.
fn params(network: &Network) -> Params {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut params = network.init(3).unwrap();
    for param in params.entries_mut() {
        let range = match param.name.rsplit('.').next() {
            Some("running_var") => 0.3..2.0,
            Some("weight") if param.shape.len() == 1 => 0.5..1.5,
            Some("bias" | "running_mean") => -0.3..0.3,
            _ => continue,
        };
        param.data.iter_mut().for_each(|value| *value = rng.random_range(range.clone()));
    }
    params
}

fn float_graph(network: &Network, params: &Params, batch: usize) -> FloatGraph {
    FloatGraph::of(network, params, batch).unwrap()
}

fn float(network: &Network, params: &Params, frames: &FrameSet) -> Vec<f32> {
    let built = network.build(1, Mode::Eval).unwrap();
    let mut executor = Executor::<f32>::new(&built.graph, &[built.output]);
    (0..frames.len())
        .map(|at| {
            let input = executor.input_mut(built.input);
            input.iter_mut().zip(frames.frame(at)).for_each(|(x, p)| *x = (f32::from(*p) - 128.0) / 128.0);
            executor.run(params).unwrap();
            executor.value(built.output)[0]
        })
        .collect()
}

#[test]
fn int8_follows_float_within_a_few_steps() {
    let frames = frames(80, [12, 16]);
    for (network, steps) in [(network(vec![Layer::Flatten, Layer::dense(1)]), 2.0), (rich(), 6.0)] {
        let params = params(&network);
        let quantized = quantize(&network, &params, &recorded(&frames), &QuantizeOptions::default()).unwrap();
        let mut predictor = Int8Predictor::new(&quantized.blob).unwrap();
        let int8 = predictor.predict(&frames.pixels).unwrap();
        let scale = Model::load(&quantized.blob).unwrap().output(0).unwrap().scale();
        let worst =
            float(&network, &params, &frames).iter().zip(&int8).map(|(x, q)| (x - q).abs() / scale).fold(0.0, f32::max);
        assert!(worst < steps, "{worst} steps of {scale}");
        assert_eq!(predictor.saturated(), 0);
    }
}

/// A single dense layer has a bound: half a step of output, plus half a step of every weight times its input, plus the bias.
#[test]
fn dense_layer_keeps_its_bound() {
    let network = network(vec![Layer::Flatten, Layer::dense(1)]);
    let (params, frames) = (params(&network), frames(40, [12, 16]));
    let options = QuantizeOptions { bias_correction: Some(false), ..QuantizeOptions::default() };
    let quantized = quantize(&network, &params, &recorded(&frames), &options).unwrap();
    let int8 = Int8Predictor::new(&quantized.blob).unwrap().predict(&frames.pixels).unwrap();
    let output_step = Model::load(&quantized.blob).unwrap().output(0).unwrap().scale();
    let weights = &params.get("fc1.weight").unwrap().data;
    let weight_step = weights.iter().fold(0f32, |m, w| m.max(w.abs())) / 127.0;
    for (at, (x, q)) in float(&network, &params, &frames).iter().zip(int8).enumerate() {
        let inputs: f32 = frames.frame(at).iter().map(|p| ((f32::from(*p) - 128.0) / 128.0).abs()).sum();
        let bound = 0.51 * output_step + 0.5 * weight_step * inputs + weight_step / 128.0 + 1e-5;
        assert!((x - q).abs() <= bound, "frame {at}: {x} {q}, bound {bound}");
    }
}

#[test]
fn folded_batch_norm_is_the_same_function() {
    let network = network(vec![Layer::conv2d(8, 3, 2).padded(1), Layer::BatchNorm, Layer::Relu]);
    let params = params(&network);
    let program = Program::new(&float_graph(&network, &params, 1)).unwrap();
    let [Kind::Conv2d(_, folded)] = program.steps.iter().map(|s| &s.kind).collect::<Vec<_>>()[..] else { panic!() };
    assert_eq!(program.steps[0].clamp, Some((0.0, f32::INFINITY)));
    let plain = super::tests::network(vec![Layer::conv2d(8, 3, 2).padded(1), Layer::Relu]);
    let mut substitute = plain.init(0).unwrap();
    substitute.get_mut("conv1.weight").unwrap().data.clone_from(&folded.weights);
    substitute.get_mut("conv1.bias").unwrap().data.clone_from(&folded.bias);
    let frames = frames(3, [12, 16]);
    let evaluate = |network: &Network, params: &Params| {
        let float = float_graph(network, params, 1);
        let program = Program::new(&float).unwrap();
        let mut outputs = Vec::new();
        run(&float, &program, &Recorded(&recorded(&frames), &[0, 1, 2]), |_, value, x| {
            if value == program.steps.len() {
                outputs.extend_from_slice(x);
            }
        })
        .unwrap();
        outputs
    };
    let (with, without) = (evaluate(&network, &params), evaluate(&plain, &substitute));
    assert!(with.iter().any(|x| *x > 0.1) && with.len() == without.len());
    let worst = with.iter().zip(&without).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-5, "{worst}");
}

/// A batch norm that nothing can absorb becomes a depthwise convolution of one tap.
#[test]
fn a_batch_norm_on_its_own_is_quantized() {
    let network = network(vec![Layer::conv2d(4, 3, 1), Layer::Relu, Layer::BatchNorm, Layer::Flatten, Layer::dense(1)]);
    let (params, frames) = (params(&network), frames(30, [12, 16]));
    let quantized = quantize(&network, &params, &recorded(&frames), &QuantizeOptions::default()).unwrap();
    let int8 = Int8Predictor::new(&quantized.blob).unwrap().predict(&frames.pixels).unwrap();
    for (x, q) in float(&network, &params, &frames).iter().zip(int8) {
        assert!((x - q).abs() < 0.05, "{x} {q}");
    }
}

#[test]
fn same_input_same_bytes_and_every_layout_fits_the_arena() {
    let (network, frames) = (rich(), frames(20, [12, 16]));
    let params = params(&network);
    let options = QuantizeOptions { observer: Some(Observer::Percentile(99.9)), ..QuantizeOptions::default() };
    let [a, b] = [0, 1].map(|_| quantize(&network, &params, &recorded(&frames), &options).unwrap());
    assert!(*a.blob == *b.blob);
    let packed = repack(&a.blob, Layout::Dsp).unwrap();
    assert!(a.arena_lower_bound <= a.arena_bytes);
    let repacked = inspect_blob(&packed).unwrap();
    assert!(repacked.arena_lower_bound <= repacked.arena_bytes && a.arena_bytes <= repacked.arena_bytes);
    let mut natural = Int8Predictor::new(&a.blob).unwrap();
    let mut dsp = Int8Predictor::new(&packed).unwrap();
    assert_eq!(natural.predict(&frames.pixels).unwrap(), dsp.predict(&frames.pixels).unwrap());
    let model = Model::load(&a.blob).unwrap();
    assert_eq!(model.metadata().get("output.name"), Some("steering"));
    assert_eq!(model.metadata().get("output.full_scale_deg"), Some("25"));
}

#[test]
fn percentiles_cut_tails_and_leave_the_output() {
    let (network, frames) = (rich(), frames(20, [12, 16]));
    let params = params(&network);
    let float = float_graph(&network, &params, 4);
    let program = Program::new(&float).unwrap();
    let indices = spread(frames.len(), 10);
    let look = |observer| observe_by(&float, &program, &Recorded(&recorded(&frames), &indices), observer).unwrap();
    let (whole, cut) = (look(Observer::MinMax), look(Observer::Percentile(99.0)));
    assert!(cut[1].high < whole[1].high && cut[1].high > 0.0);
    let ends = |seen: &[observe::Seen]| seen.last().map(|output| (output.low, output.high));
    assert_eq!(ends(&cut), ends(&whole));
}

/// Samples that are all the same number, or within a little of it.
struct Constant(f32, f32);

impl Inputs for Constant {
    fn count(&self) -> usize {
        20
    }

    fn fill(&self, sample: usize, _: usize, values: &mut [f32]) {
        values.fill(self.0 + self.1 * (sample % 2) as f32);
    }
}

#[test]
fn constant_values_have_a_range_whatever_the_observer() {
    let network = Network::of_numbers("n", [6], vec![Layer::Tanh, Layer::dense(2)]);
    let (float, observers) = (float_graph(&network, &params(&network), 4), [Observer::MinMax, Observer::Mse]);
    let program = Program::new(&float).unwrap();
    for observer in observers.into_iter().chain([Observer::Percentile(99.9), Observer::Entropy]) {
        for (value, spread) in [(3.0, 0.0), (-3.0, 0.0), (0.0, 0.0), (3.0, 1e-6), (-3.0, 1e-6), (1e-30, 0.0)] {
            let seen = observe_by(&float, &program, &Constant(value, spread), observer).unwrap();
            let range = Quantization::of_range(seen[0].low, seen[0].high);
            let near = (range.dequantize(range.quantize(value)) - value).abs() <= 0.51 * range.scale;
            let steps = if value == 0.0 { 1.0 } else { (value.abs() / 254.0).max(1e-9) };
            assert!(near && range.scale <= 1.01 * steps, "{observer} of {value}: {range:?}");
            super::lower::lower(&float, &program, Some(&seen), true).unwrap();
        }
    }
}

#[test]
fn layer_report_measures_every_operator() {
    let (network, frames) = (rich(), frames(20, [12, 16]));
    let params = params(&network);
    let quantized = quantize(&network, &params, &recorded(&frames), &QuantizeOptions::default()).unwrap();
    let report = layer_errors(&network, &quantized, &recorded(&frames), 8).unwrap();
    let inspection = inspect_blob(&quantized.blob).unwrap();
    assert_eq!(report.len(), inspection.layers.len());
    for (row, layer) in report.iter().zip(&inspection.layers) {
        assert_eq!((row.op, &row.name), (layer.op, &layer.name));
        assert!(row.sqnr_db.unwrap() > 20.0, "{row:?}");
    }
    let foreign = layer_errors(&network, &inspectable(), &recorded(&frames), 8).unwrap_err();
    assert_eq!(foreign.kind, ErrorKind::Shape);
}

fn inspectable() -> Quantized {
    let network = network(vec![Layer::Flatten, Layer::dense(1)]);
    quantize(&network, &params(&network), &recorded(&frames(2, [12, 16])), &QuantizeOptions::default()).unwrap()
}

#[test]
fn inspection_counts_what_the_network_counts() {
    for (name, arena) in [("pilotnet", 118_000), ("micro", 96 * 1024)] {
        let network = crate::nn::by_name(name).unwrap();
        let summary = network.summary().unwrap();
        let inspection = inspect_network(&network).unwrap();
        assert_eq!(inspection.macs, summary.iter().map(|l| l.macs as u64).sum::<u64>());
        assert_eq!(inspection.parameters, summary.iter().map(|l| l.parameters as u64).sum::<u64>());
        assert!(inspection.arena_bytes <= arena, "{name}: arena {}", inspection.arena_bytes);
        assert!(inspection.arena_lower_bound <= inspection.arena_bytes);
    }
}

#[test]
fn wrong_input_is_an_error() {
    let network = rich();
    let params = params(&network);
    let options = QuantizeOptions::default();
    let kind =
        |frames: &FrameSet, params: &Params| quantize(&network, params, &recorded(frames), &options).unwrap_err().kind;
    assert_eq!(kind(&frames(1, [12, 18]), &params), ErrorKind::Shape);
    assert_eq!(kind(&frames(0, [12, 16]), &params), ErrorKind::Usage);
    let mut broken = params.clone();
    broken.entries_mut()[0].data[0] = f32::NAN;
    assert_eq!(kind(&frames(1, [12, 16]), &broken), ErrorKind::NotFinite);
    let late = super::tests::network(vec![Layer::Flatten, Layer::dense(3), Layer::Relu, Layer::BatchNorm]);
    let error = quantize(&late, &late.init(0).unwrap(), &recorded(&frames(1, [12, 16])), &options).unwrap_err();
    assert_eq!(error.place, "bn1");
}

/// Whatever is asked for is done; what is left open is tried, and the best comes first.
#[test]
fn the_nearest_to_float_is_chosen() {
    let (network, frames) = (rich(), frames(60, [12, 16]));
    let params = params(&network);
    let all = quantize(&network, &params, &recorded(&frames), &QuantizeOptions::default()).unwrap();
    let errors: Vec<f64> = all.trials.iter().map(|trial| trial.error.unwrap()).collect();
    assert!(errors.is_sorted() && errors.len() >= 10, "{errors:?}");
    let best = all.trials[0];
    let same = QuantizeOptions {
        observer: Some(best.observer),
        bias_correction: Some(best.bias_correction),
        equalize: Some(best.equalized),
        ..QuantizeOptions::default()
    };
    let again = quantize(&network, &params, &recorded(&frames), &same).unwrap();
    assert_eq!(again.trials.len(), 1);
    let run = |blob: &[u8]| Int8Predictor::new(blob).unwrap().predict(&frames.pixels).unwrap();
    assert_eq!(run(&all.blob), run(&again.blob));
}
