//! Files that were right once: cut off, spoilt, or of another network.

use super::ackermann;
use super::data::{put, workshop};
use super::outcome::{Outcome, refused};
use ackermann_trainer::data::{Augment, Augmented, FrameSet};
use ackermann_trainer::nn::{Layer, Network};
use ackermann_trainer::quant::{QuantizeOptions, quantize};
use std::fs;
use std::path::Path;

/// A network of one dense layer over frames of this size, quantized.
fn blob(input: [usize; 3], outputs: usize) -> Vec<u8> {
    let [height, width, _] = input;
    let network = Network::of_pixels("made", input, vec![Layer::Flatten, Layer::dense(outputs)]);
    let pixels = (0..2 * height * width * 3).map(|i| (i * 31 % 256) as u8).collect();
    let frames = FrameSet { height, width, pixels, labels: vec![0.5, -0.5] };
    let samples = Augmented::new(&frames, Augment::NONE);
    quantize(&network, &network.init(1).unwrap(), &samples, &QuantizeOptions::default()).unwrap().blob.to_vec()
}

#[test]
fn blobs_that_the_loader_refuses() {
    let workshop = workshop();
    let path = workshop.path();
    let good = fs::read(path.join("m.ackm")).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    put(path, "x.npy", super::data::npy("|i1", "(1, 32, 96, 3)", &[0; 32 * 96 * 3]));
    for spoilt in [&[][..], &good[..7], &good[..good.len() / 2], &good[..good.len() - 1], &flipped, b"no blob at all"] {
        put(path, "bad.ackm", spoilt);
        for line in [
            "inspect bad.ackm",
            "run bad.ackm --input x.npy --output y.npy",
            "eval bad.ackm --data d",
            "drive bad.ackm --seconds 1",
            "bench bad.ackm --board mps2-an386",
            "flash bad.ackm --board mps2-an386",
        ] {
            refused(path, line, 2, "bad_blob", &["bad.ackm"]);
        }
    }
}

#[test]
fn blobs_that_do_not_steer() {
    let workshop = workshop();
    put(workshop.path(), "ten.ackm", blob([8, 8, 3], 10));
    for line in ["drive ten.ackm --seconds 1", "eval ten.ackm --data d"] {
        refused(workshop.path(), line, 2, "shape", &["ten.ackm", "10 numbers"]);
    }
    put(workshop.path(), "small.ackm", blob([8, 8, 3], 1));
    refused(workshop.path(), "eval r small.ackm --data d", 2, "shape", &["small.ackm", "[8, 8, 3]", "[32, 96, 3]"]);
}

#[test]
fn blobs_that_are_too_large_for_the_board() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "big.ackm", blob([64, 64, 3], 360));
    for line in ["bench big.ackm --board mps2-an386", "flash big.ackm --board mps2-an500"] {
        refused(folder.path(), line, 2, "does_not_fit", &["mps2", "bytes", "flash"]);
    }
    let value = ackermann(folder.path(), "inspect big.ackm --json").json();
    for board in value["boards"].as_array().unwrap() {
        // The Cortex-A57 runs from 48 MiB of RAM; the others have megabytes at most.
        let roomy = board["name"] == "drive-px";
        assert_eq!(board["fits"], roomy, "{board}");
        assert_eq!(board["why"].as_str().is_some_and(|why| why.contains("flash")), !roomy, "{board}");
    }
}

#[test]
fn tflite_files_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    for bytes in [&b""[..], b"TFL3", b"\x1c\0\0\0TFL3 and no more than this", &[0xff; 4096]] {
        put(folder.path(), "bad.tflite", bytes);
        refused(folder.path(), "import bad.tflite --out m.ackm", 2, "bad_file", &["bad.tflite"]);
    }
}

/// A file of the fuzzer's seeds.
fn seed(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/seeds").join(name)).unwrap()
}

