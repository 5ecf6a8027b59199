//! Data that is right by itself and does not fit: the network, the options, what training knew.

use super::ackermann;
use super::data::{digits, idx, npy, plain, png, put, small, udacity, workshop};
use super::outcome::refused;
use std::fs;
use std::path::Path;

#[test]
fn pictures_of_another_size() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    small(path);
    for (data, side) in [("d", 6), ("e", 8)] {
        digits(&path.join(data), "train", 32, side);
        digits(&path.join(data), "val", 8, side);
    }
    ackermann(path, "train --net small.json --data d --out r --epochs 1").ok();
    ackermann(path, "quantize r --calibrate d --out r/m.ackm").ok();
    for line in [
        "eval r --data e",
        "eval r/m.ackm --data e",
        "eval r r/m.ackm --data e",
        "quantize r --calibrate e --out n.ackm",
        "quantize r --calibrate e --out n.ackm --qat",
    ] {
        refused(path, line, 2, "shape", &["e: ", "[8, 8, 1]", "[6, 6, 1]"]);
    }
    fs::copy(path.join("e/val-images-idx3-ubyte"), path.join("d/val-images-idx3-ubyte")).unwrap();
    refused(path, "train --net small.json --data d --out n", 2, "shape", &["d: ", "[8, 8, 1]", "[6, 6, 1]"]);
    let words = ["--side-correction", "--drop-straight", "sequences"];
    udacity(&path.join("u"), 12);
    refused(path, "train --net micro-lstm --data u --side-correction 0.1 --out n", 2, "usage", &words);
    refused(path, "train --net micro-lstm --data u --drop-straight 0.5 --out n", 2, "usage", &words);
}

#[test]
fn options_of_other_data() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    digits(&path.join("d"), "train", 8, 6);
    plain(&path.join("p"), 4);
    put(path, "t/train.tsv", "good\t1\nbad\t0\n");
    for option in ["--length 5", "--stems", "--pairs"] {
        for (data, held) in [("d", "IDX"), ("p", "frames.csv"), ("sim", "simulated")] {
            let words = [held, "--length", "--stems", "--pairs", "texts"];
            refused(path, &format!("train --data {data} {option} --out n"), 2, "usage", &words);
        }
    }
    for (data, held) in [("d", "IDX"), ("t", "texts")] {
        let words = [held, "--label", "columns"];
        refused(path, &format!("train --net lenet --data {data} --label angle --out n"), 2, "usage", &words);
    }
    let numbers = |shape: &str, count: usize| npy("<f4", shape, &vec![0; 4 * count]);
    put(path, "a/x.npy", numbers("(5, 8)", 40));
    put(path, "a/y.npy", numbers("(5,)", 5));
    for (data, held) in [("p", "frames.csv"), ("sim", "simulated"), ("t", "texts"), ("a", "samples")] {
        let words = [held, "--mirror", "pictures of classes"];
        refused(path, &format!("train --net mlp --data {data} --mirror --out n"), 2, "usage", &words);
    }
    refused(path, "train --data p --frames 100 --out n", 2, "usage", &["--frames", "--data sim"]);
    for option in ["--crop 1..3", "--label-scale 2", "--side-correction 0.1", "--drop-straight 0.5"] {
        refused(path, &format!("train --net text --data t {option} --out n"), 2, "usage", &["t: ", "recorded driving"]);
    }
}

#[test]
fn options_of_other_settings() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    plain(&path.join("d"), 12);
    for option in ["--drop-every 2", "--drop-factor 0.5", "--schedule constant --drop-factor 0.1"] {
        let name = if option.contains("every") { "--drop-every" } else { "--drop-factor" };
        refused(path, &format!("train --data d {option} --out n"), 2, "usage", &[name, "--schedule step"]);
    }
    let words = ["--smoothing", "cross-entropy", "huber"];
    refused(path, "train --data d --smoothing 0.1 --out n", 2, "usage", &words);
    ackermann(path, "train --data d --schedule step --drop-every 1 --drop-factor 0.5 --epochs 2 --out r").ok();
}

