use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::data::{Samples, Target};
use crate::graph::{Executor, Graph, Params};
use crate::nn::{Layer, Network};
use crate::optim::{Method, Schedule};
use crate::{ErrorKind, Result};

/// Images whose bright column is the target, with a little noise when augmented.
struct Columns {
    len: usize,
    /// The target is the number of the column instead of its place.
    classes: bool,
    /// Sample whose target is not a number.
    poisoned: Option<usize>,
}

impl Columns {
    fn new(len: usize) -> Self {
        Self { len, classes: false, poisoned: None }
    }
}

impl Samples for Columns {
    fn len(&self) -> usize {
        self.len
    }

    fn input_shape(&self) -> &[usize] {
        &[8, 12, 3]
    }

    fn target(&self) -> Target {
        if self.classes { Target::Class(12) } else { Target::Numbers(1) }
    }

    fn write(&self, index: usize, augment: Option<&mut ChaCha8Rng>, input: &mut [f32], target: &mut [f32]) {
        let column = index * 7 % 12;
        let noise = augment.map_or(0.0, |rng| rng.random_range(-0.1..0.1));
        for (at, value) in input.iter_mut().enumerate() {
            *value = if at / 3 % 12 == column { 1.0 } else { -0.5 } + noise;
        }
        target[0] = match self.classes {
            _ if self.poisoned == Some(index) => f32::NAN,
            true => column as f32,
            false => column as f32 / 5.5 - 1.0,
        };
    }
}

fn network() -> Network {
    let layers = vec![
        Layer::conv2d(4, 3, 1).padded(1),
        Layer::BatchNorm,
        Layer::Relu,
        Layer::max_pool(2),
        Layer::conv2d(6, 3, 1),
        Layer::Elu,
        Layer::Flatten,
        Layer::Dropout { rate: 0.1 },
        Layer::dense(16),
        Layer::Relu,
        Layer::dense(1),
    ];
    Network::of_pixels("small", [8, 12, 3], layers)
}

fn config(epochs: usize) -> TrainConfig {
    TrainConfig { epochs, batch: 8, lr: 0.01, clip_norm: Some(5.0), seed: 11, ..TrainConfig::default() }
}

fn run(dir: &Path, epochs: usize, resume: bool) -> Result<Summary> {
    run_with(&config(epochs), dir, resume)
}

fn run_with(config: &TrainConfig, dir: &Path, resume: bool) -> Result<Summary> {
    let (train, val, stop) = (Columns::new(60), Columns::new(12), AtomicBool::new(false));
    fit(&network(), config, &train, &val, dir, &mut (), &stop, resume)
}

/// Runs until `steps` steps are made.
fn run_some(config: &TrainConfig, dir: &Path, resume: bool, steps: usize) -> Summary {
    let (train, val, stop) = (Columns::new(60), Columns::new(12), AtomicBool::new(false));
    let mut observer = StopAfter { steps, flag: &stop };
    fit(&network(), config, &train, &val, dir, &mut observer, &stop, resume).unwrap()
}

/// Raises the stop flag after a number of steps.
struct StopAfter<'a> {
    steps: usize,
    flag: &'a AtomicBool,
}

impl Observer for StopAfter<'_> {
    fn step(&mut self, _report: &StepReport) {
        self.steps -= 1;
        self.flag.store(self.steps == 0, Ordering::Relaxed);
    }
}

fn bytes(dir: &Path, name: &str) -> Vec<u8> {
    fs::read(dir.join(name)).unwrap()
}

#[test]
fn learns_and_predicts_what_it_learned() {
    let dir = tempfile::tempdir().unwrap();
    let summary = run(dir.path(), 30, false).unwrap();
    let last = summary.history.last().unwrap();
    assert_eq!(summary.history.len(), 30);
    assert!(last.val_mae.unwrap() < 0.1, "{last:?}");

    let mut predictor = Predictor::load(dir.path()).unwrap();
    let metrics = evaluate(&mut predictor, &Columns::new(12), Loss::Mse).unwrap().unwrap();
    assert_eq!(Some(metrics.loss), summary.history[summary.best_epoch - 1].val_loss);
}

