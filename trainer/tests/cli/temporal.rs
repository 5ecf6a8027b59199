//! Networks that remember against such as do not.

use super::ackermann;
use super::data::{npy, put};
use std::fs;

#[test]
fn both_are_trained_quantized_and_driven() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let line = "temporal --sequences 8 --epochs 1 --tracks 1 --seconds 1 --out t";
    let first = ackermann(path, &format!("{line} --json")).json();
    let scores = first["scores"].as_array().unwrap();
    let kinds: Vec<_> = scores.iter().map(|score| (&score["network"], &score["arithmetic"])).collect();
    let [float, int8] = ["float", "int8"].map(serde_json::Value::from);
    let [cnn, lstm] = ["micro", "micro-lstm"].map(serde_json::Value::from);
    assert_eq!(kinds, [(&cnn, &float), (&cnn, &int8), (&lstm, &float), (&lstm, &int8)]);
    let blob = fs::read(path.join("t/micro-lstm.ackm")).unwrap();
    // Finished runs are taken as they are, but not for other recordings.
    assert_eq!(ackermann(path, &format!("{line} --json")).json(), first);
    assert_eq!(fs::read(path.join("t/micro-lstm.ackm")).unwrap(), blob);
    ackermann(path, &format!("{line} --no-glare")).fails(2, &["t/first", "other recordings", "--out"]);
    // Both see 24 frames of the same sequence at a time; int8 is near float.
    let found = ackermann(path, "eval t/micro-lstm t/micro-lstm.ackm --data sim --json").json();
    let [float, int8] = ["float", "int8"].map(|of| found[of]["mae"].as_f64().unwrap());
    assert!(found["n"].as_u64().unwrap() > 80 && (float - int8).abs() < 0.05 * float, "{found}");
    let trained = "train --net micro-lstm --data sim --frames 48 --qat 1 --out n";
    ackermann(path, trained).fails(2, &["micro-lstm", "remembers", "--qat"]);
    let quantized = "quantize t/micro-lstm --calibrate sim --frames 48 --out q.ackm --qat";
    ackermann(path, quantized).fails(2, &["micro-lstm", "remembers", "--qat"]);
}

/// Sequences of pictures that are not frames of a drive: the blob takes them whole.
#[test]
fn pictures_over_time_in_arrays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let bytes = |values: &[f32]| -> Vec<u8> { values.iter().flat_map(|value| value.to_le_bytes()).collect() };
    let x: Vec<f32> = (0..40 * 3 * 5 * 5 * 2).map(|at| (at * 37 % 101) as f32 / 50.0 - 1.0).collect();
    let y: Vec<f32> = x.chunks(150).map(|sample| sample.iter().sum::<f32>() / 20.0).collect();
    put(path, "d/x.npy", npy("<f4", "(40, 3, 5, 5, 2)", &bytes(&x)));
    put(path, "d/y.npy", npy("<f4", "(40, 1)", &bytes(&y)));
    let each = r#"{"conv2d":{"filters":3,"kernel":[3,3],"stride":[1,1],"padding":{"top":0,"bottom":0,"left":0,"right":0}}},"flatten""#;
    let layers = format!(r#"[{{"time_distributed":{{"layers":[{each}]}}}},"mean",{{"dense":{{"outputs":1}}}}]"#);
    put(path, "n.json", format!(r#"{{"name":"n","kind":"numbers","input":[3,5,5,2],"layers":{layers}}}"#));
    ackermann(path, "train --net n.json --data d --out r --epochs 20 --batch 8 --lr 0.01").ok();
    ackermann(path, "quantize r --calibrate d --out m.ackm").ok();
    let eval = ackermann(path, "eval r m.ackm --data d --json").json();
    let [float, int8] = ["float", "int8"].map(|of| eval[of]["mae"].as_f64().unwrap());
    assert!((float - int8).abs() < 0.05, "{eval}");
    assert_eq!(ackermann(path, "eval m.ackm --data d --json").json()["int8"], eval["int8"]);
    let ran = ackermann(path, "run m.ackm --input d/x.npy --output y.npy --json").json();
    assert_eq!(ran["outputs"][0]["shape"][0], 40, "{ran}");
}
