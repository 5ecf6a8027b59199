//! To other tools and back, and from one network to another.

use super::ackermann;
use super::data::{put, workshop};
use super::outcome::refused;
use safetensors::SafeTensors;
use std::fs;

#[test]
fn weights_go_to_pytorch_and_come_back() {
    let workshop = workshop();
    let path = workshop.path();
    ackermann(path, "export r --to r.safetensors").ok();
    let made = ackermann(path, "import-weights r.safetensors --net micro --out back --json").json();
    assert_eq!((&made["network"], &made["numbers"]), (&"micro".into(), &94_217.into()));
    let best = |run: &str| fs::read(path.join(run).join("best.safetensors")).unwrap();
    assert!(best("r") == best("back"));
    ackermann(path, "export r --to own.safetensors --layout ackermann").ok();
    assert!(best("r") == fs::read(path.join("own.safetensors")).unwrap());
    ackermann(path, "quantize back --calibrate d --out back.ackm").ok();
    refused(path, "import-weights r.safetensors --net micro --out back", 2, "usage", &["back", "already"]);
    refused(path, "import-weights r.safetensors --net pilotnet --out new", 2, "shape", &["conv1.weight", "24x3x5x5"]);
    refused(path, "import-weights r/config.json --net micro --out new", 2, "bad_file", &["config.json", "safetensors"]);
    put(path, "odd.json", r#"{"name": "odd", "input": [4, 4, 1], "layers": [{"conv2d": {}}]}"#);
    refused(path, "import-weights r.safetensors --net odd.json --out new", 2, "bad_file", &["odd.json", "filters"]);
    put(
        path,
        "odd.json",
        r#"{"name": "odd", "input": [4, 2], "layers": [{"lstm": {"units": 3, "bidirectinal": true}}]}"#,
    );
    refused(
        path,
        "import-weights r.safetensors --net odd.json --out new",
        2,
        "bad_file",
        &["odd.json", "bidirectinal"],
    );
}

#[test]
fn an_onnx_file_is_a_network_again() {
    let workshop = workshop();
    let path = workshop.path();
    ackermann(path, "export r --to r.onnx").ok();
    ackermann(path, "import r.onnx --calibrate d --out r.ackm").ok();
    let [ours, theirs] =
        ["m.ackm", "r.ackm"].map(|blob| ackermann(path, &format!("inspect {blob} --json")).json()["macs"].clone());
    assert_eq!(ours, theirs);
    refused(path, "export r --to r.pt", 2, "usage", &["r.pt", ".onnx"]);
    refused(path, "export r --to r.onnx --layout ackermann", 2, "usage", &["--layout"]);
    refused(path, "export nowhere --to r.onnx", 2, "missing_file", &["nowhere"]);
}

#[test]
fn a_trained_network_is_trained_further() {
    let workshop = workshop();
    let path = workshop.path();
    ackermann(path, "train --from r --freeze conv* --freeze fc1 --head 1 --data d --out next --epochs 2 --batch 8")
        .ok();
    let [before, after] = ["r", "next"].map(|run| fs::read(path.join(run).join("best.safetensors")).unwrap());
    let [before, after] = [&before, &after].map(|bytes| SafeTensors::deserialize(bytes).unwrap());
    for (name, tensor) in before.iter() {
        let same = after.tensor(name).unwrap().data() == tensor.data();
        assert_eq!(same, name.starts_with("conv") || name.starts_with("fc1."), "{name}");
    }
    ackermann(path, "export r --to r.safetensors").ok();
    ackermann(path, "train --net micro --weights r.safetensors --data d --out more --epochs 1 --batch 8").ok();
    let train = |options: &str| format!("train --data d --epochs 1 --out new {options}");
    refused(path, &train("--from r --freeze cnov*"), 2, "usage", &["--freeze", "cnov*"]);
    refused(path, &train("--from r --freeze *"), 2, "usage", &["--freeze", "nothing"]);
    refused(path, &train("--net micro --head 1"), 2, "usage", &["--head", "--from"]);
    refused(path, &train("--net pilotnet --weights r.safetensors"), 2, "shape", &["r.safetensors", "conv1.weight"]);
    refused(path, &train("--from nowhere"), 2, "missing_file", &["nowhere"]);
}

#[test]
fn words_keep_their_numbers_in_another_training() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let lines = |words: [&str; 2], labels: [&str; 2]| -> String {
        (0..16).map(|at| format!("a {} film of {at}\t{}\n", words[at % 2], labels[at % 2])).collect()
    };
    for (data, words, labels) in [("one", ["good", "dull"], ["1", "0"]), ("two", ["dull", "grand"], ["poor", "fine"])] {
        put(path, &format!("{data}/train.tsv"), lines(words, labels));
        put(path, &format!("{data}/val.tsv"), lines(words, labels));
    }
    ackermann(path, "train --net text --data one --out first --epochs 2 --batch 8 --init pytorch").ok();
    ackermann(path, "train --from first --freeze embedding1 --head 2 --data two --out second --epochs 2 --batch 8")
        .ok();
    let [first, second] = ["first", "second"].map(|run| fs::read(path.join(run).join("vocabulary.txt")).unwrap());
    assert!(first == second && !first.is_empty());
    let classes = fs::read_to_string(path.join("second/classes.txt")).unwrap();
    assert!(classes.contains("fine") && classes.contains("poor"), "{classes}");
}
