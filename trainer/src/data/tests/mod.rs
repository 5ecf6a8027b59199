//! Readers on folders that the tests write, with pictures that they encode.

mod augment;
mod errors;
mod images;
mod jpeg;
mod labelled;
mod numbers;
mod readers;
mod shared;
mod streamed;

pub use jpeg::jpeg;

use std::fs;
use std::path::Path;

use super::{LoadOptions, Loaded, Watch, load};
use crate::Result;

/// A PNG of the given colour type from its samples.
pub fn png(height: u32, width: u32, color: png::ColorType, samples: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(color);
    encoder.write_header().unwrap().write_image_data(samples).unwrap();
    out
}

pub fn put(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Frames of 4 x 6 with options changed by `change`.
pub fn load_with(folder: &Path, change: impl Fn(&mut LoadOptions)) -> Result<Loaded> {
    let mut options = LoadOptions::new(4, 6);
    change(&mut options);
    load(folder, &options, Watch::none())
}

/// The grey of every frame, after checking that all of its pixels are within 1 of it.
pub fn greys(loaded: &Loaded) -> Vec<u8> {
    let grey = |index| {
        let frame = loaded.frames.frame(index);
        assert!(frame.iter().all(|&byte| byte.abs_diff(frame[0]) <= 1), "not flat: {frame:?}");
        frame[0]
    };
    (0..loaded.frames.len()).map(grey).collect()
}

/// A packed split: frame `i` has label `labels[i]` and greys 10 i + 50 (centre), + 1 (left), + 2 (right).
pub fn packed(folder: &Path, split: &str, labels: &[&str]) {
    let mut table = String::from("frame,steering,steering_smooth");
    let mut streams = [Vec::new(), Vec::new(), Vec::new()];
    for camera in ["center", "left", "right"] {
        table += &format!(",{camera}_offset,{camera}_len");
    }
    for (index, label) in labels.iter().enumerate() {
        table += &format!("\n{index},0.5,{label}");
        for (camera, stream) in streams.iter_mut().enumerate() {
            let image = jpeg(8, 12, (50 + 10 * index + camera) as u8);
            table += &format!(",{},{}", stream.len(), image.len());
            stream.extend(image);
        }
    }
    put(folder, &format!("{split}.csv"), table);
    for (camera, stream) in ["center", "left", "right"].iter().zip(&streams) {
        put(folder, &format!("{split}-{camera}.mjpeg"), stream);
    }
}