#[test]
fn learns_classes() {
    let dir = tempfile::tempdir().unwrap();
    let columns = |len| Columns { classes: true, ..Columns::new(len) };
    let config = TrainConfig { loss: Loss::CrossEntropy { smoothing: 0.1 }, ..config(20) };
    let mut network = network();
    *network.layers.last_mut().unwrap() = Layer::dense(12);
    let fit_on = |network: &Network, loss: Loss, train: &Columns| {
        let (config, stop) = (TrainConfig { loss, ..config.clone() }, AtomicBool::new(false));
        fit(network, &config, train, &columns(12), dir.path(), &mut (), &stop, false)
    };
    let summary = fit_on(&network, config.loss, &columns(60)).unwrap();
    let last = summary.history.last().unwrap();
    assert!(last.val_mae.is_none() && last.val_accuracy.unwrap() > 0.9, "{last:?}");
    assert_eq!(history::read(&dir.path().join("history.csv"), 20).unwrap(), summary.history);
    let refused = |network: &Network, loss, train: &Columns, words: &str| {
        let error = fit_on(network, loss, train).unwrap_err();
        assert!(error.kind == ErrorKind::Shape && error.to_string().contains(words), "{error}");
    };
    refused(&network, Loss::Mse, &columns(60), "use cross-entropy");
    refused(&network, config.loss, &Columns::new(60), "use mse");
    *network.layers.last_mut().unwrap() = Layer::dense(3);
    refused(&network, config.loss, &columns(60), "12 classes, the network 3 outputs");
}

/// A loss in the graph is the mean of the losses that [`Loss::of`] gives.
#[test]
fn losses_of_batches_are_means_of_losses_of_samples() {
    let smoothing = |smoothing| Loss::CrossEntropy { smoothing };
    for loss in
        [Loss::Mse, Loss::Mae, Loss::Huber { delta: 0.5 }, Loss::BinaryCrossEntropy, smoothing(0.0), smoothing(0.2)]
    {
        let (samples, outputs) = (5, 4);
        let predicted: Vec<f32> = (0..samples * outputs).map(|i| ((i * 37 % 23) as f32 - 11.0) / 4.0).collect();
        let classes = matches!(loss, Loss::CrossEntropy { .. });
        let target: Vec<f32> = if classes {
            (0..samples).map(|i| (i * 3 % outputs) as f32).collect()
        } else {
            (0..samples * outputs).map(|i| ((i * 5 % 7) as f32) / 6.0).collect()
        };
        let mut graph = Graph::new();
        let x = graph.input("x", [samples, outputs]);
        let shape = loss.target_shape(graph.shape(x));
        let t = graph.input("t", shape);
        let node = loss.append(&mut graph, x, t).unwrap();
        let mut executor = Executor::<f64>::new(&graph, &[node]);
        let widen = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
        executor.input_mut(x).copy_from_slice(&widen(&predicted));
        executor.input_mut(t).copy_from_slice(&widen(&target));
        executor.run(&Params::new()).unwrap();
        let rows = predicted.chunks(outputs).zip(target.chunks(target.len() / samples));
        let mean = rows.map(|(p, t)| loss.of(p, t)).sum::<f64>() / samples as f64;
        assert!((executor.value(node)[0] - mean).abs() < 1e-6, "{loss:?}: {} {mean}", executor.value(node)[0]);
    }
}

#[test]
fn frames_are_predicted_alone_and_in_batches() {
    let network = network();
    let mut predictor = Predictor::new(network.clone(), network.init(1).unwrap()).unwrap();
    let frames: Vec<u8> = (0..40 * 8 * 12 * 3).map(|i| (i * 31 % 251) as u8).collect();
    let together = predictor.predict(&frames).unwrap();
    assert_eq!(together.len(), 40);
    for (frame, expected) in frames.chunks(8 * 12 * 3).zip(&together) {
        let alone = predictor.predict(frame).unwrap()[0];
        assert!((alone - expected).abs() < 1e-5, "{alone} {expected}");
    }
    assert_eq!(predictor.predict(&frames[1..]).unwrap_err().kind, ErrorKind::Shape);
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let files = [1, 2, 3].map(|threads| {
        let dir = tempfile::tempdir().unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(dir.path(), 2, false)).unwrap();
        (bytes(dir.path(), "last.safetensors"), bytes(dir.path(), "best.safetensors"))
    });
    assert!(files[0] == files[1] && files[0] == files[2]);
}

