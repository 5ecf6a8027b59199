//! The parts of ONNX's schema that networks use. Field numbers are those of the public `onnx.proto`.

use crate::Result;
use crate::import::protobuf::Message;
use crate::import::{unusable, within};

/// Most nodes and named tensors looked at; far beyond what a board can run.
const MAX_NODES: usize = 4096;
const MAX_TENSORS: usize = 16_384;
/// Most operands or attributes of a node, and numbers of one of its attributes.
const MAX_OPERANDS: usize = 1024;

/// `TensorProto.DataType`.
pub mod element {
    pub const FLOAT: i64 = 1;
    pub const UINT8: i64 = 2;
    pub const INT8: i64 = 3;
    pub const UINT16: i64 = 4;
    pub const INT16: i64 = 5;
    pub const INT32: i64 = 6;
    pub const INT64: i64 = 7;
    pub const BOOL: i64 = 9;
    pub const FLOAT16: i64 = 10;
    pub const DOUBLE: i64 = 11;
    pub const UINT32: i64 = 12;
    pub const UINT64: i64 = 13;

    /// Its name in the schema.
    pub fn name(code: i64) -> String {
        const NAMES: [&str; 14] = [
            "UNDEFINED",
            "FLOAT",
            "UINT8",
            "INT8",
            "UINT16",
            "INT16",
            "INT32",
            "INT64",
            "STRING",
            "BOOL",
            "FLOAT16",
            "DOUBLE",
            "UINT32",
            "UINT64",
        ];
        let known = usize::try_from(code).ok().and_then(|code| NAMES.get(code));
        known.map_or_else(|| format!("element type {code}"), |name| String::from(*name))
    }
}

/// A file.
#[derive(Debug, Default)]
pub struct File<'f> {
    /// Version of the operators.
    pub opset: i64,
    pub nodes: Vec<Node<'f>>,
    pub initializers: Vec<Tensor<'f>>,
    pub inputs: Vec<Input<'f>>,
    pub outputs: Vec<&'f str>,
}

/// An operator.
#[derive(Debug, Default)]
pub struct Node<'f> {
    pub operator: &'f str,
    pub domain: &'f str,
    /// Names; an empty one stands for what is left out.
    pub inputs: Vec<&'f str>,
    pub outputs: Vec<&'f str>,
    attributes: Vec<(&'f str, Attribute<'f>)>,
}

/// What an attribute holds.
#[derive(Debug, Default)]
struct Attribute<'f> {
    float: Option<f32>,
    int: Option<i64>,
    text: Option<&'f [u8]>,
    tensor: Option<Tensor<'f>>,
    floats: Vec<f32>,
    ints: Vec<i64>,
    texts: Vec<&'f [u8]>,
}

/// A constant tensor, its content not looked at yet.
#[derive(Debug, Default, Clone)]
pub struct Tensor<'f> {
    pub name: &'f str,
    pub dims: Vec<i64>,
    pub element: i64,
    /// Little-endian content, or one of the lists.
    pub raw: Option<&'f [u8]>,
    pub floats: Vec<f32>,
    pub ints: Vec<i64>,
    pub doubles: Vec<f64>,
    external: bool,
}

/// A tensor that is fed.
#[derive(Debug, Default)]
pub struct Input<'f> {
    pub name: &'f str,
    pub element: i64,
    /// `None` without a shape.
    pub dims: Option<Vec<Dimension<'f>>>,
}

/// The length of a tensor in one direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Dimension<'f> {
    Known(i64),
    /// Left open under a name (perhaps "").
    Open(&'f str),
}

fn push<T>(list: &mut Vec<T>, value: T, most: usize, what: &str) -> Result<()> {
    if list.len() >= most {
        return Err(unusable(format!("has more than {most} {what}")));
    }
    list.push(value);
    Ok(())
}

