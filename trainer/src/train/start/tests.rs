use std::path::Path;
use std::sync::atomic::AtomicBool;

use rand_chacha::ChaCha8Rng;

use super::*;
use crate::data::{Samples, Target};
use crate::nn::{Freeze, Layer};
use crate::train::{TrainConfig, fit, load_params};

/// A dark picture with one bright column, whose place is the target.
struct Columns {
    classes: bool,
}

impl Samples for Columns {
    fn len(&self) -> usize {
        64
    }

    fn input_shape(&self) -> &[usize] {
        &[8, 8, 1]
    }

    fn target(&self) -> Target {
        if self.classes { Target::Class(4) } else { Target::Numbers(1) }
    }

    fn write(&self, index: usize, _augment: Option<&mut ChaCha8Rng>, input: &mut [f32], target: &mut [f32]) {
        let column = index * 5 % 8;
        input.iter_mut().enumerate().for_each(|(at, x)| *x = if at % 8 == column { 1.0 } else { -0.5 });
        target[0] = if self.classes { (column / 2) as f32 } else { column as f32 / 4.0 - 1.0 };
    }
}

fn network() -> Network {
    let convolution = || Layer::conv2d(6, 3, 1).padded(1);
    let layers = vec![
        convolution(),
        Layer::BatchNorm,
        Layer::Relu,
        convolution(),
        Layer::BatchNorm,
        Layer::Relu,
        Layer::max_pool(2),
        Layer::Flatten,
        Layer::dense(1),
    ];
    Network::of_pixels("columns", [8, 8, 1], layers)
}

fn train(network: &Network, config: &TrainConfig, classes: bool, run: &Path) -> Result<crate::train::Summary> {
    let (samples, stop) = (Columns { classes }, AtomicBool::new(false));
    let config = TrainConfig { batch: 16, lr: 0.01, seed: 5, ..config.clone() };
    fit(network, &config, &samples, &samples, run, &mut (), &stop, false)
}

#[test]
fn frozen_bytes_stay_and_the_new_head_learns() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (dir.path().join("first"), dir.path().join("second"));
    let network = network();
    train(&network, &TrainConfig { epochs: 2, ..TrainConfig::default() }, false, &first).unwrap();
    let start = Start { weights: Weights::Run(first.clone()), fresh_head: true };
    let config = TrainConfig {
        epochs: 20,
        start: Some(start),
        freeze: Freeze::new(["conv?", "bn*"]),
        loss: crate::train::Loss::CrossEntropy { smoothing: 0.0 },
        ..TrainConfig::default()
    };
    let other = network.with_outputs(4).unwrap();
    let history = train(&other, &config, true, &second).unwrap().history;
    assert!(history[19].train_loss < 0.3 * history[0].train_loss, "{history:?}");
    let before = load_params(&first.join("best.safetensors"), &network).unwrap();
    let after = load_params(&second.join("last.safetensors"), &other).unwrap();
    for param in before.entries().iter().filter(|param| !param.name.starts_with("fc")) {
        assert!(after.get(&param.name).unwrap().data == param.data, "{}", param.name);
    }
    // A run goes on without what it began with.
    std::fs::remove_dir_all(&first).unwrap();
    let samples = Columns { classes: true };
    let config = TrainConfig { batch: 16, lr: 0.01, seed: 5, ..config };
    fit(&other, &config, &samples, &samples, &second, &mut (), &AtomicBool::new(false), true).unwrap();
}

#[test]
fn what_cannot_begin_a_run_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (dir.path().join("first"), dir.path().join("second"));
    let mut network = network();
    let plain = TrainConfig { epochs: 1, ..TrainConfig::default() };
    train(&network, &plain, false, &first).unwrap();
    let message =
        |network: &Network, config: &TrainConfig| train(network, config, false, &second).unwrap_err().to_string();
    for (patterns, words) in [(&["cnov*"][..], ["cnov*", "no parameter"]), (&["*"], ["--freeze", "nothing"])] {
        let text = message(&network, &TrainConfig { freeze: Freeze::new(patterns.iter().copied()), ..plain.clone() });
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    }
    let start = Some(Start { weights: Weights::Run(first), fresh_head: false });
    let config = TrainConfig { start, ..plain };
    network.layers[3] = Layer::conv2d(7, 3, 1).padded(1);
    let text = message(&network, &config);
    assert!(["conv2.weight", "7x3x3x6", "6x3x3x6"].iter().all(|word| text.contains(word)), "{text}");
    network.layers.insert(0, Layer::dense(1));
    let text = message(&network, &config);
    assert!(text.contains("fc1.weight"), "{text}");
    assert!(Network { layers: vec![Layer::conv2d(1, 3, 1)], ..network }.with_outputs(3).is_err());
}
