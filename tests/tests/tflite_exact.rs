//! Networks quantized elsewhere give, byte for byte, what TFLite's reference kernels gave on the same input.

use std::path::{Path, PathBuf};

use ackermann_core::blob::{Layout, repack};
use ackermann_trainer::import::{DenseRounding, ImportOptions, import_tflite};
use ackermann_trainer::quant::run_npy;

fn models() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/models");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: {} not found", folder.display());
    None
}

/// Imports `model`, runs its recorded input and compares with the recorded output, in both weight layouts.
fn compare(folder: &Path, model: &str, expected: &str, rounding: DenseRounding) {
    let blob = import_tflite(&folder.join(format!("{model}.tflite")), &ImportOptions { rounding }).unwrap();
    let expected = std::fs::read(folder.join(expected)).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let output = scratch.path().join("output.npy");
    for layout in Layout::ALL {
        let packed = repack(&blob, layout).unwrap();
        run_npy(&packed, &folder.join(format!("{model}_in.npy")), &output).unwrap();
        let found = std::fs::read(&output).unwrap();
        assert!(payload(&found) == payload(&expected), "{model}, {layout:?}, {rounding:?}");
    }
}

/// The numbers of an int8 array in NumPy's format, version 1.
fn payload(npy: &[u8]) -> &[u8] {
    let header = usize::from(u16::from_le_bytes([npy[8], npy[9]]));
    assert!(String::from_utf8_lossy(&npy[..10 + header]).contains("'|i1'"));
    &npy[10 + header..]
}

#[test]
fn pilotnet() {
    let Some(folder) = models() else { return };
    for rounding in [DenseRounding::Double, DenseRounding::Single] {
        compare(&folder, "pilotnet", "pilotnet_out_litert.npy", rounding);
    }
}

#[test]
fn anomaly_detection_in_both_roundings() {
    let Some(folder) = models() else { return };
    compare(&folder, "ad_dense", "ad_dense_out_tflm.npy", DenseRounding::Double);
    compare(&folder, "ad_dense", "ad_dense_out_litert.npy", DenseRounding::Single);
}

#[test]
fn keyword_spotting() {
    let Some(folder) = models() else { return };
    compare(&folder, "kws_dscnn", "kws_dscnn_out_tflm.npy", DenseRounding::Double);
    compare(&folder, "kws_dscnn", "kws_dscnn_out_litert.npy", DenseRounding::Single);
}

#[test]
fn visual_wake_words() {
    let Some(folder) = models() else { return };
    compare(&folder, "vww_mobilenet", "vww_mobilenet_out_tflm.npy", DenseRounding::Double);
    compare(&folder, "vww_mobilenet", "vww_mobilenet_out_litert.npy", DenseRounding::Single);
}

#[test]
fn image_classification() {
    let Some(folder) = models() else { return };
    compare(&folder, "ic_resnet8", "ic_resnet8_out_tflm.npy", DenseRounding::Double);
    compare(&folder, "ic_resnet8", "ic_resnet8_out_litert.npy", DenseRounding::Single);
}

#[test]
fn digits_row_by_row() {
    let Some(folder) = models() else { return };
    compare(&folder, "mnist_lstm", "mnist_lstm_out_tflm.npy", DenseRounding::Double);
    compare(&folder, "mnist_lstm", "mnist_lstm_out_litert.npy", DenseRounding::Single);
}
