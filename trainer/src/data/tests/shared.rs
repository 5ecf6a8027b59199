//! Over the shared recordings, where they are present.

use std::path::{Path, PathBuf};

use crate::data::metrics::baseline;
use crate::data::{Changes, Dataset, Format, LoadOptions, ReadOptions, Samples, Target, Watch, load, read};

fn folder(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(name);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: {} not found", path.display());
    None
}

fn labels(name: &str, split: &str) -> Option<Vec<f32>> {
    let options = LoadOptions::new(8, 24).split(split);
    Some(load(&folder(name)?, &options, Watch::none()).unwrap().frames.labels)
}

#[test]
fn counts_and_baselines_are_as_documented() {
    let known = [
        ("driving-udacity", 2709, 337, 0.035),
        ("driving-mountain", 1762, 336, 0.123),
        ("driving-rc-real", 3272, 627, 0.189),
    ];
    for (name, train_len, val_len, trivial_mae) in known {
        let (Some(train), Some(val)) = (labels(name, "train"), labels(name, "val")) else { continue };
        assert_eq!((train.len(), val.len()), (train_len, val_len), "{name}");
        let mae = baseline(&train, &val).unwrap().mae;
        assert!((mae - trivial_mae).abs() < 0.001, "{name}: {mae}");
    }
}

#[test]
fn the_raw_log_agrees_with_the_packed_frames() {
    let Some(path) = folder("driving-udacity") else { return };
    let mut options = LoadOptions::new(66, 200);
    options.side_correction = Some(0.04);
    options.window = Some("60..134".parse().unwrap());
    let raw = load(&path.join("raw-sample"), &options, Watch::none()).unwrap();
    assert_eq!((raw.format, raw.frames.len()), (Format::Udacity, 3 * 48));
    options.window = None;
    options.split = Some("train".into());
    let packed = load(&path, &options, Watch::none()).unwrap().frames;
    // The packed pictures are the same crop, made with another filter and coded again: near, for the right frame.
    let distance = |index: usize| -> f64 {
        let pairs = raw.frames.frame(0).iter().zip(packed.frame(index));
        pairs.map(|(&a, &b)| f64::from(a.abs_diff(b))).sum::<f64>() / raw.frames.frame(0).len() as f64
    };
    let nearest = (0..packed.len()).step_by(3).map(distance).fold(f64::INFINITY, f64::min);
    assert!(nearest < 4.0, "{nearest}");
}

fn dataset(name: &str, split: Option<&str>, expected: Format) -> Option<Dataset> {
    let path = folder(name)?;
    let format = Format::detect(&path).unwrap();
    assert_eq!(format, expected, "{name}");
    let options = ReadOptions { split: split.map(String::from), ..ReadOptions::default() };
    Some(read(&path, format, &options, Watch::none()).unwrap())
}

#[test]
fn digits_speech_and_sentences_are_as_documented() {
    let known = [
        ("mnist", Format::Idx, 9000, 1000, 10, vec![28, 28, 1]),
        ("speech-digits", Format::PackedSounds, 2400, 300, 10, vec![48, 32]),
        ("sentiment", Format::Texts, 6920, 872, 2, vec![51]),
    ];
    for (name, format, train_len, val_len, classes, shape) in known {
        let (Some(train), Some(val)) = (dataset(name, Some("train"), format), dataset(name, Some("val"), format))
        else {
            continue;
        };
        assert_eq!((train.len(), val.len(), train.target), (train_len, val_len, Target::Class(classes)), "{name}");
        assert_eq!(train.input_shape(), shape, "{name}");
        let first = train.targets.iter().filter(|&&target| target == 0.0).count();
        assert!(first * classes > train_len / 2, "{name}: {first} of the first class");
    }
}

#[test]
fn wav_files_sound_as_the_packed_recordings() {
    let Some(wav) = dataset("speech-digits/wav-sample", None, Format::Wav) else { return };
    let Some(packed) = dataset("speech-digits", Some("train"), Format::PackedSounds) else { return };
    let spectrogram = |data: &Dataset, index: usize| {
        let (mut input, mut target) = (vec![0.0; 48 * 32], [0.0]);
        data.samples(&[48, 32], Changes::NONE).unwrap().write(index, None, &mut input, &mut target);
        let name = data.encoding.classes.names()[target[0] as usize].clone();
        (input, name)
    };
    // A few are enough, and each is looked for among those of its digit.
    for index in 0..wav.len().min(4) {
        let (sound, digit) = spectrogram(&wav, index);
        let class = packed.encoding.classes.number(&digit, &"wav").unwrap() as f32;
        let mut same_digit = (0..packed.len()).filter(|&other| packed.targets[other] == class);
        assert!(same_digit.any(|other| spectrogram(&packed, other).0 == sound), "recording {index}, a {digit}");
    }
}
