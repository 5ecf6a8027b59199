//! Data other than driving: digits, texts, arrays; recipes.

use super::ackermann;
use super::data::{digits, npy, put, small};
use super::outcome::refused;
use serde_json::Value;
use std::fs;

#[track_caller]
fn accuracy(eval: &Value, kind: &str) -> f64 {
    for absent in ["mae", "rmse", "r2"] {
        assert!(eval[kind][absent].is_null(), "{eval}");
    }
    eval[kind]["accuracy"].as_f64().unwrap_or_else(|| panic!("no accuracy of {kind} in {eval}"))
}

#[test]
fn digits_from_files_to_int8() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    digits(&path.join("d"), "train", 64, 6);
    digits(&path.join("d"), "val", 20, 6);
    small(path);
    let line = "train --net small.json --data d --out r --epochs 8 --batch 16 --lr 0.01 --json";
    let trained = ackermann(path, line).json();
    assert!(trained["val_accuracy"].as_f64().unwrap() > 0.9 && trained["val_mae"].is_null(), "{trained}");
    assert_eq!(trained["trivial_accuracy"], 0.5);
    assert_eq!(fs::read_to_string(path.join("r/classes.txt")).unwrap(), "0\n1\n");
    let history = fs::read_to_string(path.join("r/history.csv")).unwrap();
    assert!(history.lines().next().is_some_and(|header| header.contains("val_accuracy")), "{history}");
    ackermann(path, "quantize r --calibrate d --out r/m.ackm").ok();
    let eval = ackermann(path, "eval r r/m.ackm --data d --json").json();
    assert_eq!(eval["n"], 20);
    assert_eq!(accuracy(&eval, "float"), trained["val_accuracy"].as_f64().unwrap());
    assert!((accuracy(&eval, "float") - accuracy(&eval, "int8")).abs() <= 0.1, "{eval}");
    assert!(ackermann(path, "eval r/m.ackm --data d").ok().stdout.contains("20 pictures"));
    // The same bytes again, and nothing new when it is resumed.
    ackermann(path, &line.replace("--out r", "--threads 1 --out again")).ok();
    let bytes = |run: &str| fs::read(path.join(run).join("last.safetensors")).unwrap();
    assert!(bytes("r") == bytes("again"));
    ackermann(path, "train --resume --out again").ok();
    assert!(bytes("r") == bytes("again"));
    refused(
        path,
        "train --net small.json --data d --loss mse --out new",
        2,
        "shape",
        &["training data", "cross-entropy"],
    );
    refused(path, "train --net small.json --data d --crop 1..3 --out new", 2, "usage", &["IDX files", "crop"]);
    refused(path, "train --net small.json --data d --smoothing 1 --out new", 2, "usage", &["--smoothing"]);
    refused(path, "train --net text --data d --out new", 2, "shape", &["text", "words", "pixels"]);
    refused(
        path,
        "train --net small.json --data d --val-split t10k --out new",
        2,
        "missing_file",
        &["`t10k`", "train, val"],
    );
    put(path, "d/val-labels-idx1-ubyte", [0, 0, 8, 1, 0, 0, 0, 20, 1]);
    refused(path, "eval r --data d", 2, "bad_file", &["val-labels-idx1-ubyte", "cut off"]);
}

/// A grey picture is a sequence of rows to a recurrent network, a vector to a perceptron.
#[test]
fn digits_are_rows_and_vectors_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    digits(&path.join("d"), "train", 64, 6);
    digits(&path.join("d"), "val", 20, 6);
    for net in ["lstm", "mlp"] {
        let line = format!("train --net {net} --data d --out {net} --epochs 1 --batch 16");
        ackermann(path, &line).ok();
        ackermann(path, &format!("quantize {net} --calibrate d --out {net}.ackm")).ok();
        let eval = ackermann(path, &format!("eval {net} {net}.ackm --data d --json")).json();
        let [float, int8] = ["float", "int8"].map(|kind| accuracy(&eval, kind));
        assert!((float - int8).abs() < 0.2, "{net}: {eval}");
    }
}

#[test]
fn one_output_tells_two_classes_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    digits(&path.join("d"), "train", 64, 6);
    digits(&path.join("d"), "val", 20, 6);
    small(path);
    let line =
        "train --net small.json --data d --out r --epochs 8 --batch 16 --lr 0.01 --loss binary-cross-entropy --json";
    let trained = ackermann(path, line).json();
    assert!(trained["val_accuracy"].as_f64().unwrap() > 0.9, "{trained}");
    ackermann(path, "quantize r --calibrate d --out r/m.ackm").ok();
    let eval = ackermann(path, "eval r r/m.ackm --data d --json").json();
    assert!(accuracy(&eval, "int8") > 0.8, "{eval}");
}

