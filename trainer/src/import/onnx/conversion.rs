//! What every conversion works with: names that stand for computed tensors or for known ones.

use std::collections::HashMap;

use super::constant::Constant;
use super::schema::{Dimension, File, Input, Node, Tensor, element};
use super::value::Value;
use crate::Result;
use crate::import::builder::{Builder, MAX_ELEMENTS};
use crate::import::{unusable, within};
use crate::quant::FloatGraph;

/// Most elements of constants that are decoded in all: a file may use one for many operators.
const MAX_DECODED: usize = 1 << 27;

/// What a name stands for.
#[derive(Debug, Clone)]
pub enum Entry {
    /// Computed from the inputs.
    Value(Value),
    /// Known now.
    Constant(Constant),
}

/// A graph in the making.
#[derive(Debug)]
pub struct Conversion<'c, 'f> {
    /// Version of the operators.
    pub opset: i64,
    /// The graph.
    pub builder: Builder,
    entries: HashMap<&'f str, Entry>,
    initializers: HashMap<&'f str, &'c Tensor<'f>>,
    decoded: usize,
}

impl<'c, 'f> Conversion<'c, 'f> {
    /// A graph that has the file's inputs.
    pub fn new(file: &'c File<'f>) -> Result<Self> {
        let initializers: HashMap<_, _> = file.initializers.iter().map(|tensor| (tensor.name, tensor)).collect();
        let (builder, entries) = (Builder::default(), HashMap::new());
        let mut conversion = Self { opset: file.opset, builder, entries, initializers, decoded: 0 };
        for input in &file.inputs {
            // Files before version 4 of the format list the initializers as inputs, too.
            if !conversion.initializers.contains_key(input.name) {
                let placed = |error| within(format!("input '{}'", input.name), error);
                let value = conversion.input_value(file, input).map_err(placed)?;
                conversion.entries.insert(input.name, Entry::Value(value));
            }
        }
        if conversion.entries.is_empty() || file.outputs.is_empty() {
            return Err(unusable("has no inputs or no outputs"));
        }
        Ok(conversion)
    }

    /// The graph, with the file's outputs.
    pub fn finish(mut self, file: &File<'f>) -> Result<FloatGraph> {
        let mut outputs = Vec::new();
        for name in &file.outputs {
            let node = match self.entry(name)? {
                Some(Entry::Value(value)) => {
                    // As the node has it where that is channels last, else as ONNX has it.
                    match &value.order()[..] {
                        order @ ([0, 2, 3, 1] | [0, 2, 1]) => value.ordered(&mut self.builder, name, order)?,
                        _ => value.in_order(&mut self.builder, name)?,
                    }
                }
                _ => return Err(unusable(format!("output '{name}' is not computed from the inputs"))),
            };
            outputs.push(node);
        }
        Ok(self.builder.finish(outputs))
    }

    fn input_value(&mut self, file: &File<'f>, input: &Input<'f>) -> Result<Value> {
        let whole = [element::INT32, element::INT64].contains(&input.element);
        if !whole && ![element::FLOAT, element::INT8, element::UINT8].contains(&input.element) {
            let name = element::name(input.element);
            return Err(unusable(format!(
                "is {name}; FLOAT, INT8, UINT8, and as indices INT32 and INT64 are supported"
            )));
        }
        let shape = input_shape(input)?;
        let order: Vec<usize> = match shape.len() {
            4 if !is_read_by(file, input.name, channels_are_last) => vec![0, 2, 3, 1],
            3 if is_read_by(file, input.name, is_layer) => vec![0, 2, 1],
            rank => (0..rank).collect(),
        };
        let mut stored: Vec<usize> = order.iter().map(|dim| shape[*dim]).collect();
        let batched = stored.first() == Some(&1);
        if !batched {
            stored.insert(0, 1);
        }
        if stored.len() > 4 {
            return Err(unusable(format!(
                "has shape {shape:?}; a batch of 1 and at most three more dimensions are supported"
            )));
        }
        let node = self.builder.input(input.name, &stored)?;
        if whole {
            self.builder.integers(node);
        }
        let mut value = Value::stored(&self.builder, node, &order);
        if !batched {
            value.dims.iter_mut().flatten().for_each(|axis| *axis += 1);
        }
        Ok(value)
    }

    /// What `name` stands for; `None` for nothing.
    pub fn entry(&mut self, name: &str) -> Result<Option<Entry>> {
        if let Some(entry) = self.entries.get(name) {
            return Ok(Some(entry.clone()));
        }
        let Some(&tensor) = self.initializers.get(name) else { return Ok(None) };
        let constant = Constant::of(tensor)?;
        self.decoded = self.decoded.saturating_add(constant.values.len());
        if self.decoded > MAX_DECODED {
            return Err(unusable("uses more constants than any board holds"));
        }
        Ok(Some(Entry::Constant(constant)))
    }

