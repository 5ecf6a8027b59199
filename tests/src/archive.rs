//! Archives of networks from elsewhere with inputs and the answers of another runtime, and the comparison with ours.

use std::collections::BTreeMap;
use std::path::Path;

use ackermann_core::blob::{AlignedBytes, Element};
use ackermann_core::{Model, Session};
use ackermann_trainer::data::npy::{self, Array};
use ackermann_trainer::data::npz;
use ackermann_trainer::graph::Executor;
use ackermann_trainer::import::Imported;
use ackermann_trainer::quant::{FloatGraph, Inputs, Observer, Quantization, assemble};

/// The arrays of one case, as `.npy` files, by name.
pub type Case = BTreeMap<String, Vec<u8>>;

/// The cases of the archive `tests/NAME.npz`, by name.
///
/// # Panics
/// When there is no such archive.
pub fn cases(name: &str) -> BTreeMap<String, Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("{name}.npz"));
    let mut cases: BTreeMap<String, Case> = BTreeMap::new();
    for (name, bytes) in npz::read(&path).expect("an archive") {
        let (case, array) = name.split_once('/').expect("case/array");
        cases.entry(case.into()).or_default().insert(array.into(), bytes);
    }
    cases
}

/// The bytes of an array's elements, those of 64 bits as 32.
///
/// # Panics
/// When it is no `.npy` file.
pub fn payload(npy: &[u8]) -> Vec<u8> {
    match npy::decode(npy).expect("an array") {
        Array::I8(array) => array.iter().map(|q| *q as u8).collect(),
        Array::U8(array) => array.iter().copied().collect(),
        Array::I16(array) => array.iter().flat_map(|q| q.to_le_bytes()).collect(),
        Array::I32(array) => array.iter().flat_map(|q| q.to_le_bytes()).collect(),
        Array::F32(array) => array.iter().flat_map(|x| x.to_le_bytes()).collect(),
    }
}

/// The numbers of an array of `float32`, or of whole numbers.
fn numbers(npy: &[u8]) -> Vec<f32> {
    match npy::decode(npy).expect("an array") {
        Array::F32(array) => array.iter().copied().collect(),
        Array::I32(array) => array.iter().map(|value| *value as f32).collect(),
        other => panic!("an array of {}", other.type_name()),
    }
}

/// All arrays `KIND0`, `KIND1` and so on.
fn all(case: &Case, kind: &str) -> Vec<Vec<f32>> {
    (0..).map_while(|at| case.get(&format!("{kind}{at}"))).map(|npy| numbers(npy)).collect()
}

/// One sample for each input.
struct Sample<'a>(&'a [Vec<f32>]);

impl Inputs for Sample<'_> {
    fn count(&self) -> usize {
        1
    }

    fn fill(&self, _: usize, input: usize, values: &mut [f32]) {
        values.copy_from_slice(&self.0[input]);
    }
}

/// Where `imported` is further from the answers of `case` than int8, calibrated on its input where it is float, must be: by `steps` of
/// the output's scale (the case may have an array that says so), whole numbers not at all.
pub fn far(imported: Imported, case: &Case, steps: f32) -> Option<String> {
    let (inputs, expected) = (all(case, "in"), all(case, "out"));
    let steps = case.get("steps").map_or(steps, |npy| numbers(npy)[0]);
    if let Imported::Float(float) = &imported
        && float.given.values.is_empty()
        && let Some(error) = float_error(float, &inputs, &expected)
    {
        return Some(format!("in float: {error}"));
    }
    let mut network = match imported.quantize(Some(&Sample(&inputs)), Observer::MinMax) {
        Ok(network) => network,
        Err(error) => return Some(error.to_string()),
    };
    let blob = match assemble(&mut network) {
        Ok(blob) => blob,
        Err(error) => return Some(error.to_string()),
    };
    for (at, (found, expected)) in run(&blob, &inputs).iter().zip(&expected).enumerate() {
        let output = &network.tensors[usize::from(network.outputs[at])];
        let most = if output.element == Element::Int32 { 0.0 } else { steps * output.scale };
        if let Some(error) = difference(found, expected, most) {
            return Some(format!("output {at} (steps of {}): {error}", output.scale));
        }
    }
    None
}

fn difference(found: &[f32], expected: &[f32], most: f32) -> Option<String> {
    if found.len() != expected.len() {
        return Some(format!("{} values for {}", found.len(), expected.len()));
    }
    let near = |at: usize| (found[at] - expected[at]).abs() <= most;
    let wrong = (0..found.len()).find(|at| !near(*at));
    wrong.map(|at| format!("{} at {at} for {}, more than {most} away", found[at], expected[at]))
}

fn float_error(float: &FloatGraph, inputs: &[Vec<f32>], expected: &[Vec<f32>]) -> Option<String> {
    let mut executor = Executor::<f32>::new(&float.graph, &float.outputs);
    for (node, values) in float.inputs.iter().zip(inputs) {
        let input = executor.input_mut(*node);
        if input.len() != values.len() {
            return Some(format!("an input of {} values for {}", input.len(), values.len()));
        }
        input.copy_from_slice(values);
    }
    if let Err(error) = executor.run(&float.params) {
        return Some(error.to_string());
    }
    let pairs = float.outputs.iter().zip(expected).enumerate();
    pairs.into_iter().find_map(|(at, (node, expected))| {
        let largest = expected.iter().fold(1f32, |largest, value| largest.max(value.abs()));
        difference(executor.value(*node), expected, largest * 2e-5).map(|error| format!("output {at}: {error}"))
    })
}

/// The outputs of `blob` as real numbers, or whole ones.
fn run(blob: &[u8], inputs: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let model = Model::load(blob).expect("a valid blob");
    let mut arena = AlignedBytes::zeroed(model.arena_bytes());
    let mut session = Session::new(model, &mut arena).expect("a large enough arena");
    let scale = |tensor: &ackermann_core::blob::Tensor| Quantization {
        scale: tensor.scale(),
        zero_point: tensor.zero_point() as i8,
    };
    for (at, values) in inputs.iter().enumerate() {
        let tensor = *model.input(at).expect("an input");
        let bytes: Vec<i8> = match tensor.element() {
            Element::Int32 => values.iter().flat_map(|v| (*v as i32).to_le_bytes().map(|byte| byte as i8)).collect(),
            _ => values.iter().map(|value| scale(&tensor).quantize(*value)).collect(),
        };
        session.input_mut(at).expect("an input").copy_from_slice(&bytes);
    }
    session.run();
    let output = |at: usize| {
        let (tensor, bytes) = (model.output(at).expect("an output"), session.output(at).expect("an output"));
        match tensor.element() {
            Element::Int32 => {
                let words = bytes.as_chunks::<4>().0;
                words.iter().map(|word| i32::from_le_bytes(word.map(|byte| byte as u8)) as f32).collect()
            }
            _ => bytes.iter().map(|q| scale(tensor).dequantize(*q)).collect(),
        }
    };
    (0..model.outputs().len()).map(output).collect()
}
