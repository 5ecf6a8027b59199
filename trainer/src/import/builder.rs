//! What every float format is turned into: a graph of ours, made node by node under limits that no file can lift.

use ackermann_core::blob::Window as CoreWindow;

use super::{unusable, within};
use crate::Result;
use crate::graph::{NodeId, Param, Shape};
use crate::ops::{
    BatchNorm, Broadcast, Clamp, Concat, Function, Gather, MAX_INPUTS, Op, Padding, Relu, Reshape, Slice, Tanh,
    Transpose, Unary,
};
use crate::quant::{FloatGraph, Quantization};

/// Most elements of one tensor: far more than the largest board holds.
pub const MAX_ELEMENTS: usize = 1 << 24;
/// Most elements of all tensors, and of all constants: a file may use one constant for many operators.
const MAX_TOTAL: usize = 1 << 26;
/// Longest kernel, stride, dilation or padding that the core takes.
pub const MAX_WINDOW: usize = 4095;

/// A graph in the making.
#[derive(Debug, Default)]
pub struct Builder {
    float: FloatGraph,
    elements: usize,
}

impl Builder {
    /// The graph, with these outputs.
    pub fn finish(mut self, outputs: Vec<NodeId>) -> FloatGraph {
        self.float.outputs = outputs;
        self.float
    }

    /// A tensor that is fed.
    pub fn input(&mut self, name: &str, shape: &[usize]) -> Result<NodeId> {
        self.take(&shape.into(), name)?;
        let node = self.float.graph.input(name, shape);
        self.float.inputs.push(node);
        Ok(node)
    }

    /// An input holds whole numbers, which pick.
    pub fn integers(&mut self, input: NodeId) {
        self.float.given.integers.insert(input);
    }

    /// Weights or other constants; `name` is made unique.
    pub fn param(&mut self, name: &str, shape: &[usize], data: Vec<f32>) -> Result<NodeId> {
        let shape = Shape::from(shape);
        self.take(&shape, name)?;
        if data.iter().any(|value| !value.is_finite()) {
            return Err(unusable(format!("'{name}' holds a NaN or an infinity")));
        }
        let name = format!("{name}#{}", self.float.params.entries().len());
        self.float.params.insert(Param { name: name.clone(), shape: shape.clone(), data, trainable: false })?;
        Ok(self.float.graph.param(&name, shape))
    }

    /// Applies an operator under a name for people.
    pub fn push(&mut self, name: &str, op: impl Into<Op>, inputs: &[NodeId]) -> Result<NodeId> {
        let placed = self.float.graph.push_named(name, op, inputs);
        let node = placed.map_err(|error| within(name, unusable(error.message)))?;
        let shape = self.float.graph.shape(node).clone();
        self.take(&shape, name)?;
        Ok(node)
    }

    fn take(&mut self, shape: &Shape, name: &str) -> Result<()> {
        let elements = shape.elements();
        self.elements = self.elements.saturating_add(elements);
        if elements == 0 || elements > MAX_ELEMENTS || self.elements > MAX_TOTAL {
            return Err(unusable(format!("'{name}' of shape {shape} is empty or too large for any board")));
        }
        Ok(())
    }

    /// Shape of a node.
    pub fn shape(&self, node: NodeId) -> &[usize] {
        self.float.graph.shape(node)
    }

    /// The quantization of a node's values is known.
    pub fn give(&mut self, node: NodeId, quantization: Quantization) {
        self.float.given.values.insert(node, quantization);
    }

    /// The quantization that was given for a node's values.
    pub fn given(&self, node: NodeId) -> Option<Quantization> {
        self.float.given.values.get(&node).copied()
    }

    /// The scales of weights are known: one, or one for each output channel.
    pub fn give_scales(&mut self, weights: NodeId, scales: Vec<f32>) {
        self.float.given.weights.insert(weights, scales);
    }

    /// A bias is known in whole steps, each with the step's size.
    pub fn give_bias(&mut self, bias: NodeId, steps: Vec<(i32, f32)>) {
        self.float.given.biases.insert(bias, steps);
    }

    /// The same values in another shape.
    pub fn reshape(&mut self, name: &str, x: NodeId, shape: &[usize]) -> Result<NodeId> {
        if self.shape(x) == shape { Ok(x) } else { self.push(name, Reshape { shape: shape.into() }, &[x]) }
    }

    /// Dimension `i` of the result is dimension `order[i]` of `x`: a reshape where only dimensions of 1 change places.
    pub fn transpose(&mut self, name: &str, x: NodeId, order: &[usize]) -> Result<NodeId> {
        let shape = self.shape(x);
        let moved: Vec<usize> = order.iter().copied().filter(|axis| shape.get(*axis) != Some(&1)).collect();
        if moved.is_sorted() && order.iter().all(|axis| *axis < shape.len()) {
            let shape: Vec<usize> = order.iter().map(|axis| shape[*axis]).collect();
            return self.reshape(name, x, &shape);
        }
        self.push(name, Transpose { order: order.to_vec() }, &[x])
    }