impl<'f> File<'f> {
    /// Reads the description of the network; no content is copied.
    pub fn read(bytes: &'f [u8]) -> Result<Self> {
        let (mut file, mut graph) = (Self::default(), None);
        for field in Message::file(bytes).fields() {
            let field = field.map_err(|error| within("no ONNX model", error))?;
            match field.number {
                7 => graph = Some(field.message()?),
                8 => {
                    let (domain, version) = opset(field.message()?)?;
                    if ["", "ai.onnx"].contains(&domain) {
                        file.opset = version;
                    }
                }
                _ => {}
            }
        }
        let graph = graph.ok_or_else(|| unusable("is no ONNX model: it has no graph"))?;
        if file.opset < 1 {
            return Err(unusable("does not say which version of the operators it uses (opset_import)"));
        }
        file.graph(graph)?;
        Ok(file)
    }

    fn graph(&mut self, graph: Message<'f>) -> Result<()> {
        for field in graph.fields() {
            let field = field?;
            match field.number {
                1 => {
                    let index = self.nodes.len();
                    let node = Node::read(field.message()?).map_err(|e| within(format!("node {index}"), e))?;
                    push(&mut self.nodes, node, MAX_NODES, "nodes")?;
                }
                5 => push(&mut self.initializers, Tensor::read(field.message()?)?, MAX_TENSORS, "initializers")?,
                11 => push(&mut self.inputs, Input::read(field.message()?)?, MAX_OPERANDS, "inputs")?,
                12 => push(&mut self.outputs, Input::read(field.message()?)?.name, MAX_OPERANDS, "outputs")?,
                15 => return Err(unusable("has sparse initializers, which are not supported")),
                _ => {}
            }
        }
        Ok(())
    }
}

fn opset(message: Message<'_>) -> Result<(&str, i64)> {
    let (mut domain, mut version) = ("", 0);
    for field in message.fields() {
        let field = field?;
        match field.number {
            1 => domain = field.text()?,
            2 => version = field.int()?,
            _ => {}
        }
    }
    Ok((domain, version))
}

impl<'f> Node<'f> {
    fn read(message: Message<'f>) -> Result<Self> {
        let mut node = Self::default();
        for field in message.fields() {
            let field = field?;
            match field.number {
                1 => push(&mut node.inputs, field.text()?, MAX_OPERANDS, "inputs")?,
                2 => push(&mut node.outputs, field.text()?, MAX_OPERANDS, "outputs")?,
                4 => node.operator = field.text()?,
                5 => push(&mut node.attributes, Attribute::read(field.message()?)?, MAX_OPERANDS, "attributes")?,
                7 => node.domain = field.text()?,
                _ => {}
            }
        }
        if node.outputs.is_empty() {
            return Err(unusable(format!("({}) has no output", node.operator)));
        }
        Ok(node)
    }

    fn attribute<T>(&self, name: &str, get: impl Fn(&Attribute<'f>) -> Option<T>) -> Result<Option<T>> {
        let Some((_, attribute)) = self.attributes.iter().find(|(known, _)| *known == name) else { return Ok(None) };
        get(attribute).map(Some).ok_or_else(|| unusable(format!("has an attribute '{name}' of another type")))
    }

    /// An int attribute.
    pub fn int(&self, name: &str, default: i64) -> Result<i64> {
        // proto3 leaves zeros out.
        Ok(self.attribute(name, |a| Some(a.int.unwrap_or(0)))?.unwrap_or(default))
    }

    /// A float attribute.
    pub fn float(&self, name: &str, default: f32) -> Result<f32> {
        Ok(self.attribute(name, |a| Some(a.float.unwrap_or(0.0)))?.unwrap_or(default))
    }

    /// A text attribute.
    pub fn text(&self, name: &str) -> Result<Option<&'f str>> {
        self.attribute(name, |a| std::str::from_utf8(a.text.unwrap_or_default()).ok())
    }