/// Every rule, schedule and option that has a state or depends on the step.
fn all_settings(epochs: usize) -> Vec<TrainConfig> {
    let plain = TrainConfig { schedule: Schedule::Constant, warmup: 0.0, ..config(epochs) };
    let graves = Method::RmsProp { alpha: 0.9, epsilon: 1e-4, momentum: 0.5, centered: true };
    let nesterov = Method::Sgd { momentum: 0.9, nesterov: true };
    let drops = Schedule::Step { every: 1, factor: 0.5 };
    vec![
        config(epochs),
        TrainConfig { ema: Some(0.99), ..config(epochs) },
        TrainConfig { method: Method::sgd(0.0), ..plain.clone() },
        TrainConfig { method: nesterov, weight_decay: 1e-3, schedule: drops, warmup: 1.5, ..plain.clone() },
        TrainConfig { method: graves, lr: 1e-3, clip_value: Some(0.1), ..plain.clone() },
        TrainConfig { method: Method::rms_prop(), lr: 1e-3, ema: Some(0.9), ..plain.clone() },
        TrainConfig { method: Method::adam_w(), weight_decay: 0.1, schedule: Schedule::one_cycle(), ..plain },
    ]
}

#[test]
fn a_resumed_run_equals_an_uninterrupted_one() {
    let losses = |dir: &Path| -> Vec<(f64, Option<f64>, f64)> {
        let rows = history::read(&dir.join("history.csv"), 3).unwrap();
        rows.iter().map(|r| (r.train_loss, r.val_loss, r.lr)).collect()
    };
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for config in all_settings(3) {
        let whole = tempfile::tempdir().unwrap();
        run_with(&config, whole.path(), false).unwrap();
        // 7 steps an epoch, with batch norm, dropout and augmentation: stopped twice, the second time anywhere after the first.
        let first = rng.random_range(1..20);
        for (first, second) in [(first, rng.random_range(1..=20 - first)), (7, 7)] {
            let dir = tempfile::tempdir().unwrap();
            assert!(run_some(&config, dir.path(), false, first).interrupted);
            run_some(&config, dir.path(), true, second);
            assert!(!run_with(&config, dir.path(), true).unwrap().interrupted);
            for name in ["last.safetensors", "best.safetensors", "config.json"] {
                let same = bytes(dir.path(), name) == bytes(whole.path(), name);
                assert!(same, "{name} after {first} and {second} steps of {config:?}");
            }
            assert_eq!(losses(dir.path()), losses(whole.path()));
        }
    }
}

#[test]
fn settings_are_read_bit_for_bit() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for _ in 0..2000 {
        let lr = 10f64.powf(rng.random_range(-30.0..3.0)) * rng.random_range(0.5..2.0);
        let config = TrainConfig { lr, warmup: rng.random(), ema: Some(rng.random()), ..config(1) };
        let read: TrainConfig = serde_json::from_str(&serde_json::to_string(&config).unwrap()).unwrap();
        assert_eq!(read, config);
    }
}

#[test]
fn the_average_is_what_is_validated_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let config = TrainConfig { ema: Some(0.99), ..config(3) };
    let summary = run_with(&config, dir.path(), false).unwrap();
    let mut predictor = Predictor::load(dir.path()).unwrap();
    let metrics = evaluate(&mut predictor, &Columns::new(12), Loss::Mse).unwrap().unwrap();
    assert_eq!(Some(metrics.loss), summary.history[summary.best_epoch - 1].val_loss);
    assert_eq!(summary.best_epoch, 3, "the average of this descent gets better with every epoch");
    let last = load_params(&dir.path().join("last.safetensors"), &network()).unwrap();
    assert!(last != *predictor.params());
}

