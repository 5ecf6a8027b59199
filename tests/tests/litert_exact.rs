//! Networks of one operator give, byte for byte, what LiteRT's reference kernels gave on the same inputs.
//!
//! The archives in `tests/litert` were made by `make.py` there: networks, inputs and answers.

use ackermann_core::blob::AlignedBytes;
use ackermann_core::ops::{Kernels, Reference, Selected};
use ackermann_core::{Model, Session};
use ackermann_tests::archive::{Case, cases, far, payload};
use ackermann_trainer::import::{DenseRounding, ImportOptions, convert_tflite, read_tflite};
use ackermann_trainer::quant::assemble;

/// What `case` gives with kernels `K`: the bytes of each output.
fn outputs<K: Kernels>(blob: &[u8], case: &Case) -> Vec<Vec<u8>> {
    let model = Model::load(blob).unwrap();
    let mut arena = AlignedBytes::zeroed(model.arena_bytes());
    let mut session = Session::new(model, &mut arena).unwrap();
    for i in 0..model.inputs().len() {
        let bytes = payload(&case[&format!("in{i}")]);
        let input = session.input_mut(i).unwrap();
        assert_eq!(input.len(), bytes.len());
        input.iter_mut().zip(bytes).for_each(|(to, from)| *to = from as i8);
    }
    session.run_with::<K>(|_, _| ());
    (0..model.outputs().len()).map(|i| session.output(i).unwrap().iter().map(|q| *q as u8).collect()).collect()
}

/// Where the case differs, or `None`.
fn difference(case: &Case) -> Option<String> {
    let options = ImportOptions { rounding: DenseRounding::Single };
    let mut network = match convert_tflite(&payload(&case["model"]), &options) {
        Ok(network) => network,
        Err(error) => return Some(error.to_string()),
    };
    let blob = match assemble(&mut network) {
        Ok(blob) => blob,
        Err(error) => return Some(error.to_string()),
    };
    for found in [outputs::<Reference>(&blob, case), outputs::<Selected>(&blob, case)] {
        for (i, found) in found.iter().enumerate() {
            let expected = payload(&case[&format!("out{i}")]);
            let unit = network.tensors[usize::from(network.outputs[i])].element.bytes();
            let differ: Vec<usize> = (0..expected.len() / unit)
                .filter(|at| found.get(at * unit..(at + 1) * unit) != Some(&expected[at * unit..(at + 1) * unit]))
                .collect();
            if found.len() != expected.len() || !differ.is_empty() {
                let first = differ.first().copied().unwrap_or(0) * unit;
                return Some(format!(
                    "{} of {} values differ, the first at {first}: {:?} for {:?}",
                    differ.len(),
                    expected.len() / unit,
                    &found[first..first + unit],
                    &expected[first..first + unit]
                ));
            }
        }
    }
    None
}

fn agree(group: &str, least: usize) {
    let cases = cases(&format!("litert/{group}"));
    assert!(cases.len() >= least, "{} cases", cases.len());
    let differing: Vec<String> =
        cases.iter().filter_map(|(name, case)| Some(format!("{name}: {}", difference(case)?))).collect();
    assert!(differing.is_empty(), "{} of {} cases:\n{}", differing.len(), cases.len(), differing.join("\n"));
}

/// Float networks of one operator, calibrated on their input, are as near to LiteRT's answer as int8 allows.
#[test]
fn float_networks_are_near() {
    let cases = cases("litert/float");
    assert_eq!(cases.len(), 40);
    let wrong = cases.iter().filter_map(|(name, case)| {
        let error = match read_tflite(&payload(&case["model"]), &ImportOptions::default()) {
            Ok(imported) => far(imported, case, 2.5),
            Err(error) => Some(error.to_string()),
        };
        error.map(|error| format!("{name}: {error}"))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn functions() {
    agree("functions", 27);
}

#[test]
fn arithmetic() {
    agree("arithmetic", 24);
}

#[test]
fn movement() {
    agree("movement", 58);
}

#[test]
fn int16() {
    agree("int16", 26);
}

#[test]
fn weights() {
    agree("weights", 42);
}
