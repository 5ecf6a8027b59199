//! Files from elsewhere: an error, or a network that can be written, loaded and run.

use ackermann_core::Model;
use ackermann_trainer::data::{npy, npz};
use ackermann_trainer::import::{ImportOptions, Imported, read_onnx, read_tflite};
use ackermann_trainer::quant::{Inputs, Observer, assemble};

/// Most elements of the inputs, and MACs, of networks that are quantized and run.
const MAX_ELEMENTS: usize = 1 << 12;

/// A TFLite file.
pub fn tflite(bytes: &[u8]) {
    if let Ok(imported) = read_tflite(bytes, &ImportOptions::default()) {
        finish(imported);
    }
}

/// An ONNX file.
pub fn onnx(bytes: &[u8]) {
    if let Ok(imported) = read_onnx(bytes) {
        finish(imported);
    }
}

/// A `.npy` file, or a `.npz` archive of them.
pub fn arrays(bytes: &[u8]) {
    let _ = npy::decode(bytes);
    for (_, file) in npz::decode(bytes).into_iter().flatten() {
        let _ = npy::decode(&file);
    }
}

/// What was read is quantized, written and loaded; nothing on the way may panic.
fn finish(imported: Imported) {
    if let Imported::Float(float) = &imported
        && float.graph.nodes().iter().map(|node| node.shape.elements()).sum::<usize>() > MAX_ELEMENTS
    {
        return;
    }
    let shown = matches!(imported, Imported::Float(_));
    if let Ok(mut network) = imported.quantize(shown.then_some(&Ramp as &dyn Inputs), Observer::MinMax)
        && let Ok(blob) = assemble(&mut network)
    {
        Model::load(&blob).expect("the writer writes what the loader takes");
    }
}

/// Two samples of rising numbers.
struct Ramp;

impl Inputs for Ramp {
    fn count(&self) -> usize {
        2
    }

    fn fill(&self, sample: usize, _: usize, values: &mut [f32]) {
        values.iter_mut().enumerate().for_each(|(at, value)| *value = at as f32 / 8.0 - sample as f32);
    }
}