#[test]
fn texts_keep_their_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let line = |good: bool, index: usize| {
        format!("the film number {index} is {}\t{}\n", if good { "good" } else { "bad" }, u8::from(good))
    };
    let table = |count: usize| -> String { (0..count).map(|index| line(index % 2 == 0, index % 3)).collect() };
    put(path, "d/train.tsv", table(60));
    put(path, "d/val.tsv", table(20));
    let trained = ackermann(path, "train --net text --data d --out r --epochs 30 --batch 12 --lr 0.02 --json").json();
    assert!(trained["val_accuracy"].as_f64().unwrap() > 0.9, "{trained}");
    let words = fs::read_to_string(path.join("r/vocabulary.txt")).unwrap();
    assert!(words.starts_with("<padding>\n<unknown>\nfilm\n"), "{words}");
    ackermann(path, "quantize r --calibrate d --out r/m.ackm").ok();
    let eval = ackermann(path, "eval r r/m.ackm --data d --json").json();
    assert!(accuracy(&eval, "int8") > 0.9, "{eval}");
    // The blob alone finds its words in the folder that it lies in.
    assert_eq!(ackermann(path, "eval r/m.ackm --data d --json").json()["int8"], eval["int8"]);
    put(path, "d/val.tsv", "no class here\n");
    refused(path, "eval r --data d", 2, "bad_row", &["val.tsv:1", "tab"]);
}

#[test]
fn arrays_of_numbers_are_learned() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let bytes = |values: &[f32]| -> Vec<u8> { values.iter().flat_map(|value| value.to_le_bytes()).collect() };
    let x: Vec<f32> = (0..200).map(|index| (index * 37 % 101) as f32 / 50.0 - 1.0).collect();
    let y: Vec<f32> = x.chunks(2).map(|pair| 0.5 * pair[0] - 0.25 * pair[1]).collect();
    put(path, "d/x.npy", npy("<f4", "(100, 2)", &bytes(&x)));
    put(path, "d/y.npy", npy("<f4", "(100, 1)", &bytes(&y)));
    put(path, "line.json", r#"{"name":"line","input":[2],"kind":"numbers","layers":[{"dense":{"outputs":1}}]}"#);
    let trained =
        ackermann(path, "train --net line.json --data d --out r --epochs 60 --batch 8 --lr 0.02 --json").json();
    assert!(trained["val_mae"].as_f64().unwrap() < 0.02, "{trained}");
    ackermann(path, "quantize r --calibrate d --out r/m.ackm").ok();
    let eval = ackermann(path, "eval r r/m.ackm --data d --json").json();
    assert!(eval["int8"]["r2"].as_f64().unwrap() > 0.95 && eval["int8"]["accuracy"].is_null(), "{eval}");
    let mut broken = x;
    broken[5] = f32::NAN;
    put(path, "d/x.npy", npy("<f4", "(100, 2)", &bytes(&broken)));
    refused(path, "train --net line.json --data d --out new", 2, "not_finite", &["x.npy", "sample 2, value 1", "NaN"]);
}

/// The network's output is a score; what is judged is the number that it stands for.
#[test]
fn numbers_from_0_to_1_are_learned_as_probabilities() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let bytes = |values: &[f32]| -> Vec<u8> { values.iter().flat_map(|value| value.to_le_bytes()).collect() };
    let x: Vec<f32> = (0..100).map(|index| (index * 37 % 101) as f32 / 50.0 - 1.0).collect();
    let mut y: Vec<f32> = x.iter().map(|x| 1.0 / (1.0 + (-3.0 * x).exp())).collect();
    put(path, "d/x.npy", npy("<f4", "(100, 1)", &bytes(&x)));
    put(path, "d/y.npy", npy("<f4", "(100,)", &bytes(&y)));
    put(path, "line.json", r#"{"name":"line","input":[1],"kind":"numbers","layers":[{"dense":{"outputs":1}}]}"#);
    let line = "train --net line.json --data d --loss binary-cross-entropy --epochs 60 --batch 8 --lr 0.1 --out";
    let trained = ackermann(path, &format!("{line} r --json")).json();
    let mae = trained["val_mae"].as_f64().unwrap();
    assert!(mae < 0.02, "{trained}");
    ackermann(path, "quantize r --calibrate d --out r/m.ackm").ok();
    let eval = ackermann(path, "eval r r/m.ackm --data d --json").json();
    assert!((eval["float"]["mae"].as_f64().unwrap() - mae).abs() < 1e-6, "{eval}");
    assert!(eval["int8"]["r2"].as_f64().unwrap() > 0.95, "{eval}");
    // A blob in its run's folder needs no run named.
    assert_eq!(ackermann(path, "eval r/m.ackm --data d --json").json()["int8"], eval["int8"]);
    for wrong in [1.5, -0.25] {
        y[7] = wrong;
        for split in ["train", "val"] {
            put(path, &format!("e/{split}/x.npy"), npy("<f4", "(100, 1)", &bytes(&x)));
            let targets = if split == "val" { &y } else { &x.iter().map(|x| x.abs()).collect() };
            put(path, &format!("e/{split}/y.npy"), npy("<f4", "(100, 1)", &bytes(targets)));
        }
        let words = ["e, split `val`", "sample 7", &wrong.to_string(), "from 0 to 1"];
        refused(path, &format!("{} n", line.replace("--data d", "--data e")), 2, "bad_file", &words);
    }
}

