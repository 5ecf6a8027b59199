//! Over the shared recordings, where they are present.

use std::path::{Path, PathBuf};

use crate::data::metrics::baseline;
use crate::data::{Format, LoadOptions, Watch, load};

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
