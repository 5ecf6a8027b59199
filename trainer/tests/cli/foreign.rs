//! Foreign networks whose tensors are not all int8: imported, then run.

use super::ackermann;
use super::data::{npy, put};
use std::fs;
use std::path::{Path, PathBuf};

/// A network that `tests/` has, under a name with its format's ending.
fn foreign(folder: &Path, from: &str, name: &str) {
    let seeds = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/seeds");
    fs::copy(seeds.join(from), folder.join(name)).unwrap();
}

fn floats(values: impl IntoIterator<Item = f32>) -> Vec<u8> {
    values.into_iter().flat_map(f32::to_le_bytes).collect()
}

fn integers(values: &[i64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[test]
fn indices_go_in_and_come_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    foreign(path, "onnx/float_argmax_2", "pick.onnx");
    // 1 x 3 x 5 x 6 in ONNX, channels last on a board: the largest of a column is in row 4 for all but one.
    let value = |at: usize| if at == 0 { 99.0 } else { (at / 18) as f32 };
    put(path, "x.npy", npy("<f4", "(1, 5, 6, 3)", &floats((0..90).map(value))));
    ackermann(path, "import pick.onnx --calibrate x.npy --out pick.ackm").ok();
    let ran = ackermann(path, "run pick.ackm --input x.npy --output y.npy --json").json();
    assert_eq!((&ran["outputs"][0]["element"], &ran["outputs"][0]["name"]), (&"int32".into(), &"y".into()), "{ran}");
    let y = fs::read(path.join("y.npy")).unwrap();
    assert!(String::from_utf8_lossy(&y[..80]).contains("'<i4'"));
    let picked: Vec<i32> = y[y.len() - 72..].as_chunks::<4>().0.iter().map(|word| i32::from_le_bytes(*word)).collect();
    assert_eq!((picked[0], &picked[1..]), (0, &[4; 17][..]));

    foreign(path, "onnx/float_embedding", "words.onnx");
    put(path, "words.npy", npy("<i8", "(1, 5)", &integers(&[3, 0, 6, 6, 1])));
    ackermann(path, "import words.onnx --calibrate words.npy --out words.ackm").ok();
    put(path, "two.npy", npy("<i8", "(2, 5)", &integers(&[1, 2, 3, 4, 5, 1, 2, 3, 4, 5])));
    let ran = ackermann(path, "run words.ackm --input two.npy --output y.npy --json").json();
    assert_eq!(ran["outputs"][0]["shape"], serde_json::json!([2, 5, 4]));
    let y = fs::read(path.join("y.npy")).unwrap();
    assert_eq!(y[y.len() - 40..y.len() - 20], y[y.len() - 20..]);
    put(path, "real.npy", npy("<f4", "(1, 5)", &floats([0.0; 5])));
    let line = "run words.ackm --input real.npy --output n.npy";
    ackermann(path, line).fails(2, &["real.npy", "float32", "int32 or int64"]);
    put(path, "long.npy", npy("<i8", "(1, 6)", &integers(&[0; 6])));
    ackermann(path, "run words.ackm --input long.npy --output n.npy").fails(2, &["long.npy", "[1, 6]", "[1, 5]"]);
    put(path, "huge.npy", npy("<i8", "(1, 5)", &integers(&[1 << 40; 5])));
    ackermann(path, "run words.ackm --input huge.npy --output n.npy").fails(2, &["huge.npy", "32 bits"]);
    let line = "import words.onnx --calibrate real.npy --out n.ackm";
    ackermann(path, line).fails(2, &["real.npy", "indices"]);
    assert!(!path.join("n.npy").exists() && !path.join("n.ackm").exists());
}

#[test]
fn networks_of_int16_take_and_give_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    foreign(path, "tflite/weights_conv2d_plain_int16", "wide.tflite");
    ackermann(path, "import wide.tflite --out wide.ackm").ok();
    let steps: Vec<i16> = (0..126).map(|at| (at * 521 % 60_000 - 30_000) as i16).collect();
    put(path, "x.npy", npy("<i2", "(1, 6, 7, 3)", &steps.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>()));
    put(path, "real.npy", npy("<f4", "(6, 7, 3)", &floats(steps.iter().map(|x| f32::from(*x) * 0.0004))));
    for name in ["x", "real"] {
        let ran = ackermann(path, &format!("run wide.ackm --input {name}.npy --output y-{name}.npy --json")).json();
        assert_eq!(ran["outputs"][0]["element"], "int16");
    }
    assert_eq!(fs::read(path.join("y-x.npy")).unwrap(), fs::read(path.join("y-real.npy")).unwrap());
    put(path, "small.npy", npy("|i1", "(1, 6, 7, 3)", &[0; 126]));
    let line = "run wide.ackm --input small.npy --output n.npy";
    ackermann(path, line).fails(2, &["small.npy", "int8", "int16 or float32"]);
}

#[test]
fn states_are_kept_until_they_are_cleared() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    foreign(path, "onnx/float_gru_reverse", "gru.onnx");
    let sample: Vec<f32> = (0..54).map(|at| ((at * 37) % 41) as f32 / 20.0 - 1.0).collect();
    put(path, "one.npy", npy("<f4", "(1, 9, 1, 6)", &floats(sample.clone())));
    put(path, "x.npy", npy("<f4", "(2, 9, 1, 6)", &floats([&sample[..], &sample].concat())));
    ackermann(path, "import gru.onnx --calibrate one.npy --out gru.ackm").ok();
    // Two outputs: an archive.
    for (option, same) in [("", true), ("--keep-state", false)] {
        let ran = ackermann(path, &format!("run gru.ackm --input x.npy --output y.npz {option} --json")).json();
        assert_eq!(ran["outputs"][1]["name"], "h", "{ran}");
        let arrays = ackermann_trainer::data::npz::read(&path.join("y.npz")).unwrap();
        let (name, y) = &arrays[0];
        let (first, second) = y[y.len() - 90..].split_at(45);
        assert_eq!((name.as_str(), first == second), ("y", same));
    }
}