    /// `scale x + offset` along the last dimension; one value each, or one for each channel.
    pub fn scaled(&mut self, name: &str, x: NodeId, scale: Vec<f32>, offset: Vec<f32>) -> Result<NodeId> {
        let shape = self.shape(x).to_vec();
        let channels = shape.last().copied().unwrap_or(1);
        let all = |values: Vec<f32>| if values.len() == 1 { values.repeat(channels) } else { values };
        // On its own it becomes a convolution, which works on images; behind a layer it is folded into that.
        let folds = matches!(self.float.graph.node(x).op, Op::Dense(_)) && self.given(x).is_none();
        let is_image = shape.len() == 4 || folds;
        let rows = shape.iter().product::<usize>() / channels.max(1);
        let x = if is_image { x } else { self.reshape(name, x, &[1, 1, rows, channels])? };
        let mut inputs = vec![x];
        for values in [all(scale), all(offset), vec![0.0; channels], vec![1.0; channels]] {
            inputs.push(self.param(name, &[channels], values)?);
        }
        let scaled = self.push(name, BatchNorm { epsilon: 0.0 }, &inputs)?;
        self.reshape(name, scaled, &shape)
    }

    /// Tensors one after another along `axis`, however many.
    pub fn concat(&mut self, name: &str, inputs: &[NodeId], axis: usize) -> Result<NodeId> {
        let mut parts = inputs.to_vec();
        while parts.len() > MAX_INPUTS {
            let first = self.push(name, Concat { axis }, &parts[..MAX_INPUTS])?;
            parts.splice(..MAX_INPUTS, [first]);
        }
        self.push(name, Concat { axis }, &parts)
    }

    /// `x` with dimensions of 1 repeated to `shape`.
    pub fn repeated(&mut self, name: &str, x: NodeId, shape: &[usize]) -> Result<NodeId> {
        if self.shape(x) == shape { Ok(x) } else { self.push(name, Broadcast { shape: shape.into() }, &[x]) }
    }

    /// Some places along `axis`, in any order: a slice where they follow each other.
    pub fn picked(&mut self, name: &str, x: NodeId, axis: usize, places: &[usize]) -> Result<NodeId> {
        let mut size = self.shape(x).to_vec();
        let &[first, ..] = places else { return Err(unusable("picks nothing")) };
        if places.iter().enumerate().all(|(at, place)| *place == first + at) {
            let mut begin = vec![0; size.len()];
            (begin[axis], size[axis]) = (first, places.len());
            return self.push(name, Slice::dense(begin, size.into()), &[x]);
        }
        let indices = places.iter().map(|place| *place as f32).collect();
        let indices = self.param(name, &[places.len()], indices)?;
        self.push(name, Gather { axis }, &[x, indices])
    }

    /// A function of one number.
    pub fn function(&mut self, name: &str, x: NodeId, function: Function) -> Result<NodeId> {
        self.push(name, Unary { function }, &[x])
    }

    /// `max(low, min(high, x))`.
    pub fn clamp(&mut self, name: &str, x: NodeId, low: f64, high: f64) -> Result<NodeId> {
        match (low, high) {
            (0.0, f64::INFINITY) => self.push(name, Relu, &[x]),
            _ if low <= high => self.push(name, Clamp { low, high }, &[x]),
            _ => Err(unusable(format!("clamps to {low}..{high}"))),
        }
    }

    /// An activation by TFLite's code (`enum ActivationFunctionType`).
    pub fn activation(&mut self, name: &str, x: NodeId, code: i8) -> Result<NodeId> {
        match code {
            0 => Ok(x),
            1 => self.clamp(name, x, 0.0, f64::INFINITY),
            2 => self.clamp(name, x, -1.0, 1.0),
            3 => self.clamp(name, x, 0.0, 6.0),
            4 => self.push(name, Tanh, &[x]),
            _ => Err(unusable(format!("has a fused activation (code {code}) that is not supported"))),
        }
    }
}

/// Zeros around an image so that a window gives `ceil(length / stride)` positions; what is odd goes to the end (TFLite, ONNX
/// SAME_UPPER) or to the start (ONNX SAME_LOWER).
pub fn same_padding(length: [usize; 2], window: &CoreWindow, lower: bool) -> Padding {
    let [rows, columns] = [0, 1].map(|axis| {
        let extent = (window.kernel[axis].max(1) - 1).saturating_mul(window.dilation[axis]).saturating_add(1);
        let positions = length[axis].div_ceil(window.stride[axis].max(1)).max(1);
        let covered = (positions - 1).saturating_mul(window.stride[axis]).saturating_add(extent);
        let total = covered.saturating_sub(length[axis]);
        let start = if lower { total.div_ceil(2) } else { total / 2 };
        (start, total - start)
    });
    Padding { top: rows.0, bottom: rows.1, left: columns.0, right: columns.1 }
}

/// Filters of groups of channels (output channels x taps x channels of a group) as filters over all channels, zeros where they do not
/// look.
pub fn ungrouped<T: Copy + Default>(filters: &[T], outputs: usize, depth: usize, groups: usize) -> Result<Vec<T>> {
    if filters.len().saturating_mul(groups) > MAX_ELEMENTS {
        return Err(unusable(format!("has {groups} groups, which are too many for any board")));
    }
    let taps = filters.len() / (outputs * depth).max(1);
    let mut values = vec![T::default(); filters.len() * groups];
    for (at, (tap, own)) in values.chunks_mut(depth * groups).zip(filters.chunks(depth)).enumerate() {
        let group = at / taps / (outputs / groups);
        tap[group * depth..][..depth].copy_from_slice(own);
    }
    Ok(values)
}
