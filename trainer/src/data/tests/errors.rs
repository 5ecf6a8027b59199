use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::{jpeg, load_with, packed, put};
use ackermann_firmware::preprocess;

use crate::data::{LoadOptions, Watch, Window, load};
use crate::{Error, ErrorKind};

/// The error says every one of `words`, is of this kind, and the input is at fault (exit code 2).
#[track_caller]
fn says<T: std::fmt::Debug>(result: Result<T, Error>, kind: ErrorKind, words: &[&str]) {
    let error = result.unwrap_err();
    assert_eq!(error.kind, kind, "{error}");
    assert_eq!(error.kind.exit_code(), 2, "{error}");
    let text = error.to_string();
    assert!(!text.contains('\n'), "{text}");
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
}

fn packed_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    packed(folder.path(), "train", &["0.1", "0.2", "0.3"]);
    folder
}

/// Replaces text in `train.csv` and loads.
fn spoiled(from: &str, to: &str) -> Result<crate::data::Loaded, Error> {
    let folder = packed_folder();
    let path = folder.path().join("train.csv");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from));
    fs::write(&path, text.replace(from, to)).unwrap();
    load_with(folder.path(), |_| ())
}

#[test]
fn folders_without_a_recording() {
    says(load_with(Path::new("/nowhere/at/all"), |_| ()), ErrorKind::MissingFile, &["/nowhere/at/all"]);
    let folder = tempfile::tempdir().unwrap();
    says(
        load_with(folder.path(), |_| ()),
        ErrorKind::BadFile,
        &["no data that is known", "driving_log.csv", "frames.csv"],
    );
    put(folder.path(), "driving_log.csv", "");
    says(load_with(folder.path(), |_| ()), ErrorKind::BadFile, &["driving_log.csv", "empty"]);
    says(load_with(&folder.path().join("driving_log.csv"), |_| ()), ErrorKind::BadFile, &["is a file"]);
}

#[test]
fn cells_that_cannot_be_used() {
    says(spoiled("0.5,0.2", "0.5,left"), ErrorKind::BadRow, &["train.csv:3", "steering_smooth", "`left`"]);
    says(spoiled("0.5,0.2", "0.5,NaN"), ErrorKind::BadRow, &["train.csv:3", "steering_smooth", "finite"]);
    says(spoiled("0.5,0.2", "0.5,inf"), ErrorKind::BadRow, &["train.csv:3", "finite"]);
    says(spoiled("0.5,0.2", "0.5,12"), ErrorKind::BadRow, &["train.csv:3", "12", "-1..1", "scale"]);
    says(spoiled("0.5,0.2", "0.2"), ErrorKind::BadRow, &["train.csv:3", "8 cells", "9 columns"]);
    says(spoiled("0.5,0.1,0,", "0.5,0.1,-1,"), ErrorKind::BadRow, &["train.csv:2", "center_offset", "`-1`"]);
    says(spoiled("0.5,0.1,0,", "0.5,0.1,99999999,"), ErrorKind::BadRow, &["train.csv:2", "train-center.mjpeg"]);
    let huge = format!("0.5,0.1,{},", usize::MAX);
    says(spoiled("0.5,0.1,0,", &huge), ErrorKind::BadRow, &["train.csv:2", "train-center.mjpeg"]);
}

#[test]
fn columns_and_splits_that_are_not_there() {
    let folder = packed_folder();
    let path = folder.path();
    let unknown = load_with(path, |o| o.label = Some("angle".into()));
    says(unknown, ErrorKind::BadFile, &["train.csv", "`angle`", "steering_smooth, center_offset"]);
    let test = load_with(path, |o| o.split = Some("test".into()));
    says(test, ErrorKind::MissingFile, &["no split `test`", "train"]);
    fs::remove_file(path.join("train-left.mjpeg")).unwrap();
    says(load_with(path, |o| o.side_correction = Some(0.1)), ErrorKind::MissingFile, &["train-left.mjpeg"]);
    put(path, "train.csv", "steering,center_offset,center_len\n0,0,10\n");
    says(load_with(path, |o| o.side_correction = Some(0.1)), ErrorKind::Usage, &["one camera"]);
    let plain = tempfile::tempdir().unwrap();
    put(plain.path(), "frames.csv", "x.png,0\n");
    says(load_with(plain.path(), |o| o.split = Some("test".into())), ErrorKind::Usage, &["no split `test`"]);
    says(load_with(plain.path(), |o| o.split = Some("val".into())), ErrorKind::BadFile, &["1 frames", "`val`"]);
}

