//! Networks whose samples are sequences.

use super::*;

/// Steps of a sequence that differ in their means.
struct Rising;

impl Inputs for Rising {
    fn count(&self) -> usize {
        1
    }

    fn fill(&self, _: usize, _: usize, values: &mut [f32]) {
        values.iter_mut().enumerate().for_each(|(at, value)| *value = (at * at) as f32 / 10.0);
    }
}

/// The correction of a layer that is applied at every step is that of the mean step.
#[test]
fn biases_are_corrected_by_the_mean_over_all_steps() {
    const FEATURES: usize = 3;
    for layer in [Layer::dense(4), Layer::time_distributed([Layer::dense(4)])] {
        let network = Network::of_numbers("n", [5, FEATURES], vec![layer]);
        let float = float_graph(&network, &params(&network), 1);
        let program = Program::new(&float).unwrap();
        let seen = observe_by(&float, &program, &Rising, Observer::MinMax).unwrap();
        let [plain, corrected] = [false, true].map(|correct| {
            let network = super::lower::lower(&float, &program, Some(&seen), correct).unwrap();
            let of = |kind: &OperatorKind| match kind {
                OperatorKind::FullyConnected { weighted } => Some(weighted.clone()),
                _ => None,
            };
            network.operators.iter().find_map(|operator| of(&operator.kind)).unwrap()
        });
        let Some(Kind::Dense(weighted)) = program.steps.iter().map(|step| &step.kind).find(|k| k.weighted().is_some())
        else {
            panic!("no dense layer")
        };
        let mean = |feature: usize| (0..5).map(|step| ((step * FEATURES + feature) as f32).powi(2) / 50.0).sum::<f32>();
        let from = Quantization::of_range(seen[0].low, seen[0].high);
        let mut largest = 0f32;
        let (rows, rounded) = (weighted.weights.chunks(FEATURES), plain.weights.chunks(FEATURES));
        for (channel, (row, rounded)) in rows.zip(rounded).enumerate() {
            let scale = row.iter().fold(0f32, |largest, w| largest.max(w.abs())) / 127.0;
            let errors = row.iter().zip(rounded).map(|(w, q)| f32::from(*q) * scale - w);
            let expected: f32 = errors.enumerate().map(|(feature, error)| error * mean(feature)).sum();
            let found = (plain.bias[channel] - corrected.bias[channel]) as f32 * from.scale * scale;
            assert!((found - expected).abs() < 1.5 * from.scale * scale, "channel {channel}: {found} {expected}");
            largest = largest.max(expected.abs() / (from.scale * scale));
        }
        assert!(largest > 5.0, "there is nothing to correct");
    }
}