#[test]
fn a_checkpoint_without_the_state_asked_for_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), 1, false).unwrap();
    let other = TrainConfig { ema: Some(0.9), ..config(1) };
    let error = run_with(&other, dir.path(), true).unwrap_err();
    assert!(error.to_string().contains("last.safetensors") && error.to_string().contains("ema."), "{error}");
    let error = run_with(&TrainConfig { method: Method::rms_prop(), ..config(1) }, dir.path(), true).unwrap_err();
    assert!(error.to_string().contains("optimizer.square."), "{error}");
}

#[test]
fn a_loss_that_is_not_a_number_is_one_clear_error() {
    let dir = tempfile::tempdir().unwrap();
    run_some(&config(3), dir.path(), false, 8);
    let kept = bytes(dir.path(), "last.safetensors");
    let train = Columns { poisoned: Some(5), ..Columns::new(60) };
    let stop = AtomicBool::new(false);
    let again = |resume| fit(&network(), &config(3), &train, &Columns::new(0), dir.path(), &mut (), &stop, resume);
    let error = again(true).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFinite);
    assert!(error.place.starts_with("epoch 2, step "), "{error}");
    assert!(bytes(dir.path(), "last.safetensors") == kept, "{error}");
    // A new run in its place does not leave a checkpoint of the old one under its own settings.
    assert_eq!(again(false).unwrap_err().kind, ErrorKind::NotFinite);
    assert!(!dir.path().join("last.safetensors").exists());
}

#[test]
fn weights_that_are_no_longer_numbers_are_not_saved() {
    let dir = tempfile::tempdir().unwrap();
    let (train, stop) = (Columns::new(60), AtomicBool::new(false));
    // One step an epoch: its loss is finite, its weights are not, and no validation would tell.
    let config = TrainConfig { batch: 60, lr: 1e41, warmup: 0.0, method: Method::sgd(0.0), ..config(1) };
    let error = fit(&network(), &config, &train, &Columns::new(0), dir.path(), &mut (), &stop, false).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFinite);
    assert!(error.to_string().contains("weight` became infinite or NaN"), "{error}");
    assert!(!dir.path().join("last.safetensors").exists() && !dir.path().join("best.safetensors").exists());
}

#[test]
fn a_damaged_history_names_its_row() {
    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), 3, false).unwrap();
    let path = dir.path().join("history.csv");
    let whole = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let cut = &lines[3][..5];
    for (rows, line) in [
        (vec![], 2),
        (vec![lines[0]], 2),
        (lines[..3].to_vec(), 4),
        (vec![lines[0], lines[1], lines[3]], 3),
        (vec![lines[0], lines[2], lines[1], lines[3]], 2),
        (vec![lines[0], lines[1], lines[2], cut], 4),
    ] {
        fs::write(&path, rows.join("\n")).unwrap();
        let error = run(dir.path(), 3, true).unwrap_err();
        assert_eq!(error.kind, ErrorKind::BadRow);
        assert!(error.place.ends_with(&format!("history.csv:{line}")), "{error}");
    }
    // A run that was killed behind its history has a row too many.
    fs::write(&path, whole.clone() + lines[3] + "\n").unwrap();
    assert_eq!(run(dir.path(), 3, true).unwrap().history.len(), 3);
    fs::remove_file(&path).unwrap();
    assert_eq!(run(dir.path(), 3, true).unwrap_err().kind, ErrorKind::MissingFile);
}