#[test]
fn texts_whose_words_nobody_knows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let table = "a fine one\t1\na poor one\t0\n".repeat(8);
    put(path, "d/train.tsv", &table);
    put(path, "d/val.tsv", &table);
    ackermann(path, "train --net text --data d --out r --epochs 1 --batch 4").ok();
    ackermann(path, "quantize r --calibrate d --out m.ackm").ok();
    ackermann(path, "eval r m.ackm --data d").ok();
    fs::copy(path.join("m.ackm"), path.join("r/m.ackm")).unwrap();
    let words = ["d: ", "texts", "vocabulary.txt"];
    refused(path, "eval m.ackm --data d", 2, "missing_file", &words);
    let lines = [
        "eval r --data d",
        "eval r/m.ackm --data d",
        "quantize r --calibrate d --out n.ackm",
        "train --resume --out r",
        "train --from r --data d --out n",
    ];
    // Without its last word: the numbers of the others would still be right.
    let vocabulary = fs::read_to_string(path.join("r/vocabulary.txt")).unwrap();
    let (shorter, _) = vocabulary.trim_end().rsplit_once('\n').unwrap();
    put(path, "r/vocabulary.txt", shorter);
    for line in lines {
        refused(path, line, 2, "bad_file", &["r/vocabulary.txt: ", "has 5 words", "on 6"]);
    }
    fs::remove_file(path.join("r/vocabulary.txt")).unwrap();
    for line in lines {
        refused(path, line, 2, "missing_file", &words);
    }
}

/// Pictures of two classes, eight of each in both splits.
fn pictures(folder: &Path) {
    for (split, class) in [("train", "dark"), ("train", "light"), ("val", "dark"), ("val", "light")] {
        for index in 0..8 {
            let grey = index + if class == "dark" { 30 } else { 200 };
            put(folder, &format!("{split}/{class}/{index}.png"), png(6, 6, [grey; 3]));
        }
    }
}

#[test]
fn streamed_pictures_that_break() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    small(path);
    pictures(&path.join("d"));
    let line = "train --net small.json --data d --stream --epochs 1 --batch 8 --out";
    ackermann(path, &format!("{line} r")).ok();
    let held = ackermann(path, &format!("{} h --json", line.replace(" --stream", ""))).json();
    assert_eq!(ackermann(path, "train --resume --out r --json").json()["val_loss"], held["val_loss"]);
    ackermann(path, "quantize r --calibrate d --out m.ackm").ok();
    put(path, "d/val/light/3.png", "no picture");
    refused(path, "eval r --data d", 2, "bad_image", &["val/light/3.png"]);
    refused(path, "eval r m.ackm --data d", 2, "bad_image", &["val/light/3.png"]);
    // What was trained before is kept; once the picture is mended, the run ends as one that never met it.
    ackermann(path, &format!("{line} n")).fails(2, &["val/light/3.png", "the run so far is kept in n"]);
    pictures(&path.join("d"));
    assert_eq!(ackermann(path, "train --resume --out n --json").json()["val_loss"], held["val_loss"]);
    put(path, "d/train/light/5.png", "no picture");
    refused(path, "quantize r --calibrate d --out n.ackm", 2, "bad_image", &["train/light/5.png"]);
}

#[test]
fn very_many_classes_have_no_matrix() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    small(path);
    for (count, shown) in [(64, true), (65, false)] {
        let (samples, run) = (2 * usize::from(count), format!("r{count}"));
        let labels: Vec<u8> = (0..2).flat_map(|_| 0..count).collect();
        for split in ["train", "val"] {
            put(path, &format!("{run}-d/{split}-images-idx3-ubyte"), idx(&[samples, 4, 4], &vec![9; 16 * samples]));
            put(path, &format!("{run}-d/{split}-labels-idx1-ubyte"), idx(&[samples], &labels));
        }
        let trained = ackermann(path, &format!("train --net small.json --data {run}-d --out {run} --epochs 1 --json"));
        assert_eq!(trained.json()["trivial_accuracy"], 1.0 / f64::from(count));
        assert_eq!(fs::read_to_string(path.join(run).join("report.html")).unwrap().contains("Classes:"), shown);
    }
}

#[test]
fn nothing_of_an_earlier_run_is_left() {
    let workshop = workshop();
    let path = workshop.path();
    put(path, "r/vocabulary.txt", "<padding>\n<unknown>\n");
    put(path, "r/classes.txt", "no\nyes\n");
    assert!(path.join("r/report.html").is_file());
    let line = "train --data d --out r --overwrite --loss mse --optimizer sgd --schedule constant --lr 1e38";
    ackermann(path, line).fails(2, &["the loss became"]);
    for file in ["report.html", "vocabulary.txt", "classes.txt", "best.safetensors"] {
        assert!(!path.join("r").join(file).exists(), "{file}");
    }
}

#[test]
fn weights_are_not_lost_by_accident() {
    let workshop = workshop();
    let path = workshop.path();
    ackermann(path, "export r --to w.safetensors").ok();
    ackermann(path, "import-weights w.safetensors --net micro --out w").ok();
    refused(path, "train --data d --out w --epochs 1", 2, "usage", &["w: ", "weights", "--overwrite"]);
}