/// Pixels, numbers or classes: the blob says what comes out, and whether it remembers.
#[test]
fn a_blob_says_what_its_output_is() {
    struct Other(&'static [usize], Target);
    impl Samples for Other {
        fn len(&self) -> usize {
            8
        }

        fn input_shape(&self) -> &[usize] {
            self.0
        }

        fn target(&self) -> Target {
            self.1
        }

        fn write(&self, index: usize, _: Option<&mut ChaCha8Rng>, input: &mut [f32], target: &mut [f32]) {
            input.iter_mut().enumerate().for_each(|(at, x)| *x = ((at + index) % 7) as f32 / 7.0);
            target.fill(0.0);
        }
    }
    let picture = Network::of_pixels("p", [8, 8, 3], vec![Layer::Flatten, Layer::dense(1)]);
    let each = Layer::time_distributed(picture.layers.clone());
    let remembering = Network {
        input: vec![4, 8, 8, 3],
        layers: vec![each, Layer::lstm(2), Layer::dense(1), Layer::Flatten],
        ..picture.clone()
    };
    let numbers = Network::of_numbers("n", [6], vec![Layer::dense(1)]);
    let value = |blob: &[u8], key: &str| Model::load(blob).unwrap().metadata().get(key).map(String::from);
    for (network, samples, name, full_scale, steps) in [
        (&picture, Other(&[8, 8, 3], Target::Numbers(1)), "steering", Some("25"), None),
        (&picture, Other(&[8, 8, 3], Target::Class(2)), "class", None, None),
        (&numbers, Other(&[6], Target::Numbers(1)), "numbers", None, None),
        (&remembering, Other(&[4, 8, 8, 3], Target::Numbers(4)), "steering", Some("25"), Some("4")),
    ] {
        let quantized = quantize(network, &params(network), &samples, &QuantizeOptions::default()).unwrap();
        let found = ["output.name", "output.full_scale_deg", "network.steps"].map(|key| value(&quantized.blob, key));
        assert_eq!(found.each_ref().map(Option::as_deref), [Some(name), full_scale, steps]);
        let layers = layer_errors(network, &quantized, &samples, 4);
        assert_eq!(layers.is_ok(), steps.is_none());
        if let Err(error) = layers {
            assert!(error.place == "p" && error.message.contains("eval"), "{error}");
        }
    }
}

/// A network that remembers: what it does step by step is what it does over whole sequences, and the blob does the same in int8.
#[test]
fn networks_of_sequences_go_along_step_by_step() {
    let steps = 12;
    let each = [Layer::conv2d(6, 3, 2), Layer::Relu, Layer::Flatten, Layer::dense(12), Layer::Relu];
    for recurrent in [Layer::lstm(9), Layer::gru(9), Layer::rnn(9)] {
        let layers = vec![Layer::time_distributed(each.clone()), recurrent, Layer::dense(1), Layer::Flatten];
        let network = Network { input: vec![steps, 12, 16, 3], ..network(layers) };
        let (params, frames) = (params(&network), frames(8 * steps, [12, 16]));
        let mut predictor = crate::train::Predictor::new(network.clone(), params.clone()).unwrap();
        let whole = predictor.predict(&frames.pixels).unwrap();
        let samples = crate::data::Sequences::new(&frames, steps, crate::data::Augment::NONE);
        let quantized = quantize(&network, &params, &samples, &QuantizeOptions::default()).unwrap();
        let in_sequences = Int8Predictor::new(&quantized.blob).unwrap().predict(&frames.pixels).unwrap();
        assert_eq!(in_sequences.len(), whole.len());
        let model = Model::load(&quantized.blob).unwrap();
        let mut arena = ackermann_core::blob::AlignedBytes::zeroed(model.arena_bytes());
        let mut session = ackermann_core::Session::new(model, &mut arena).unwrap();
        let scale = model.output(0).unwrap();
        let (mut squares, mut range) = (0.0, (f32::INFINITY, f32::NEG_INFINITY));
        for (at, expected) in whole.iter().enumerate() {
            if at % steps == 0 {
                predictor.forget();
                session.reset();
            }
            let found = predictor.step(frames.frame(at)).unwrap()[0];
            assert!((found - expected).abs() < 1e-5, "step {at}: {found}, over the sequence {expected}");
            let input = session.input_mut(0).unwrap();
            input.iter_mut().zip(frames.frame(at)).for_each(|(q, pixel)| *q = (i32::from(*pixel) - 128) as i8);
            session.run();
            let int8 = (f32::from(session.output(0).unwrap()[0]) - scale.zero_point() as f32) * scale.scale();
            assert_eq!(int8, in_sequences[at], "step {at}");
            squares += (int8 - expected).powi(2);
            range = (range.0.min(*expected), range.1.max(*expected));
        }
        let rms = (squares / whole.len() as f32).sqrt();
        assert!(rms < 0.05 * (range.1 - range.0), "int8 is {rms} away in a range of {range:?}");
    }
}

/// What a blob says about its sequences is hostile input as everything in it.
#[test]
fn numbers_of_steps_that_are_none_are_refused() {
    let network = network(vec![Layer::Flatten, Layer::dense(1)]);
    let (params, frames) = (params(&network), frames(8, [12, 16]));
    let float = FloatGraph::of(&network, &params, 1).unwrap();
    let samples = crate::data::Augmented::new(&frames, crate::data::Augment::NONE);
    let inputs = observe::Recorded(&samples, &[0, 1, 2]);
    let mut int8 = quantize_graph(&float, Some(&inputs), Observer::MinMax).unwrap();
    for (steps, outputs) in [("1", Some(8)), ("4", Some(8)), ("3", None), ("4294967295", None)] {
        int8.metadata = vec![("network.steps".into(), steps.into())];
        let blob = assemble(&mut int8).unwrap();
        let found = Int8Predictor::new(&blob).unwrap().predict(&frames.pixels);
        assert_eq!(found.ok().map(|found| found.len()), outputs, "{steps}");
    }
    for steps in ["0", "-1", "", "four", "4294967296"] {
        int8.metadata = vec![("network.steps".into(), steps.into())];
        let error = Int8Predictor::new(&assemble(&mut int8).unwrap()).err().unwrap();
        assert!(error.kind == crate::ErrorKind::BadBlob && error.message.contains("network.steps"), "{error}");
    }
}

/// Attention has two dense layers: each can be in int8 alone.
#[test]
fn layers_of_attention_are_told_apart() {
    let network = Network::of_numbers("n", [4, 6], vec![Layer::Attention { heads: 2 }, Layer::dense(2)]);
    let mut float = float_graph(&network, &params(&network), 2);
    let program = Program::new(&float).unwrap();
    let dense: Vec<usize> =
        (0..program.steps.len()).filter(|at| program.steps[*at].kind.weighted().is_some()).collect();
    let names: Vec<&str> = dense.iter().map(|at| program.steps[*at].name.as_str()).collect();
    assert_eq!(names, ["attention1.in_proj", "attention1.out_proj", "fc1"]);
    let seen = observe_by(&float, &program, &Rising, Observer::MinMax).unwrap();
    let (sources, rows) = sources::sources(&float, &program, Some(&seen)).unwrap();
    let data = vec![0.0; 2 * rows];
    float.params.insert(Param { name: FACTORS.into(), shape: [rows, 2].into(), data, trainable: true }).unwrap();
    for alone in &dense {
        let fake =
            FakeQuantized::new(&float, &program, (&sources, rows), Purpose::Simulate, &|step| step == *alone).unwrap();
        let rounded = fake.graph.nodes().iter().filter(|node| matches!(node.op, Op::RoundWeights(_)));
        assert_eq!(rounded.count(), 1);
    }
}