#[test]
fn foreign_files_that_are_damaged() {
    for (name, good) in [("m.onnx", seed("onnx/qdq")), ("m.tflite", seed("tflite/edges"))] {
        let folder = tempfile::tempdir().unwrap();
        let line = format!("import {name} --out m.ackm");
        put(folder.path(), name, &good);
        ackermann(folder.path(), &line).ok();
        fs::remove_file(folder.path().join("m.ackm")).unwrap();
        for cut in (0..good.len()).step_by(good.len() / 12) {
            put(folder.path(), name, &good[..cut]);
            refused(folder.path(), &line, 2, "bad_file", &[name]);
        }
    }
}

#[test]
fn onnx_files_that_would_ask_for_all_memory() {
    // Dimensions of an initializer: 2^31 and 2^31. A list that states 2^60 bytes. Messages in messages a thousand deep.
    let huge = b"\x3a\x12\x2a\x10\x08\x80\x80\x80\x80\x08\x08\x80\x80\x80\x80\x08\x10\x01\x42\x00\x42\x02\x10\x11";
    let deep = (0..1000).fold(vec![], |inner: Vec<u8>, _| {
        let length = inner.len();
        [&[0x3a, length as u8 & 0x7f | 0x80, (length >> 7) as u8][..], &inner].concat()
    });
    let folder = tempfile::tempdir().unwrap();
    for bytes in [&huge[..], b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x0f", &deep, b"", b"not a model"] {
        put(folder.path(), "bad.onnx", bytes);
        refused(folder.path(), "import bad.onnx --out m.ackm", 2, "bad_file", &["bad.onnx"]);
    }
    put(folder.path(), "m.pb", b"");
    refused(folder.path(), "import m.pb --out m.ackm", 2, "bad_file", &["m.pb", ".onnx"]);
}

/// Everything that reads the run `r` refuses it.
#[track_caller]
fn run_refused(folder: &Path, kind: &str, words: &[&str]) {
    for line in ["eval r --data d", "drive r --seconds 1", "quantize r --calibrate d --out new.ackm"] {
        refused(folder, line, 2, kind, words);
    }
}

#[test]
fn spoilt_run_folders() {
    for (file, bytes, kind) in [
        ("config.json", &b"{"[..], "bad_file"),
        ("config.json", b"{\"network\":{\"name\":\"micro\",\"input\":[1,2],\"layers\":[]}}", "bad_file"),
        ("config.json", b"\xff\xfe", "bad_file"),
        ("best.safetensors", b"", "bad_file"),
        ("best.safetensors", b"\xff\xff\xff\xff\xff\xff\xff\x7f{}", "bad_file"),
        ("best.safetensors", b"\x02\0\0\0\0\0\0\0{}", "shape"),
    ] {
        let workshop = workshop();
        put(workshop.path(), &format!("r/{file}"), bytes);
        run_refused(workshop.path(), kind, &[file]);
    }
    let workshop = workshop();
    let whole = fs::read(workshop.path().join("r/best.safetensors")).unwrap();
    put(workshop.path(), "r/best.safetensors", &whole[..whole.len() - 4]);
    run_refused(workshop.path(), "bad_file", &["best.safetensors"]);
    fs::remove_file(workshop.path().join("r/best.safetensors")).unwrap();
    run_refused(workshop.path(), "missing_file", &["best.safetensors"]);
}

/// A file of tensors with nothing but NaN in them.
fn not_a_number(file: &[u8]) -> Vec<u8> {
    let header = 8 + u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    [&file[..header], &vec![0xff; file.len() - header]].concat()
}

#[test]
fn checkpoints_of_what_is_no_number() {
    let workshop = workshop();
    let path = workshop.path();
    for file in ["best.safetensors", "last.safetensors"] {
        let spoilt = not_a_number(&fs::read(path.join("r").join(file)).unwrap());
        put(path, &format!("r/{file}"), spoilt);
    }
    run_refused(path, "bad_file", &["best.safetensors", "`conv1.weight`", "NaN"]);
    refused(path, "export r --to w.onnx", 2, "bad_file", &["best.safetensors", "`conv1.weight`"]);
    refused(path, "train --resume --out r", 2, "bad_file", &["last.safetensors", "`conv1.weight`"]);
}