    /// A list attribute; empty where it is left out.
    pub fn texts(&self, name: &str) -> Result<Vec<&'f str>> {
        let texts = |a: &Attribute<'f>| a.texts.iter().map(|text| std::str::from_utf8(text).ok()).collect();
        Ok(self.attribute(name, texts)?.unwrap_or_default())
    }

    /// A list attribute.
    pub fn ints(&self, name: &str) -> Result<Option<Vec<i64>>> {
        self.attribute(name, |a| Some(a.ints.clone()))
    }

    /// A list attribute.
    pub fn floats(&self, name: &str) -> Result<Option<Vec<f32>>> {
        self.attribute(name, |a| Some(a.floats.clone()))
    }

    /// A tensor attribute.
    pub fn tensor(&self, name: &str) -> Result<Option<Tensor<'f>>> {
        self.attribute(name, |a| a.tensor.clone())
    }

    /// Name of input number `at`, if it is given.
    pub fn input(&self, at: usize) -> Option<&'f str> {
        self.inputs.get(at).copied().filter(|name| !name.is_empty())
    }
}

impl<'f> Attribute<'f> {
    fn read(message: Message<'f>) -> Result<(&'f str, Self)> {
        let (mut name, mut attribute) = ("", Self::default());
        for field in message.fields() {
            let field = field?;
            match field.number {
                1 => name = field.text()?,
                2 => attribute.float = Some(field.float()?),
                3 => attribute.int = Some(field.int()?),
                4 => attribute.text = Some(field.bytes()?),
                5 => attribute.tensor = Some(Tensor::read(field.message()?)?),
                7 => field.floats(&mut attribute.floats)?,
                8 => field.ints(&mut attribute.ints)?,
                9 => push(&mut attribute.texts, field.bytes()?, MAX_OPERANDS, "texts")?,
                _ => {}
            }
            if attribute.ints.len().max(attribute.floats.len()) > MAX_OPERANDS {
                return Err(unusable(format!("has an attribute '{name}' of more than {MAX_OPERANDS} numbers")));
            }
        }
        Ok((name, attribute))
    }
}

impl<'f> Tensor<'f> {
    fn read(message: Message<'f>) -> Result<Self> {
        let mut tensor = Self::default();
        for field in message.fields() {
            let field = field?;
            match field.number {
                1 => field.ints(&mut tensor.dims)?,
                2 => tensor.element = field.int()?,
                4 => field.floats(&mut tensor.floats)?,
                5 | 7 | 11 => field.ints(&mut tensor.ints)?,
                10 => field.doubles(&mut tensor.doubles)?,
                8 => tensor.name = field.text()?,
                9 => tensor.raw = Some(field.bytes()?),
                14 => tensor.external = field.int()? != 0,
                _ => {}
            }
            if tensor.dims.len() > 8 {
                return Err(unusable(format!("tensor '{}' has more than 8 dimensions", tensor.name)));
            }
        }
        if tensor.external {
            let message = "keeps its content in another file; save the model with its data inside";
            return Err(unusable(format!("tensor '{}' {message}", tensor.name)));
        }
        Ok(tensor)
    }
}

impl<'f> Input<'f> {
    fn read(message: Message<'f>) -> Result<Self> {
        let mut input = Self::default();
        for field in message.fields() {
            let field = field?;
            match field.number {
                1 => input.name = field.text()?,
                2 => {
                    for kind in field.message()?.fields() {
                        let kind = kind?;
                        if kind.number == 1 {
                            input.tensor_type(kind.message()?)?;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(input)
    }

    fn tensor_type(&mut self, message: Message<'f>) -> Result<()> {
        for field in message.fields() {
            let field = field?;
            match field.number {
                1 => self.element = field.int()?,
                2 => {
                    let mut dims = Vec::new();
                    for dim in field.message()?.fields() {
                        let dim = dim?;
                        if dim.number == 1 {
                            push(&mut dims, dimension(dim.message()?)?, 8, "dimensions")?;
                        }
                    }
                    self.dims = Some(dims);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// A length, or a name.
fn dimension(message: Message<'_>) -> Result<Dimension<'_>> {
    let mut dimension = Dimension::Open("");
    for field in message.fields() {
        let field = field?;
        match field.number {
            1 => dimension = Dimension::Known(field.int()?),
            2 => dimension = Dimension::Open(field.text()?),
            _ => {}
        }
    }
    Ok(dimension)
}