    /// `name` stands for this from now on.
    pub fn set(&mut self, name: &'f str, entry: Entry) -> Result<()> {
        if name.is_empty() {
            return Ok(());
        }
        if let Entry::Constant(constant) = &entry {
            self.decoded = self.decoded.saturating_add(constant.values.len());
            if constant.values.len() > MAX_ELEMENTS || self.decoded > MAX_DECODED {
                return Err(unusable("computes more constants than any board holds"));
            }
        }
        match self.entries.insert(name, entry) {
            None => Ok(()),
            Some(_) => Err(unusable(format!("gives '{name}', which is given already"))),
        }
    }

    /// Input number `at`; `None` where it is left out.
    pub fn operand(&mut self, node: &Node<'f>, at: usize) -> Result<Option<Entry>> {
        let Some(name) = node.input(at) else { return Ok(None) };
        self.entry(name)?.map(Some).ok_or_else(|| unusable(format!("reads '{name}', which nothing gives")))
    }

    /// Input number `at`, which is computed.
    pub fn value(&mut self, node: &Node<'f>, at: usize) -> Result<Value> {
        match self.operand(node, at)? {
            Some(Entry::Value(value)) => Ok(value),
            Some(Entry::Constant(_)) => Err(unusable(format!("has a constant as input {at}, which is not supported"))),
            None => Err(unusable(format!("lacks input {at}"))),
        }
    }

    /// Input number `at`, which is known, if it is given.
    pub fn known(&mut self, node: &Node<'f>, at: usize) -> Result<Option<Constant>> {
        match self.operand(node, at)? {
            Some(Entry::Constant(constant)) => Ok(Some(constant)),
            Some(Entry::Value(_)) => Err(unusable(format!("computes input {at}, which must be a constant"))),
            None => Ok(None),
        }
    }

    /// Input number `at`, which is known.
    pub fn constant(&mut self, node: &Node<'f>, at: usize) -> Result<Constant> {
        self.known(node, at)?.ok_or_else(|| unusable(format!("lacks input {at}")))
    }

    /// Integers that newer versions have as input number `at` and older ones as an attribute.
    pub fn integers(&mut self, node: &Node<'f>, at: usize, attribute: &str) -> Result<Option<Vec<i64>>> {
        match node.ints(attribute)? {
            Some(list) => Ok(Some(list)),
            None => Ok(self.known(node, at)?.map(|constant| constant.integers())),
        }
    }

    /// The dimension that `axis` means, which counts from the end where it is negative.
    pub fn axis(&self, axis: i64, rank: usize) -> Result<usize> {
        let counted = if axis < 0 { axis + rank as i64 } else { axis };
        let found = usize::try_from(counted).ok().filter(|axis| *axis < rank);
        found.ok_or_else(|| unusable(format!("has axis {axis} on a tensor of {rank} dimensions")))
    }
}

fn input_shape(input: &Input<'_>) -> Result<Vec<usize>> {
    let dims = input.dims.as_ref().ok_or_else(|| unusable("has no shape"))?;
    let length = |(at, dim): (usize, &Dimension<'_>)| match dim {
        Dimension::Known(length) if *length > 0 => Ok(*length as usize),
        // The first one left open is the batch.
        Dimension::Open(_) | Dimension::Known(_) if at == 0 => Ok(1),
        Dimension::Open(name) => {
            let advice = "fix it before (onnxruntime.tools.make_dynamic_shape_fixed)";
            Err(unusable(format!("leaves dimension {at} ('{name}') open: {advice}")))
        }
        Dimension::Known(length) => Err(unusable(format!("has a dimension of {length}"))),
    };
    dims.iter().enumerate().map(length).collect()
}

/// Whether an operator for which `test` holds reads `name`, perhaps quantized.
fn is_read_by(file: &File<'_>, name: &str, test: fn(&Node<'_>) -> bool) -> bool {
    let mut names = vec![name];
    for node in &file.nodes {
        if node.input(0).is_some_and(|input| names.contains(&input)) {
            if test(node) {
                return true;
            }
            if ["QuantizeLinear", "DequantizeLinear", "Cast", "Identity"].contains(&node.operator) {
                names.extend(&node.outputs);
            }
        }
    }
    false
}

fn channels_are_last(node: &Node<'_>) -> bool {
    node.operator == "Transpose" && node.ints("perm").is_ok_and(|perm| perm == Some(vec![0, 3, 1, 2]))
}

fn is_layer(node: &Node<'_>) -> bool {
    ["Conv", "QLinearConv", "ConvTranspose", "BatchNormalization", "MaxPool", "AveragePool"].contains(&node.operator)
}
