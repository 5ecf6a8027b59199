//! Networks of one operator give, byte for byte, what LiteRT's reference kernels gave on the same inputs.
//!
//! The archives in `tests/litert` were made by `make.py` there: networks, inputs and answers.

use std::collections::BTreeMap;
use std::path::Path;

use ackermann_core::blob::AlignedBytes;
use ackermann_core::ops::{Kernels, Reference, Selected};
use ackermann_core::{Model, Session};
use ackermann_trainer::data::npz;
use ackermann_trainer::import::{DenseRounding, ImportOptions, convert_tflite, read_tflite};
use ackermann_trainer::quant::{Int8Predictor, Quantization, Ranges, Samples, assemble};

/// The arrays of one case, as `.npy` files, by name.
type Case = BTreeMap<String, Vec<u8>>;

fn cases(group: &str) -> BTreeMap<String, Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("litert").join(format!("{group}.npz"));
    let mut cases: BTreeMap<String, Case> = BTreeMap::new();
    for (name, bytes) in npz::read(&path).unwrap() {
        let (case, array) = name.split_once('/').unwrap();
        cases.entry(case.into()).or_default().insert(array.into(), bytes);
    }
    cases
}

/// The bytes of an array's elements, those of 64 bits as 32.
fn payload(npy: &[u8]) -> Vec<u8> {
    let header = 10 + usize::from(u16::from_le_bytes([npy[8], npy[9]]));
    let elements = &npy[header..];
    if !String::from_utf8_lossy(&npy[..header]).contains("'<i8'") {
        return elements.to_vec();
    }
    elements.as_chunks::<8>().0.iter().flat_map(|word| word[..4].to_vec()).collect()
}

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
    let cases = cases(group);
    assert!(cases.len() >= least, "{} cases", cases.len());
    let differing: Vec<String> =
        cases.iter().filter_map(|(name, case)| Some(format!("{name}: {}", difference(case)?))).collect();
    assert!(differing.is_empty(), "{} of {} cases:\n{}", differing.len(), cases.len(), differing.join("\n"));
}

/// One sample.
struct Sample(Vec<f32>);

impl Samples for Sample {
    fn count(&self) -> usize {
        1
    }

    fn fill(&self, _: usize, _: usize, values: &mut [f32]) {
        values.copy_from_slice(&self.0);
    }
}

/// Float networks of one operator, calibrated on their input, are as near to LiteRT's answer as int8 allows.
#[test]
fn float_networks_are_near() {
    let floats = |npy: &[u8]| -> Vec<f32> {
        payload(npy).as_chunks::<4>().0.iter().map(|word| f32::from_le_bytes(*word)).collect()
    };
    let cases = cases("float");
    assert_eq!(cases.len(), 5);
    for (name, case) in cases {
        let (input, expected) = (floats(&case["in0"]), floats(&case["out0"]));
        let imported = read_tflite(&payload(&case["model"]), &ImportOptions::default()).unwrap();
        let mut network = imported.quantize(Some(&Sample(input.clone())), Ranges::MinMax).unwrap();
        let blob = assemble(&mut network).unwrap();
        let (from, to) = (&network.tensors[0], &network.tensors[usize::from(network.outputs[0])]);
        let (from, to) = (Quantization::of_spec(from), Quantization::of_spec(to));
        let input: Vec<i8> = input.iter().map(|x| from.quantize(*x)).collect();
        let found = Int8Predictor::new(&blob).unwrap().run(&input).unwrap();
        for (found, expected) in found.iter().zip(&expected) {
            let steps = (to.dequantize(*found) - expected).abs() / to.scale;
            assert!(steps < 2.5, "{name}: {steps} steps from {expected}");
        }
        assert_eq!(found.len(), expected.len(), "{name}");
    }
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
    agree("movement", 50);
}

#[test]
fn int16() {
    agree("int16", 26);
}

#[test]
fn weights() {
    agree("weights", 42);
}
