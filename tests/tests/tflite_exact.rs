//! Networks quantized elsewhere give, byte for byte, what TFLite's reference kernels gave on the same input.

use ackermann_core::blob::{Layout, repack};
use ackermann_tests::shared::{REFERENCES, int8, models};
use ackermann_trainer::import::{DenseRounding, ImportOptions, import_tflite};
use ackermann_trainer::quant::run_files;

/// Imports the network, runs its recorded input and compares with the recorded outputs, in every weight layout.
fn compare(model: &str) {
    let Some(folder) = models() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let output = scratch.path().join("output.npy");
    let mut compared = 0;
    for reference in REFERENCES.iter().filter(|reference| reference.model == model) {
        let rounding = if reference.who == "tflm" { DenseRounding::Double } else { DenseRounding::Single };
        let blob = import_tflite(&reference.network(&folder), &ImportOptions { rounding }).unwrap();
        for layout in Layout::ALL {
            run_files(&repack(&blob, layout).unwrap(), &reference.input(&folder), &output, false).unwrap();
            assert!(int8(&output) == int8(&reference.output(&folder)), "{reference:?}, {layout:?}");
            compared += 1;
        }
    }
    assert_eq!(compared, 2 * Layout::ALL.len());
}

#[test]
fn pilotnet() {
    compare("pilotnet");
}

#[test]
fn anomaly_detection_in_both_roundings() {
    compare("ad_dense");
}

#[test]
fn keyword_spotting() {
    compare("kws_dscnn");
}

#[test]
fn visual_wake_words() {
    compare("vww_mobilenet");
}

#[test]
fn image_classification() {
    compare("ic_resnet8");
}

#[test]
fn digits_row_by_row() {
    compare("mnist_lstm");
}
