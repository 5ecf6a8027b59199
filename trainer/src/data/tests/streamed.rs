//! Pictures that stay files until a batch asks for them.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{jpeg, load_with, packed, put};
use crate::data::{Changes, Dataset, Format, LoadOptions, ReadOptions, Samples, Watch, read, stream};
use crate::nn::{Layer, Network};
use crate::train::{Loss, TrainConfig, fit};
use crate::{ErrorKind, Result};

/// Every sample as recorded and changed, one after another.
fn written(dataset: &Dataset) -> Vec<f32> {
    let shape = dataset.input_shape();
    let samples = dataset.samples(&shape, Changes::default()).unwrap();
    let mut all = Vec::new();
    for index in 0..dataset.len() {
        let (mut input, mut target) = (vec![f32::NAN; shape.iter().product()], vec![f32::NAN; 1]);
        samples.write(index, None, &mut input, &mut target);
        all.extend(input.iter().chain(&target));
        samples.write(index, Some(&mut ChaCha8Rng::seed_from_u64(index as u64)), &mut input, &mut target);
        all.extend(input.iter().chain(&target));
    }
    assert!(samples.failure().is_none());
    all
}

fn pictures(folder: &Path, stream: bool) -> Result<Dataset> {
    let options = ReadOptions { split: Some("train".into()), picture: [4, 6, 3], stream, ..ReadOptions::default() };
    read(folder, Format::PictureFolders, &options, Watch::none())
}

fn put_pictures(folder: &Path) {
    for index in 0..12 {
        put(folder, &format!("train/{}/{index}.jpg", ["dark", "light"][index / 6]), jpeg(8, 12, 20 + 18 * index as u8));
    }
}

#[test]
fn streamed_samples_are_those_held_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    packed(folder.path(), "train", &["0.1", "-0.2", "0.3"]);
    let choose = |options: &mut LoadOptions| {
        options.split = Some("train".into());
        options.side_correction = Some(0.25);
    };
    let held = Dataset::of_frames(load_with(folder.path(), choose).unwrap().frames);
    let mut options = LoadOptions::new(4, 6);
    choose(&mut options);
    let (frames, labels) = stream(folder.path(), &options).unwrap();
    assert_eq!(written(&Dataset::of_streamed(frames, labels)), written(&held));

    let folder = tempfile::tempdir().unwrap();
    put_pictures(folder.path());
    let [held, streamed] = [false, true].map(|stream| pictures(folder.path(), stream).unwrap());
    assert_eq!(written(&streamed), written(&held));
}

#[test]
fn a_picture_that_breaks_stops_the_run_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (data, runs) = (folder.path().join("data"), folder.path());
    put_pictures(&data);
    let network = Network::of_pixels("flat", [4, 6, 3], vec![Layer::Flatten, Layer::dense(2)]);
    let loss = Loss::CrossEntropy { smoothing: 0.0 };
    let config = TrainConfig { epochs: 3, batch: 2, loss, ..TrainConfig::default() };
    let train = |dataset: &Dataset, run: &str, resume: bool| {
        let samples = dataset.samples(&network.input, Changes::default()).unwrap();
        let never = AtomicBool::new(false);
        fit(&network, &config, &samples, &samples, &runs.join(run), &mut (), &never, resume)
    };
    train(&pictures(&data, true).unwrap(), "whole", false).unwrap();
    let streamed = pictures(&data, true).unwrap();
    let (broken, whole) = ("train/light/9.jpg", jpeg(8, 12, 20 + 18 * 9));
    put(&data, broken, &whole[..60]);
    let error = train(&streamed, "stopped", false).unwrap_err();
    assert_eq!(error.kind, ErrorKind::BadImage, "{error}");
    for word in ["9.jpg", "the run so far is kept", "stopped"] {
        assert!(error.to_string().contains(word), "`{word}` is not in: {error}");
    }
    put(&data, broken, whole);
    train(&pictures(&data, true).unwrap(), "stopped", true).unwrap();
    let [left, right] = ["whole", "stopped"].map(|run| std::fs::read(runs.join(run).join("last.safetensors")).unwrap());
    assert!(left == right, "a resumed run differs from one that was never stopped");
    put(&data, "train/dark/0.jpg", "no picture");
    assert_eq!(pictures(&data, true).unwrap_err().kind, ErrorKind::BadImage);
}