#[test]
fn images_that_cannot_be_used_are_named_the_first_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..40).map(|index| format!("{index}.jpg,0\n")).collect();
    put(folder.path(), "frames.csv", rows);
    for index in 0..40 {
        let bytes = if index % 10 == 7 { b"\xff\xd8 nothing".to_vec() } else { jpeg(8, 8, 90) };
        put(folder.path(), &format!("{index}.jpg"), bytes);
    }
    says(load_with(folder.path(), |_| ()), ErrorKind::BadImage, &["frames.csv:8", "7.jpg", "not a readable JPEG"]);
    fs::remove_file(folder.path().join("3.jpg")).unwrap();
    says(load_with(folder.path(), |_| ()), ErrorKind::MissingFile, &["frames.csv:4", "3.jpg"]);
    let window = load_with(folder.path(), |o| o.window = Some("4..9".parse().unwrap()));
    says(window, ErrorKind::BadImage, &["frames.csv:1", "8 x 8", "crop"]);
}

#[test]
fn tubs_with_broken_records() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "record_1.json", "{\"user/angle\":0.5}");
    says(load_with(folder.path(), |_| ()), ErrorKind::BadRow, &["record_1.json", "cam/image_array", "user/angle"]);
    put(folder.path(), "record_1.json", "{\"user/angle\"");
    says(load_with(folder.path(), |_| ()), ErrorKind::BadRow, &["record_1.json", "JSON"]);
    put(folder.path(), "record_1.json", "{\"cam/image_array\":\"x.jpg\",\"user/angle\":\"left\"}");
    says(load_with(folder.path(), |_| ()), ErrorKind::BadRow, &["record_1.json", "no number `user/angle`"]);
    put(folder.path(), "manifest.json", "{}\n");
    says(load_with(folder.path(), |_| ()), ErrorKind::BadFile, &["manifest.json:1", "paths"]);
    put(folder.path(), "manifest.json", "{\"paths\":[\"catalog_0.catalog\"]}\n");
    says(load_with(folder.path(), |_| ()), ErrorKind::MissingFile, &["catalog_0.catalog"]);
    put(folder.path(), "catalog_0.catalog", "\n");
    says(load_with(folder.path(), |_| ()), ErrorKind::BadFile, &["0 frames"]);
}

#[test]
fn options_out_of_range() {
    let folder = packed_folder();
    says(load_with(folder.path(), |o| o.drop_straight = 1.5), ErrorKind::Usage, &["1.5"]);
    says(load_with(folder.path(), |o| o.side_correction = Some(f32::NAN)), ErrorKind::Usage, &["side-correction"]);
    says(load_with(folder.path(), |o| o.label_scale = 0.0), ErrorKind::Usage, &["label-scale"]);
    says(load_with(folder.path(), |o| o.width = 0), ErrorKind::Usage, &["frame size"]);
    says(
        load_with(folder.path(), |o| (o.drop_straight, o.straight_band) = (1.0, 1.0)),
        ErrorKind::BadFile,
        &["no frames"],
    );
    for text in ["", "40", "9..3", "a..b", "1..2,3", "1..2,3..4,5..6"] {
        says(text.parse::<Window>(), ErrorKind::Usage, &["crop", "40..119"]);
    }
    assert_eq!(
        "1..2, 3..4".parse::<Window>().unwrap(),
        Window(preprocess::Window { rows: (1, 2), columns: Some((3, 4)) })
    );
}

#[test]
fn a_stop_ends_the_reading() {
    let folder = packed_folder();
    let stop = AtomicBool::new(true);
    let watch = Watch { progress: &|_, _| {}, stop: &stop };
    let error = load(folder.path(), &LoadOptions::new(4, 6), watch).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Interrupted);
}
