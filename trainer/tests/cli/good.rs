//! The way from a recording to a driven track, as the documentation tells it.

use super::data::{npy, packed, png, put, udacity, workshop};
use super::outcome::listing;
use super::{ackermann, command};
use serde_json::Value;
use std::fs;
use std::process::Stdio;

#[track_caller]
fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("`{key}` is no number in {value}"))
}

#[test]
fn from_a_recording_to_a_driven_track() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    packed(&path.join("d"), "train", 48);
    packed(&path.join("d"), "val", 12);
    let trained = ackermann(path, "train --data d --out r --epochs 30 --batch 8 --no-augment --json").json();
    assert_eq!(trained["epochs"], 30);
    assert!(number(&trained, "val_mae") < number(&trained, "trivial_mae") / 2.0, "{trained}");
    for file in ["config.json", "data.json", "best.safetensors", "last.safetensors", "history.csv", "report.html"] {
        assert!(path.join("r").join(file).is_file(), "{file}");
    }
    let quantized = ackermann(path, "quantize r --calibrate d --out m.ackm --layers --json").json();
    let bytes = fs::metadata(path.join("m.ackm")).unwrap().len();
    assert_eq!(quantized["blob_bytes"], bytes);
    assert!(quantized["layers"].as_array().is_some_and(|layers| layers.len() >= 7), "{quantized}");
    let inspected = ackermann(path, "inspect m.ackm --json").json();
    for key in ["macs", "arena_bytes", "blob_bytes"] {
        assert_eq!(inspected[key], quantized[key], "{key}");
    }
    let eval = ackermann(path, "eval r m.ackm --data d --json").json();
    assert_eq!(eval["n"], 12);
    let (float, int8) = (number(&eval["float"], "mae"), number(&eval["int8"], "mae"));
    assert!((float - number(&trained, "val_mae")).abs() < 1e-5, "{eval} {trained}");
    assert!((float - int8).abs() < 0.03, "{eval}");
    for kind in ["float", "int8"] {
        assert!(number(&eval[kind], "rmse") >= number(&eval[kind], "mae") && number(&eval[kind], "r2") < 1.0, "{eval}");
        assert!(eval[kind]["accuracy"].is_null());
    }
    let half = ackermann(path, "eval m.ackm --data d --json").json();
    assert!(half["float"].is_null() && half["int8"] == eval["int8"], "{half}");
    let drive = ackermann(path, "drive m.ackm --board host --track 7 --seconds 2 --report drive.html --json").json();
    assert_eq!((&drive["frames"], &drive["dropped"], &drive["safe_state_entries"]), (&60.into(), &0.into(), &0.into()));
    assert!((0.0..=1.0).contains(&number(&drive, "autonomy")) && number(&drive, "lateral_m") < 2.0, "{drive}");
    assert!(fs::read_to_string(path.join("drive.html")).unwrap().contains("<svg"));
    assert!(number(&ackermann(path, "drive r --seconds 1 --json").json(), "lateral_m") < 2.0);
    assert!(listing(path).iter().all(|name| !name.contains("partial")));
}

/// Observers, what each layer costs, and training on in int8.
#[test]
fn quantizing_can_be_measured_and_trained() {
    let workshop = workshop();
    let path = workshop.path();
    let line =
        "quantize r --calibrate d --out s.ackm --observer mse --equalize off --sensitivity --report s.html --json";
    let measured = ackermann(path, line).json();
    let trials = measured["trials"].as_array().unwrap();
    assert!(trials.len() == 2 && trials.iter().all(|trial| trial["observer"] == "mse" && trial["equalized"] == false));
    let costs = &measured["sensitivity"];
    assert!(costs["metric"] == "mae" && costs["layers"].as_array().is_some_and(|layers| layers.len() == 7), "{costs}");
    for layer in costs["layers"].as_array().unwrap() {
        assert!(number(&layer["only"], "sqnr_db") > 10.0 && number(&layer["all_but"], "sqnr_db") > 10.0, "{layer}");
    }
    let report = fs::read_to_string(path.join("s.html")).unwrap();
    assert!(report.contains("What each layer costs") && report.contains("Ways of quantizing"));
    let tuned = ackermann(path, "quantize r --calibrate d --out q.ackm --qat --epochs 2 --json").json();
    let epochs = tuned["epochs"].as_array().unwrap();
    assert!(epochs.len() == 3 && epochs[0]["epoch"] == 0 && epochs[2]["val_mae"].is_number(), "{tuned}");
    ackermann(path, "eval q.ackm --data d --json").json();
    ackermann(path, "train --data d --out t --epochs 1 --batch 8 --qat 1").ok();
    assert!(path.join("t/micro.ackm").is_file());
}

