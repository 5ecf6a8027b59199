//! Readers on folders that the tests write, with pictures that they encode.

mod augment;
mod errors;
mod images;
mod numbers;
mod readers;
mod shared;

use std::fs;
use std::path::Path;

use super::{LoadOptions, Loaded, Watch, load};
use crate::Result;

/// A flat grey baseline JPEG, three components, 4:4:4: one DC difference per component at the first block, zeros after.
/// Quantization is 1, so the DC coefficient is 8 * (grey - 128).
pub fn jpeg(height: u16, width: u16, grey: u8) -> Vec<u8> {
    let mut out = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
    out.extend([1; 64]);
    let ([h1, h0], [w1, w0]) = (height.to_be_bytes(), width.to_be_bytes());
    out.extend([0xff, 0xc0, 0, 17, 8, h1, h0, w1, w0, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]);
    // DC: categories 0 to 11, four bits each. AC: end of block alone, one bit.
    out.extend([0xff, 0xc4, 0, 31, 0x00, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    out.extend(0..12);
    out.extend([0xff, 0xc4, 0, 20, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    out.extend([0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0]);
    let dc = 8 * (i32::from(grey) - 128);
    let category = 32 - dc.unsigned_abs().leading_zeros();
    let value = if dc < 0 { dc - 1 + (1 << category) } else { dc };
    let mut bits: Vec<bool> = Vec::new();
    let mut put = |value: i32, count: u32| bits.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
    for block in 0..height.div_ceil(8) * width.div_ceil(8) * 3 {
        match block {
            0 => (put(category as i32, 4), put(value, category)),
            _ => (put(0, 4), ()),
        };
        put(0, 1);
    }
    bits.resize(bits.len().next_multiple_of(8), true);
    for byte in bits.chunks(8).map(|eight| eight.iter().fold(0u8, |byte, &bit| byte << 1 | u8::from(bit))) {
        out.push(byte);
        if byte == 0xff {
            out.push(0);
        }
    }
    out.extend([0xff, 0xd9]);
    out
}

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
