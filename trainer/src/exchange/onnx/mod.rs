//! Trained networks as ONNX files.
//!
//! ONNX thinks in PyTorch's order, channels first, so the weights are those of the `state_dict` and pictures need no transposition; only
//! where a layer works on a dimension that stands elsewhere there, or recurrent layers want time first, a `Transpose` stands. Weights have
//! the names of the `state_dict`, values those of their operators, numbered.

mod layers;
mod nested;
pub mod proto;
mod recurrent;
mod sequences;

use std::collections::HashMap;
use std::path::Path;

use super::layout::foreign_in_onnx;
use super::pytorch::values;
use crate::graph::Params;
use crate::nn::{Built, InputKind, Layer, Mode, Network, named};
use crate::{Error, ErrorKind, Result, files};
use proto::{FLOAT, INT64, Made};

/// Version of the operators: the first with `Gelu`.
const OPSET: i64 = 20;
/// Version of the file format that goes with it.
const FORMAT: i64 = 9;

/// Writes `network` with `params`; its input is `input` `[N, ..]`, pictures channels first, and its output `output`.
///
/// # Errors
/// Parameters of another network; a layer that ONNX has not; what the file system says.
pub fn save(path: &Path, network: &Network, params: &Params) -> Result<()> {
    files::write(path, &write(network, params)?)
}

/// The bytes of the file; see [`save`].
pub fn write(network: &Network, params: &Params) -> Result<Vec<u8>> {
    network.check(params)?;
    let tensors = foreign_in_onnx(network)?.into_iter();
    let tensors = tensors.map(|tensor| {
        let values = values(&tensor, params).collect();
        (tensor.name, Tensor { dims: tensor.shape, values })
    });
    let built = network.build(1, Mode::Eval)?;
    let mut writer =
        Writer { built, tensors: tensors.collect(), nodes: Vec::new(), initializers: Vec::new(), values: 0 };
    let input = Value { name: "input".into(), shape: network.input.clone(), picture: None };
    let output = writer.sequence("", &network.layers, input)?;
    Ok(writer.finish(network, &output))
}

/// A tensor of the `state_dict`.
#[derive(Debug, Clone)]
struct Tensor {
    dims: Vec<usize>,
    values: Vec<f32>,
}

/// A value of the file's graph.
#[derive(Debug, Clone)]
struct Value {
    name: String,
    /// Our shape, without the batch. In the file the last three dimensions of pictures are channels first.
    shape: Vec<usize>,
    /// The pictures (height, width, channels) that this is the flattened form of, channel by channel.
    picture: Option<[usize; 3]>,
}

struct Writer {
    built: Built,
    tensors: HashMap<String, Tensor>,
    nodes: Vec<Made>,
    initializers: Vec<Made>,
    /// Values named so far.
    values: usize,
}

impl Value {
    /// Whether the file has it channels first.
    fn is_picture(&self) -> bool {
        self.shape.len() >= 3
    }

    /// Our shape in the file's order.
    fn dims(&self) -> Vec<i64> {
        file_order(&self.shape)
    }
}

/// `shape` (without the batch) with channels first.
fn file_order(shape: &[usize]) -> Vec<i64> {
    let mut dims: Vec<i64> = shape.iter().map(|d| *d as i64).collect();
    if let Some(picture) = dims.last_chunk_mut::<3>() {
        picture.rotate_right(1);
    }
    dims
}

impl Writer {
    fn sequence(&mut self, path: &str, layers: &[Layer], mut x: Value) -> Result<Value> {
        for (name, layer) in named(path, layers) {
            x = self.layer(&name, layer, x)?;
        }
        Ok(x)
    }

    /// Shape of a layer's output, without the batch.
    fn output_shape(&self, name: &str) -> Result<Vec<usize>> {
        let missing = || Error::new(ErrorKind::Internal, name, "is no layer of the graph");
        let [_, output] = self.built.sides.get(name).ok_or_else(missing)?;
        Ok(self.built.graph.shape(*output)[1..].to_vec())
    }

    /// Appends a node; the name of its output.
    fn node(&mut self, operator: &str, inputs: &[&str], attributes: &[Made]) -> String {
        self.node_with(operator, inputs, attributes, 1).swap_remove(0)
    }

