//! Recordings and networks to run the command on.

use super::jpeg::jpeg;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;

/// Rows and columns of the pictures: smaller than the network's input, quick to decode.
const SIZE: (u16, u16) = (16, 48);

pub fn png(height: u32, width: u32, rgb: [u8; 3]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let samples = rgb.repeat((height * width) as usize);
    encoder.write_header().unwrap().write_image_data(&samples).unwrap();
    out
}

pub fn put(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// The steering of frame `index` of `count`; its picture is as bright as it steers right.
fn steering(index: usize, count: usize) -> f32 {
    (160 * index / count) as f32 / 100.0 - 0.8
}

fn grey(index: usize, count: usize) -> u8 {
    (20 + 200 * index / count) as u8
}

/// `frames.csv` with pictures.
pub fn plain(folder: &Path, count: usize) {
    let mut table = String::from("path,angle\n");
    for index in 0..count {
        let grey = grey(index, count);
        put(folder, &format!("{index}.png"), png(SIZE.0.into(), SIZE.1.into(), [grey, grey, 255 - grey]));
        table += &format!("{index}.png,{:.2}\n", steering(index, count));
    }
    put(folder, "frames.csv", table);
}

/// A packed split of one camera.
pub fn packed(folder: &Path, split: &str, count: usize) {
    let mut table = String::from("frame,steering,steering_smooth,center_offset,center_len\n");
    let mut stream = Vec::new();
    for index in 0..count {
        let image = jpeg(SIZE.0, SIZE.1, grey(index, count));
        table += &format!("{index},0,{},{},{}\n", steering(index, count), stream.len(), image.len());
        stream.extend(image);
    }
    put(folder, &format!("{split}.csv"), table);
    put(folder, &format!("{split}-center.mjpeg"), stream);
}

/// The Udacity simulator's layout with three cameras; paths as recorded on another machine.
pub fn udacity(folder: &Path, count: usize) {
    let mut table = String::from("center,left,right,steering,throttle,brake,speed\n");
    for index in 0..count {
        let mut cells = Vec::new();
        for camera in ["center", "left", "right"] {
            let name = format!("{camera}_{index}.jpg");
            put(folder, &format!("IMG/{name}"), jpeg(SIZE.0, SIZE.1, grey(index, count)));
            cells.push(format!("C:\\drives\\IMG\\{name}"));
        }
        table += &format!("{},{},0.5,0,12\n", cells.join(","), steering(index, count));
    }
    put(folder, "driving_log.csv", table);
}

/// An IDX file of bytes.
pub fn idx(shape: &[usize], bytes: &[u8]) -> Vec<u8> {
    let lengths = shape.iter().flat_map(|length| (*length as u32).to_be_bytes());
    [0, 0, 8, shape.len() as u8].into_iter().chain(lengths).chain(bytes.iter().copied()).collect()
}

/// MNIST's layout: square pictures of two classes, bright at the top or at the bottom.
pub fn digits(folder: &Path, split: &str, count: usize, side: usize) {
    let size = side * side;
    let bright = |sample: usize, at: usize| (at < size / 2) == sample.is_multiple_of(2);
    let pixel = |sample: usize, at: usize| if bright(sample, at) { 200 + (sample % 5) as u8 } else { 30 };
    let pixels: Vec<u8> = (0..count).flat_map(|sample| (0..size).map(move |at| pixel(sample, at))).collect();
    let labels: Vec<u8> = (0..count).map(|sample| (sample % 2) as u8).collect();
    put(folder, &format!("{split}-images-idx3-ubyte"), idx(&[count, side, side], &pixels));
    put(folder, &format!("{split}-labels-idx1-ubyte"), idx(&[count], &labels));
}

/// A network of pictures with one convolution.
pub fn small(folder: &Path) {
    let layers = r#"[{"conv2d":{"filters":4,"kernel":[3,3],"stride":[1,1],"padding":{"top":0,"bottom":0,"left":0,"right":0}}},
        "relu","flatten",{"dense":{"outputs":10}}]"#;
    put(folder, "small.json", format!(r#"{{"name":"small","input":[28,28,1],"layers":{layers}}}"#));
}

/// A `.npy` file of version 1.0.
pub fn npy(descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    while !(header.len() + 11).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((header.len() as u16).to_le_bytes());
    out.extend(header.bytes());
    out.extend(bytes);
    out
}

/// A folder with a recording `d`, a run `r` trained on it and its blob `m.ackm`, made once for all tests; copies are
/// theirs to spoil.
pub fn workshop() -> TempDir {
    static MADE: OnceLock<TempDir> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        plain(&folder.path().join("d"), 40);
        super::ackermann(folder.path(), "train --data d --out r --epochs 1 --batch 8").ok();
        super::ackermann(folder.path(), "quantize r --calibrate d --out m.ackm").ok();
        folder
    });
    let copy = tempfile::tempdir().unwrap();
    copy_folder(made.path(), copy.path());
    copy
}

pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target: PathBuf = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
