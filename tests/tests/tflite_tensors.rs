//! Every operator of a network quantized elsewhere gives what LiteRT's reference kernels gave on the same input; a failure names
//! the first operator that differs.

use ackermann_core::blob::AlignedBytes;
use ackermann_core::ops::Selected;
use ackermann_core::{Model, Session};
use ackermann_tests::shared::models;
use ackermann_trainer::data::npy::{self, Array};
use ackermann_trainer::data::npz;
use ackermann_trainer::import::{DenseRounding, ImportOptions, import_tflite};

fn int8(array: Array) -> Vec<i8> {
    let Array::I8(values) = array else { panic!("{} where int8 is needed", array.type_name()) };
    values.into_iter().collect()
}

/// Compares operator after operator. The recorded tensors are those of the file's operators in order; those that compute
/// shapes have integers of another type and no counterpart.
fn compare(model: &str) {
    let Some(folder) = models() else { return };
    let [network, input, tensors] =
        ["{}.tflite", "{}_in.npy", "{}_tensors_litert.npz"].map(|pattern| folder.join(pattern.replace("{}", model)));
    let decoded = npz::read(&tensors).unwrap().into_iter().map(|(name, bytes)| (name, npy::decode(&bytes)));
    let mut expected: Vec<(String, Vec<i8>)> =
        decoded.filter_map(|(name, array)| array.ok().map(|array| (name, int8(array)))).collect();
    expected.sort();
    let blob = import_tflite(&network, &ImportOptions { rounding: DenseRounding::Single }).unwrap();
    let loaded = Model::load(&blob).unwrap();
    assert_eq!(loaded.operators(), expected.len(), "{model}: operators");
    let mut arena = AlignedBytes::zeroed(loaded.arena_bytes());
    let mut session = Session::new(loaded, &mut arena).unwrap();
    session.input_mut(0).unwrap().copy_from_slice(&int8(npy::read(&input).unwrap()));
    let mut compared = 0;
    session.run_with::<Selected>(|index, output| {
        let (name, expected) = &expected[index];
        let differ = output.iter().zip(expected).filter(|(found, expected)| found != expected).count();
        assert!(output.len() == expected.len(), "{model}, {name}: {} values, not {}", output.len(), expected.len());
        assert!(
            differ == 0,
            "{model}: {name} is the first operator that differs, in {differ} of {} values",
            output.len()
        );
        compared += 1;
    });
    assert_eq!(compared, expected.len());
}

#[test]
fn anomaly_detection() {
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