    /// Appends a node with several outputs.
    fn node_with(&mut self, operator: &str, inputs: &[&str], attributes: &[Made], outputs: usize) -> Vec<String> {
        let fresh: Vec<String> =
            (0..outputs).map(|at| format!("{}_{}", operator.to_lowercase(), self.values + at)).collect();
        self.values += outputs;
        self.nodes.push(proto::node(operator, inputs, &fresh, attributes));
        fresh
    }

    /// `x` through a node that leaves its shape.
    fn same(&mut self, operator: &str, x: Value, attributes: &[Made]) -> Value {
        let name = self.node(operator, &[&x.name], attributes);
        Value { name, ..x }
    }

    /// An initializer of floats.
    fn floats(&mut self, name: &str, dims: &[usize], values: &[f32]) -> String {
        let dims: Vec<i64> = dims.iter().map(|d| *d as i64).collect();
        self.initializers.push(proto::floats(name, &dims, values));
        name.to_string()
    }

    /// An initializer with one float.
    fn number(&mut self, value: f32) -> String {
        let name = format!("number_{}", self.values);
        self.values += 1;
        self.floats(&name, &[], &[value])
    }

    /// An initializer that is a list of whole numbers.
    fn list(&mut self, values: &[i64]) -> String {
        let name = format!("list_{}", self.values);
        self.values += 1;
        self.initializers.push(proto::int64s(&name, values));
        name
    }

    fn tensor(&self, name: &str) -> Result<Tensor> {
        let missing = || Error::new(ErrorKind::Internal, name, "is no parameter of the network");
        self.tensors.get(name).cloned().ok_or_else(missing)
    }

    /// A tensor of the `state_dict` as an initializer, if there is one of this name.
    fn param(&mut self, name: &str) -> Option<String> {
        let Tensor { dims, values } = self.tensors.get(name).cloned()?;
        Some(self.floats(name, &dims, &values))
    }

    fn transpose(&mut self, x: &str, order: &[i64]) -> String {
        self.node("Transpose", &[x], &[proto::ints("perm", order)])
    }

    fn reshape(&mut self, x: &str, dims: &[i64]) -> String {
        let list = self.list(dims);
        self.node("Reshape", &[x, &list], &[])
    }

    /// `x` with its last dimension last: pictures are transposed.
    fn channels_last(&mut self, x: &Value) -> String {
        if x.is_picture() { self.transpose(&x.name, &moved(x.shape.len() + 1, false)) } else { x.name.clone() }
    }

    /// The reverse of [`Writer::channels_last`], for a value of this shape.
    fn channels_first(&mut self, name: String, shape: Vec<usize>) -> Value {
        let name = if shape.len() >= 3 { self.transpose(&name, &moved(shape.len() + 1, true)) } else { name };
        Value { name, shape, picture: None }
    }

    fn finish(mut self, network: &Network, output: &Value) -> Vec<u8> {
        self.nodes.push(proto::node("Identity", &[&output.name], &["output"], &[]));
        let element = if matches!(network.kind, InputKind::Tokens { .. }) { INT64 } else { FLOAT };
        let ports = |name: &str, element: i64, dims: Vec<i64>| proto::port(name, element, &[&[0], &dims[..]].concat());
        let graph = Made::default()
            .each(1, &self.nodes)
            .bytes(2, network.name.as_bytes())
            .each(5, &self.initializers)
            .each(11, &[ports("input", element, file_order(&network.input))])
            .each(12, &[ports("output", FLOAT, output.dims())]);
        Made::default()
            .int(1, FORMAT)
            .bytes(2, b"ackermann")
            .bytes(3, env!("CARGO_PKG_VERSION").as_bytes())
            .bytes(7, &graph.0)
            .bytes(8, &Made::default().int(2, OPSET).0)
            .0
    }
}

/// The order of `rank` dimensions that brings channels before the last two (or back behind them).
fn moved(rank: usize, first: bool) -> Vec<i64> {
    let mut order: Vec<i64> = (0..rank as i64).collect();
    if let Some(picture) = order.last_chunk_mut::<3>() {
        if first { picture.rotate_right(1) } else { picture.rotate_left(1) }
    }
    order
}