#[test]
fn inspect_says_what_a_network_costs() {
    let workshop = workshop();
    let blob = ackermann(workshop.path(), "inspect m.ackm --json").json();
    let name = ackermann(workshop.path(), "inspect micro --json").json();
    for key in ["macs", "parameters", "blob_bytes", "arena_bytes"] {
        assert!(number(&blob, key) > 0.0, "{key}");
    }
    assert_eq!((&blob["macs"], &blob["parameters"]), (&name["macs"], &name["parameters"]));
    let layers = blob["layers"].as_array().unwrap();
    let sum = |key| layers.iter().map(|layer| number(layer, key)).sum::<f64>();
    assert_eq!((sum("macs"), sum("parameters")), (number(&blob, "macs"), number(&blob, "parameters")));
    for (index, layer) in layers.iter().enumerate() {
        assert_eq!(layer["index"], index);
        assert!(layer["op"].is_string() && layer["shape"].is_array() && layer["bytes"].is_u64(), "{layer}");
    }
    for board in blob["boards"].as_array().unwrap() {
        assert!(board["fits"] == true && board["why"].is_null() && board["name"].is_string(), "{board}");
    }
    assert!(ackermann(workshop.path(), "inspect pilotnet").ok().stdout.contains("252,219"));
    let listed = ackermann(workshop.path(), "inspect --json").json();
    assert!(
        listed["networks"].as_array().is_some_and(|list| list.len() >= 14 && list[0]["name"] == "pilotnet"),
        "{listed}"
    );
    assert_eq!(ackermann(workshop.path(), "inspect r --json").json()["parameters"], name["parameters"]);
}

#[test]
fn arrays_run_in_batches_of_any_type() {
    let workshop = workshop();
    let path = workshop.path();
    let pixels: Vec<u8> = (0..32 * 96 * 3).map(|i| (i * 7 % 256) as u8).collect();
    let centred: Vec<u8> = pixels.iter().map(|pixel| pixel ^ 0x80).collect();
    let real: Vec<u8> = pixels.iter().flat_map(|&p| ((f32::from(p) - 128.0) / 128.0).to_le_bytes()).collect();
    put(path, "pixels.npy", npy("|u1", "(32, 96, 3)", &pixels));
    put(path, "int8.npy", npy("|i1", "(1, 32, 96, 3)", &centred));
    put(path, "batch.npy", npy("<f4", "(3, 32, 96, 3)", &real.repeat(3)));
    let mut outputs = Vec::new();
    for name in ["pixels", "int8", "batch"] {
        ackermann(path, &format!("run m.ackm --input {name}.npy --output y-{name}.npy --json")).json();
        outputs.push(fs::read(path.join(format!("y-{name}.npy"))).unwrap());
    }
    assert_eq!(outputs[0], outputs[1]);
    let answer = outputs[0][outputs[0].len() - 1];
    assert!(outputs[2].ends_with(&[answer; 3]));
    assert!(String::from_utf8_lossy(&outputs[2]).contains("(3, 1)"));
}

#[test]
fn other_layouts_and_scales_are_read() {
    let folder = tempfile::tempdir().unwrap();
    udacity(&folder.path().join("d"), 30);
    let line = "train --data d --side-correction 0.1 --crop 4..15 --epochs 1 --batch 8 --out r --json";
    assert_eq!(ackermann(folder.path(), line).json()["epochs"], 1);
    let mut table = String::from("path,degrees\n");
    for index in 0..30 {
        put(folder.path(), &format!("p/{index}.png"), png(8, 8, [index as u8; 3]));
        table += &format!("{index}.png,{}\n", index as f32 - 15.0);
    }
    put(folder.path(), "p/frames.csv", table);
    ackermann(folder.path(), "train --data p --label degrees --out q").fails(2, &["-15", "label scale"]);
    ackermann(folder.path(), "train --data p --label degrees --label-scale 0.04 --epochs 1 --out q").ok();
    let scaled = ackermann(folder.path(), "eval q --data p --json").json();
    let again = ackermann(folder.path(), "eval q --data p --label degrees --label-scale 0.04 --json").json();
    assert_eq!(scaled, again, "the run remembers its label and scale");
}

#[test]
fn help_has_examples_and_completions_exist() {
    let folder = tempfile::tempdir().unwrap();
    let main = ackermann(folder.path(), "--help").ok().stdout;
    let (_, listed) = main.split_once("Commands:\n").unwrap();
    let listed = listed.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.split_whitespace().next());
    let names: Vec<&str> = listed.filter(|name| *name != "help").collect();
    assert!(names.len() >= 17, "{names:?}");
    for name in names.into_iter().chain([""]) {
        let help = ackermann(folder.path(), &format!("{name} --help")).ok().stdout;
        assert!(help.contains("Examples:") && help.contains("  ackermann"), "{name}: {help}");
        assert!(help.contains("--json"), "{name}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = ackermann(folder.path(), &format!("completions {shell}")).ok().stdout;
        assert!(script.contains("ackermann") && script.contains("side-correction"), "{shell}");
        assert!(script.contains("objective") && script.contains("drop-every"), "{shell}");
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["inspect", "pilotnet"][..],
        &["boards", "--json"],
        &["operators", "--markdown"],
        &["completions", "bash"],
        &["--help"],
    ] {
        let mut child =
            command(folder.path(), arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}
