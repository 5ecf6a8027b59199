//! Networks of ONNX are as near to ONNX Runtime's answers as int8 allows: float ones, calibrated on their input, and quantized ones, which
//! ONNX Runtime computes in float and rounds, within one step.
//!
//! The archives in `tests/onnx` were made by `make.py` there: networks, inputs and answers.

use ackermann_tests::archive::{cases, far, payload};
use ackermann_trainer::import::read_onnx;

fn near(group: &str, count: usize) {
    let cases = cases(&format!("onnx/{group}"));
    assert_eq!(cases.len(), count);
    let wrong = cases.iter().filter_map(|(name, case)| {
        let error = match read_onnx(&payload(&case["model"])) {
            Ok(imported) => far(imported, case, 2.5),
            Err(error) => Some(error.to_string()),
        };
        error.map(|error| format!("{name}: {error}"))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{} of {count} cases:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn float_networks() {
    near("float", 78);
}

#[test]
fn quantized_networks() {
    near("quantized", 15);
}
