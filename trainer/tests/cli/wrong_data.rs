//! Recordings with something wrong in them: the complaint names file, row and column.

use super::data::{npy, packed, plain, put, udacity, workshop};
use super::outcome::refused;
use std::fs;
use std::path::Path;

/// Replaces text in a file, which must be there.
fn spoil(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from}: {text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// All commands that read a recording refuse the one in `d`.
#[track_caller]
fn all_refuse(folder: &Path, kind: &str, words: &[&str]) {
    for line in [
        "train --data d --out new --split train --val-split train",
        "quantize r --calibrate d --out new.ackm",
        "eval r --data d --split train",
    ] {
        refused(folder, line, 2, kind, words);
    }
}

#[test]
fn rows_that_cannot_be_used() {
    for (from, to, words) in [
        ("3.png,-0.68", "3.png,left", ["frames.csv:5", "`angle`", "`left`"]),
        ("3.png,-0.68", "3.png,NaN", ["frames.csv:5", "`angle`", "finite"]),
        ("3.png,-0.68", "3.png,-17", ["frames.csv:5", "-17", "scale"]),
        ("3.png,-0.68", "3.png,\"le\nft\u{1b}[2J\"", ["frames.csv:5", "`angle`", "le\\nft"]),
        ("3.png,-0.68", "3.png", ["frames.csv:5", "1 cells", "2 columns"]),
        ("3.png,-0.68", ",0", ["frames.csv:5", "`path`", "empty"]),
    ] {
        let workshop = workshop();
        spoil(&workshop.path().join("d/frames.csv"), from, to);
        all_refuse(workshop.path(), "bad_row", &words);
    }
}

#[test]
fn columns_that_are_not_there() {
    let workshop = workshop();
    let words = ["frames.csv", "`yaw`", "path, angle"];
    refused(workshop.path(), "train --data d --label yaw --out new", 2, "bad_file", &words);
    refused(workshop.path(), "eval r --data d --label yaw", 2, "bad_file", &words);
    spoil(&workshop.path().join("d/frames.csv"), "angle", "angel");
    all_refuse(workshop.path(), "bad_file", &["frames.csv", "`angle`", "path, angel"]);
    put(workshop.path(), "d/frames.csv", "");
    all_refuse(workshop.path(), "bad_file", &["d"]);
}

#[test]
fn pictures_that_cannot_be_read() {
    let workshop = workshop();
    put(workshop.path(), "d/3.png", "no picture");
    all_refuse(workshop.path(), "bad_image", &["frames.csv:5", "3.png"]);
    fs::remove_file(workshop.path().join("d/3.png")).unwrap();
    all_refuse(workshop.path(), "missing_file", &["frames.csv:5", "3.png"]);
}

#[test]
fn packed_recordings() {
    let folder = tempfile::tempdir().unwrap();
    packed(&folder.path().join("d"), "train", 8);
    let train = "train --data d --out new";
    refused(folder.path(), train, 2, "missing_file", &["`val`", "train"]);
    packed(&folder.path().join("d"), "val", 4);
    let stream = fs::read(folder.path().join("d/val-center.mjpeg")).unwrap();
    put(folder.path(), "d/val-center.mjpeg", &stream[..stream.len() - 9]);
    refused(folder.path(), train, 2, "bad_row", &["val.csv:5", "val-center.mjpeg", "not complete"]);
    put(folder.path(), "d/val-center.mjpeg", vec![7; stream.len()]);
    refused(folder.path(), train, 2, "bad_image", &["val.csv:2", "val-center.mjpeg"]);
    refused(folder.path(), &format!("{train} --side-correction 0.1"), 2, "usage", &["one camera"]);
}

#[test]
fn packed_tables_that_lack_something() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    packed(&path.join("d"), "train", 8);
    packed(&path.join("d"), "val", 4);
    let train = "train --data d --out new";
    let table = fs::read_to_string(path.join("d/train.csv")).unwrap();
    let header = table.lines().next().unwrap();
    for (text, word) in [("", "empty"), (header, "no rows")] {
        put(path, "d/train.csv", text);
        refused(path, train, 2, "bad_file", &["d/train.csv", word]);
    }
    for column in ["center_offset", "center_len"] {
        put(path, "d/train.csv", table.replacen(column, "other", 1));
        refused(path, train, 2, "bad_file", &["d/train.csv", "has no column", column]);
    }
}

/// Both splits are of one column, whichever is read.
#[test]
fn the_label_is_a_column_of_all_splits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    packed(&path.join("d"), "train", 8);
    packed(&path.join("d"), "val", 4);
    spoil(&path.join("d/train.csv"), "steering_smooth", "smoothed");
    spoil(&path.join("d/val.csv"), "0,0,-0.8", "0,left,-0.8");
    refused(path, "train --data d --out new", 2, "bad_row", &["val.csv:2", "`steering`"]);
    spoil(&path.join("d/val.csv"), ",steering,", ",angle,");
    refused(path, "train --data d --out new", 2, "bad_file", &["val.csv", "`steering`", "steering_smooth"]);
}

#[test]
fn arrays_that_hold_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let zeros = |shape: &str, count: usize| npy("<f4", shape, &vec![0; 4 * count]);
    for (x, y, words) in [
        (zeros("(5, 2)", 10), zeros("(5, 0)", 0), ["y.npy", "[5, 0]"]),
        (zeros("(5, 2)", 10), zeros("(0,)", 0), ["y.npy", "[0]"]),
        (zeros("(5, 2)", 10), zeros("()", 1), ["y.npy", "single number"]),
        (zeros("()", 1), zeros("(5,)", 5), ["x.npy", "single number"]),
        (zeros("(0, 2)", 0), zeros("(0,)", 0), ["x.npy", "[0, 2]"]),
        (zeros("(5, 0)", 0), zeros("(5,)", 5), ["x.npy", "[5, 0]"]),
    ] {
        put(path, "d/x.npy", x);
        put(path, "d/y.npy", y);
        refused(path, "train --net mlp --data d --out new", 2, "bad_file", &words);
    }
}

#[test]
fn udacity_recordings() {
    let folder = tempfile::tempdir().unwrap();
    udacity(&folder.path().join("d"), 12);
    let train = "train --data d --out new";
    fs::remove_file(folder.path().join("d/IMG/left_2.jpg")).unwrap();
    let sides = format!("{train} --side-correction 0.1");
    refused(folder.path(), &sides, 2, "missing_file", &["driving_log.csv:4", "left_2.jpg"]);
    spoil(&folder.path().join("d/driving_log.csv"), "center_1.jpg", "");
    refused(folder.path(), train, 2, "bad_row", &["driving_log.csv:3", "image"]);
    refused(folder.path(), &format!("{train} --split test"), 2, "usage", &["`test`"]);
}

#[test]
fn recordings_that_are_too_short() {
    let folder = tempfile::tempdir().unwrap();
    plain(&folder.path().join("d"), 1);
    refused(folder.path(), "train --data d --out new", 2, "bad_file", &["1 frames"]);
}
