use std::path::PathBuf;

use super::*;

fn model(name: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/models").join(name);
    let found = std::fs::read(&path).ok();
    if found.is_none() {
        println!("skipped: {} not found", path.display());
    }
    found
}

#[test]
fn unsupported_operators_are_refused_by_name_and_index() {
    let refusals = [
        ("mnist_lstm.tflite", "operator 0", "UNIDIRECTIONAL_SEQUENCE_LSTM"),
        ("pilotnet_float.tflite", "operator 0 (CONV_2D)", "FLOAT32"),
    ];
    for (name, place, word) in refusals {
        let Some(bytes) = model(name) else { return };
        let error = convert_tflite(&bytes, &ImportOptions::default()).unwrap_err();
        assert_eq!(error.place, place, "{name}: {error}");
        assert!(error.message.contains(word), "{name}: {error}");
    }
}

#[test]
fn damaged_files_give_errors() {
    let Some(bytes) = model("pilotnet.tflite") else { return };
    let options = ImportOptions::default();
    assert!(convert_tflite(&bytes, &options).is_ok());
    for cut in (0..bytes.len()).step_by(997).chain([bytes.len() - 1]) {
        assert!(convert_tflite(&bytes[..cut], &options).is_err(), "cut at {cut}");
    }
    // The description stands at both ends of the file; wherever a byte is wrong, nothing may panic.
    let ends = (0..256).chain((bytes.len() - 16_384..bytes.len()).step_by(29));
    for at in ends {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x91;
        if let Ok(mut network) = convert_tflite(&damaged, &options) {
            let _ = assemble(&mut network);
        }
    }
}

#[test]
fn other_files_are_not_tflite() {
    let error = convert_tflite(b"not a model at all", &ImportOptions::default()).unwrap_err();
    assert!(error.message.contains("TFL3"), "{error}");
}