#[test]
fn a_run_goes_on_as_it_began_only() {
    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), 1, false).unwrap();
    let last = dir.path().join("last.safetensors");
    let own = fs::read_to_string(dir.path().join("config.json")).unwrap();
    let edited: RunConfig = serde_json::from_str(&own.replace("\"lr\": 0.01", "\"lr\": 0.02")).unwrap();
    fs::write(dir.path().join("config.json"), edited.text(dir.path()).unwrap()).unwrap();
    let error = run_with(&edited.train, dir.path(), true).unwrap_err();
    assert!(error.kind == ErrorKind::Usage && error.message.contains("config.json was changed"), "{error}");
    // A checkpoint of before there were digests: nothing to compare with.
    let old = without_digests(&fs::read(&last).unwrap());
    fs::write(&last, old).unwrap();
    run_with(&edited.train, dir.path(), true).unwrap();
    // What is trained in int8 afterwards may change.
    run(dir.path(), 1, false).unwrap();
    run_with(&TrainConfig { qat: Some(3), ..config(1) }, dir.path(), true).unwrap();
    assert_eq!(read_config(dir.path()).unwrap().train.qat, Some(3));
}

/// A checkpoint with spaces where its digests are.
fn without_digests(checkpoint: &[u8]) -> Vec<u8> {
    let at = |text: &[u8]| checkpoint.windows(text.len()).position(|window| window == text).unwrap();
    let (from, key) = (at(br#",\"data\":"#), at(br#",\"config\":"#));
    let to = key + checkpoint[key..].iter().position(|&byte| byte == b'}').unwrap();
    let mut old = checkpoint.to_vec();
    old[from..to].fill(b' ');
    old
}

#[test]
fn every_session_leaves_its_events() {
    let count = |dir: &Path| {
        let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("events.out.tfevents.")).count()
    };
    let dir = tempfile::tempdir().unwrap();
    run_some(&config(2), dir.path(), false, 3);
    assert_eq!(count(dir.path()), 1);
    run(dir.path(), 2, true).unwrap();
    assert_eq!(count(dir.path()), 2);
    run(dir.path(), 2, true).unwrap();
    assert_eq!(count(dir.path()), 2, "a run that is over writes nothing");
    run(dir.path(), 2, false).unwrap();
    assert_eq!(count(dir.path()), 1, "a new run in its place");
}

#[test]
fn another_network_is_named_by_its_first_difference() {
    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), 1, false).unwrap();
    let mut other = network();
    other.layers[4] = Layer::conv2d(5, 3, 1);
    let error = load_params(&dir.path().join("best.safetensors"), &other).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Shape);
    for part in ["best.safetensors", "conv2.weight", "5x3x3x4", "6x3x3x4"] {
        assert!(error.to_string().contains(part), "{error} lacks {part}");
    }
}

#[test]
fn unusable_settings_data_and_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let stop = AtomicBool::new(false);
    let fit_with = |config: &TrainConfig, samples: &dyn Samples, resume: bool| {
        fit(&network(), config, samples, &Columns::new(0), dir.path(), &mut (), &stop, resume).unwrap_err().kind
    };
    let (zero_rate, no_patience) =
        (TrainConfig { lr: 0.0, ..config(1) }, TrainConfig { patience: Some(0), ..config(1) });
    for wrong in [zero_rate, no_patience, TrainConfig { qat: Some(0), ..config(1) }] {
        assert_eq!(fit_with(&wrong, &Columns::new(60), false), ErrorKind::Usage);
    }
    assert_eq!(fit_with(&config(1), &Columns::new(0), false), ErrorKind::Shape);
    assert_eq!(fit_with(&config(1), &Columns::new(60), true), ErrorKind::MissingFile);
    fs::write(dir.path().join("last.safetensors"), b"not tensors").unwrap();
    assert_eq!(fit_with(&config(1), &Columns::new(60), true), ErrorKind::BadFile);
    run(dir.path(), 1, false).unwrap();
    assert_eq!(run(dir.path(), 2, true).unwrap_err().kind, ErrorKind::Usage);
}

#[test]
fn patience_ends_a_run_that_no_longer_improves() {
    let dir = tempfile::tempdir().unwrap();
    let (train, val, stop) = (Columns::new(60), Columns::new(12), AtomicBool::new(false));
    let config = TrainConfig { patience: Some(1), lr: 1e-12, ..config(50) };
    let summary = fit(&network(), &config, &train, &val, dir.path(), &mut (), &stop, false).unwrap();
    assert!(summary.history.len() < 50 && !summary.interrupted);
}