#[test]
fn a_run_goes_on_with_its_settings_and_data_only() {
    let workshop = workshop();
    let path = workshop.path();
    let line = "train --resume --out r";
    let config = fs::read_to_string(path.join("r/config.json")).unwrap();
    put(path, "r/config.json", config.replace("\"lr\": 0.001", "\"lr\": 0.002"));
    refused(path, line, 2, "usage", &["r: ", "config.json was changed"]);
    put(path, "r/config.json", config);
    let table = fs::read_to_string(path.join("d/frames.csv")).unwrap();
    put(path, "d/frames.csv", table.replacen(",-0.80", ",-0.79", 1));
    refused(path, line, 2, "usage", &["r: ", "other training data"]);
    put(path, "d/frames.csv", table);
    put(path, "r/history.csv", b"");
    refused(path, line, 2, "bad_row", &["r/history.csv:2", "epoch 1"]);
}

#[test]
fn results_do_not_take_the_place_of_a_run() {
    let workshop = workshop();
    let path = workshop.path();
    for file in ["best.safetensors", "last.safetensors", "config.json", "data.json", "history.csv"] {
        let before = fs::read(path.join("r").join(file)).unwrap();
        for line in ["quantize r --calibrate d --out", "export r --to"] {
            refused(path, &format!("{line} r/{file}"), 2, "usage", &[file, "belongs to a run"]);
        }
        assert!(fs::read(path.join("r").join(file)).unwrap() == before);
    }
    ackermann(path, "export r --to best.safetensors").ok();
}

#[test]
fn numbers_that_would_ask_for_all_memory() {
    let workshop = workshop();
    let config = fs::read_to_string(workshop.path().join("r/config.json")).unwrap();
    for (from, to) in [
        ("\"outputs\": 64", "\"outputs\": 18446744073709551615"),
        ("\"outputs\": 64", "\"outputs\": 1099511627776"),
        ("\"left\": 1", "\"left\": 18446744073709551615"),
        ("\"left\": 1", "\"left\": 100000"),
        ("\"filters\": 16", "\"filters\": 9223372036854775808"),
    ] {
        assert!(config.contains(from), "{config}");
        put(workshop.path(), "r/config.json", config.replacen(from, to, 1));
        run_refused(workshop.path(), "bad_file", &["config.json", "is the most"]);
        refused(workshop.path(), "train --resume --out r", 2, "bad_file", &["config.json"]);
    }
    put(workshop.path(), "r/config.json", config.replace("\"outputs\": 64", "\"outputs\": 0"));
    run_refused(workshop.path(), "bad_file", &["config.json", "fc1", "size of 0"]);
}

#[test]
fn checkpoints_of_another_network() {
    let workshop = workshop();
    let config = fs::read_to_string(workshop.path().join("r/config.json")).unwrap();
    put(workshop.path(), "r/config.json", config.replace("\"outputs\": 64", "\"outputs\": 63"));
    run_refused(workshop.path(), "shape", &["best.safetensors", "fc1"]);
    refused(workshop.path(), "train --resume --out r", 2, "shape", &["last.safetensors", "fc1"]);
}

#[test]
fn runs_that_cannot_be_resumed() {
    let spoil = |file: &str, bytes: &[u8]| -> Outcome {
        let workshop = workshop();
        put(workshop.path(), &format!("r/{file}"), bytes);
        ackermann(workshop.path(), "train --resume --out r")
    };
    spoil("data.json", b"{\"data\": 7}").fails(2, &["data.json"]);
    spoil("data.json", b"{\"data\": \"gone\"}").fails(2, &["gone"]);
    spoil("last.safetensors", b"nothing").fails(2, &["last.safetensors"]);
    let workshop = workshop();
    let best = fs::read(workshop.path().join("r/best.safetensors")).unwrap();
    spoil("last.safetensors", &best).fails(2, &["last.safetensors", "position"]);
    fs::remove_file(workshop.path().join("r/data.json")).unwrap();
    refused(workshop.path(), "train --resume --out r", 2, "missing_file", &["r", "trained on"]);
}
