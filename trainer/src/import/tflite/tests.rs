use std::path::PathBuf;

use super::*;
use crate::graph::Executor;
use crate::quant::{Inputs, Int8Predictor, Observer, Quantization, assemble, quantize_graph};

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
    let refusals = [("pilotnet_float.tflite", "operator 0 (CONV_2D)", "FLOAT32")];
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

/// The float PilotNet, calibrated on images of its own, stays close to itself in int8.
#[test]
fn a_float_network_is_calibrated_and_quantized() {
    let Some(bytes) = model("pilotnet_float.tflite") else { return };
    let Imported::Float(float) = read_tflite(&bytes, &ImportOptions::default()).unwrap() else { panic!() };
    let images = Images(24);
    let error = quantize_graph(&float, None, Observer::MinMax).unwrap_err();
    assert!(error.message.contains("--calibrate"), "{error}");
    let mut int8 = quantize_graph(&float, Some(&images), Observer::MinMax).unwrap();
    let blob = assemble(&mut int8).unwrap();
    let mut predictor = Int8Predictor::new(&blob).unwrap();
    let mut executor = Executor::<f32>::new(&float.graph, &float.outputs);
    let scale = Quantization::of_spec(&int8.tensors[0]);
    let (mut worst, mut span) = (0f32, (f32::INFINITY, f32::NEG_INFINITY));
    let output = Quantization::of_spec(&int8.tensors[usize::from(int8.outputs[0])]);
    for image in 0..images.count() {
        images.fill(image, 0, executor.input_mut(float.inputs[0]));
        let input: Vec<i8> = executor.input_mut(float.inputs[0]).iter().map(|x| scale.quantize(*x)).collect();
        executor.run(&float.params).unwrap();
        let expected = executor.value(float.outputs[0])[0];
        span = (span.0.min(expected), span.1.max(expected));
        worst = worst.max((output.dequantize(predictor.run(&input).unwrap()[0]) - expected).abs());
    }
    assert!(worst < 0.04 * (span.1 - span.0), "{worst} of {span:?}");
}

/// Striped images, each with another period.
struct Images(usize);

impl Inputs for Images {
    fn count(&self) -> usize {
        self.0
    }

    fn fill(&self, sample: usize, _: usize, values: &mut [f32]) {
        for (at, value) in values.iter_mut().enumerate() {
            *value = ((at * (2 * sample + 3)) as f32 / 97.0).sin();
        }
    }
}