#[test]
fn numbers_are_no_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    put(path, "d/x.npy", npy("<i4", "(10, 4)", &[7, 0, 0, 0].repeat(40)));
    put(path, "d/y.npy", npy("|u1", "(10,)", &[0, 1, 0, 1, 0, 1, 0, 1, 0, 1]));
    let layers = r#"[{"embedding":{"vocabulary":5,"size":2}},"mean",{"dense":{"outputs":2}}]"#;
    put(path, "words.json", format!(r#"{{"name":"words","input":[4],"kind":"numbers","layers":{layers}}}"#));
    refused(path, "train --net words.json --data d --out n", 2, "shape", &["words: ", "embedding", "texts"]);
}

#[test]
fn recipes_are_listed_and_cooked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let list = ackermann(path, "recipe --json").json();
    let names: Vec<&str> =
        list["recipes"].as_array().unwrap().iter().map(|recipe| recipe["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["udacity", "mountain", "rc-real", "mnist", "speech", "sentiment"]);
    refused(path, "recipe soup", 2, "usage", &["`soup`", "mnist"]);
    refused(path, "recipe mnist", 2, "usage", &["--data", "data/mnist"]);
    refused(path, "recipe --data d", 2, "usage", &["<NAME>"]);
    refused(path, "recipe sentiment --data nowhere --out r", 2, "missing_file", &["nowhere"]);
    let table = |count: usize| -> String {
        (0..count).map(|index| if index % 2 == 0 { "a fine one\t1\n" } else { "a poor one\t0\n" }).collect()
    };
    put(path, "d/train.tsv", table(80));
    put(path, "d/val.tsv", table(20));
    let cooked = ackermann(path, "recipe sentiment --data d --out r --epochs 2 --json").json();
    assert!(
        cooked["reached"].is_boolean() && cooked["float"]["accuracy"].is_f64() && cooked["int8"]["accuracy"].is_f64(),
        "{cooked}"
    );
    assert!(cooked["commands"].as_array().is_some_and(|commands| commands.len() == 3), "{cooked}");
    for file in ["report.html", "sentiment.ackm", "vocabulary.txt", "classes.txt"] {
        assert!(path.join("r").join(file).is_file(), "{file}");
    }
    let before = fs::read(path.join("r/last.safetensors")).unwrap();
    ackermann(path, "recipe sentiment --data d --out r --epochs 2").ok();
    assert!(fs::read(path.join("r/last.safetensors")).unwrap() == before, "a finished run is not trained again");
    let again = "recipe sentiment --data d --out r --epochs";
    refused(path, &format!("{again} 3"), 2, "usage", &["r: holds another run", "sentiment", "--out", "--overwrite"]);
    // A run that took the place of the recipe's.
    ackermann(path, "train --net text --data d --out r --epochs 1 --overwrite").ok();
    refused(path, &format!("{again} 2"), 2, "usage", &["r: holds another run", "sentiment", "--out", "--overwrite"]);
    assert!(cooked["expected"].is_f64(), "{cooked}");
    ackermann(path, &format!("{again} 2 --overwrite")).ok();
    assert!(fs::read(path.join("r/last.safetensors")).unwrap() == before);
    let page = fs::read_to_string(path.join("r/report.html")).unwrap();
    assert!(page.contains("Classes: float") && page.contains("Classes: int8"));
}
