//! Networks that remember against such as do not.

use super::ackermann;
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
    let quantized = "quantize t/micro-lstm --calibrate sim --frames 48 --out q.ackm --qat";
    ackermann(path, quantized).fails(2, &["micro-lstm", "remembers", "--qat"]);
}
