//! ONNX files made here: a writer of the few messages that networks use.

use super::schema::element::{FLOAT, INT8, INT32};
use crate::exchange::onnx::proto::{port, tensor};

pub use crate::exchange::onnx::proto::{Made, float, floats, int, int64s, ints, node, text};

pub fn int8s(name: &str, dims: &[i64], values: &[i8]) -> Made {
    let raw: Vec<u8> = values.iter().map(|value| *value as u8).collect();
    tensor(name, dims, INT8, &raw)
}

pub fn int32s(name: &str, dims: &[i64], values: &[i32]) -> Made {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, dims, INT32, &raw)
}

/// A float input; dimensions of 0 are left open under the name "N".
pub fn input(name: &str, dims: &[i64]) -> Made {
    port(name, FLOAT, dims)
}

/// A whole file with the output "y".
pub fn model(opset: i64, nodes: &[Made], initializers: &[Made], inputs: &[Made]) -> Vec<u8> {
    let output = Made::default().bytes(1, b"y");
    let graph = Made::default().each(1, nodes).each(5, initializers).each(11, inputs).each(12, &[output]);
    Made::default().int(1, 8).bytes(7, &graph.0).bytes(8, &Made::default().int(2, opset).0).0
}
