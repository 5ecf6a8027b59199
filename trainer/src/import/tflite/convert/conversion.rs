//! What every conversion works with: the file, the network so far, and checked access to tensors, constants and options.

use std::collections::HashMap;

use ackermann_core::blob::write::{Network, OperatorKind, OperatorSpec, Storage, TensorSpec};
use ackermann_core::blob::{Activation, Element};
use ackermann_core::ops::Requantize;

use crate::Result;
use crate::import::tflite::ImportOptions;
use crate::import::tflite::schema::{File, INT4, INT8, INT16, INT32, INT64, Operator, Tensor, unusable};
use crate::quant::Quantization;

/// Most bytes of constants: a file may use one buffer for many operators, each of which gets its copy.
const MAX_CONSTANTS: usize = 64 << 20;

/// A network in the making.
pub struct Conversion<'c, 'f> {
    file: &'c File<'f>,
    /// How the file is read.
    pub options: &'c ImportOptions,
    network: Network,
    /// Tensors of the file that are tensors of the network.
    tensors: HashMap<i32, u16>,
    /// Bytes of constants so far.
    constants: usize,
}

impl<'c, 'f> Conversion<'c, 'f> {
    /// An empty network.
    pub fn new(file: &'c File<'f>, options: &'c ImportOptions) -> Self {
        Self { file, options, network: Network::default(), tensors: HashMap::new(), constants: 0 }
    }

    /// The network, between these tensors of the file.
    pub fn finish(mut self, inputs: &[i32], outputs: &[i32]) -> Result<Network> {
        self.network.inputs = self.endpoints("input", inputs)?;
        self.network.outputs = self.endpoints("output", outputs)?;
        Ok(self.network)
    }

    fn endpoints(&self, what: &str, indices: &[i32]) -> Result<Vec<u16>> {
        let find = |index: &i32| {
            let unused = || {
                unusable(format!("the network's {what} (tensor {index}) is not an int8 tensor that its operators use"))
            };
            self.tensors.get(index).copied().ok_or_else(unused)
        };
        indices.iter().map(find).collect()
    }

    /// The tensors of the first input and of the output of an operator that has one of each (and perhaps constants).
    pub fn sides(&mut self, operator: &Operator<'f>) -> Result<(u16, u16)> {
        Ok((self.input(operator, 0)?, self.output(operator)?))
    }

    /// The tensor of input number `at`, computed or constant.
    pub fn input(&mut self, operator: &Operator<'f>, at: usize) -> Result<u16> {
        self.tensor(operator.input(at))
    }

    /// The tensor of the (first) output.
    pub fn output(&mut self, operator: &Operator<'f>) -> Result<u16> {
        self.tensor(operator.outputs[0])
    }

    /// The network's tensor for tensor `index` of the file: int8 or int16 with one scale, or indices.
    pub fn tensor(&mut self, index: i32) -> Result<u16> {
        if let Some(&known) = self.tensors.get(&index) {
            return Ok(known);
        }
        let tensor = self.file.tensor(index)?.ok_or_else(|| unusable(String::from("lacks an input")))?;
        let element = match tensor.element {
            INT16 => Element::Int16,
            // Indices of 64 bits, of which 32 are enough.
            INT32 | INT64 => Element::Int32,
            _ => tensor.expect(INT8).map(|()| Element::Int8)?,
        };
        let (scale, zero_point) = match element {
            Element::Int32 if tensor.scales.is_empty() => (1.0, 0),
            _ => tensor.scale_and_zero_point()?,
        };
        let shape = if tensor.shape.is_empty() { vec![1] } else { tensor.dimensions()? };
        let mut spec =
            TensorSpec { shape, scale, zero_point, element, name: tensor.name.clone(), ..TensorSpec::default() };
        if !tensor.data.is_empty() {
            self.take_constants(tensor.data.len())?;
            let wide = tensor.element == INT64;
            let bytes = if wide { narrowed(tensor)? } else { tensor.data.to_vec() };
            if bytes.len() != spec.bytes() {
                return Err(wrong_size(tensor));
            }
            spec.storage = Storage::Constant(bytes);
        }
        let place = self.add(spec)?;
        self.tensors.insert(index, place);
        Ok(place)
    }

    /// The state (a variable tensor of the file) that is input number `at`: one operator's alone.
    pub fn state(&mut self, operator: &Operator<'f>, at: usize, code: i8, element: Element) -> Result<u16> {
        let index = operator.input(at);
        let tensor = self.file.tensor(index)?.ok_or_else(|| unusable(format!("lacks input {at}, a state")))?;
        tensor.expect(code)?;
        if !tensor.data.is_empty() || self.tensors.contains_key(&index) {
            return Err(unusable(format!("has a state, tensor '{}', that is constant or used elsewhere", tensor.name)));
        }
        let (scale, zero_point) = tensor.scale_and_zero_point()?;
        let storage = Storage::State;
        let (shape, name) = (tensor.dimensions()?, tensor.name.clone());
        let place = self.add(TensorSpec { shape, scale, zero_point, element, storage, name, arena_offset: 0 })?;
        self.tensors.insert(index, place);
        Ok(place)
    }

    /// One more tensor of the network, of no tensor of the file.
    fn add(&mut self, spec: TensorSpec) -> Result<u16> {
        let place =
            u16::try_from(self.network.tensors.len()).map_err(|_| unusable(String::from("too many tensors")))?;
        self.network.tensors.push(spec);
        Ok(place)
    }

    /// A tensor between operators that one operator of the file becomes: as `like`, in another shape.
    pub fn between(&mut self, like: u16, shape: &[u32]) -> Result<u16> {
        let spec = TensorSpec { shape: shape.to_vec(), storage: Storage::Arena, ..self.spec(like).clone() };
        self.add(spec)
    }

    /// What the network knows of one of its tensors.
    pub fn spec(&self, tensor: u16) -> &TensorSpec {
        &self.network.tensors[usize::from(tensor)]
    }

    /// Shape of one of the network's tensors.
    pub fn shape(&self, tensor: u16) -> &[u32] {
        &self.spec(tensor).shape
    }

    /// Scale and zero point of one of the network's tensors.
    pub fn quantization(&self, tensor: u16) -> Quantization {
        Quantization::of_spec(self.spec(tensor))
    }

    /// Appends an operator that works on int8 alone.
    pub fn push_int8(&mut self, inputs: &[u16], output: u16, kind: OperatorKind) -> Result<()> {
        match inputs.iter().chain([&output]).find(|tensor| self.spec(**tensor).element != Element::Int8) {
            None => self.push(inputs, output, kind),
            Some(other) => Err(unusable(format!("tensor '{}' is not int8", self.spec(*other).name))),
        }
    }

    /// Appends an operator that has the fused activation `code` on int8, and a clamp behind it on int16.
    pub fn push_activated(&mut self, inputs: &[u16], output: u16, kind: OperatorKind, code: i8) -> Result<()> {
        if code == 0 || self.spec(output).element != Element::Int16 {
            return self.push(inputs, output, kind);
        }
        let range = self.range(code, output)?.map(i32::from);
        let shape = self.shape(output).to_vec();
        let whole = self.between(output, &shape)?;
        self.push(inputs, whole, kind)?;
        let scale = Requantize::for_scales(1.0, 1.0).scale;
        self.push(&[whole], output, OperatorKind::Requantize(Requantize { scale, range }))
    }

    /// Appends an operator from `inputs` to `output`.
    pub fn push(&mut self, inputs: &[u16], output: u16, kind: OperatorKind) -> Result<()> {
        let name = self.spec(output).name.clone();
        self.network.operators.push(OperatorSpec { inputs: inputs.to_vec(), output, kind, name });
        Ok(())
    }

    /// Whether input number `at` is there and has elements of this type.
    pub fn is(&self, operator: &Operator<'f>, at: usize, element: i8) -> Result<bool> {
        Ok(self.file.tensor(operator.input(at))?.is_some_and(|tensor| tensor.element == element))
    }

    /// Input number `at` of `operator`, which must have content of its shape's size.
    pub fn constant(&self, operator: &Operator<'f>, at: usize, element: i8) -> Result<&'c Tensor<'f>> {
        let tensor = self.file.tensor(operator.input(at))?.ok_or_else(|| unusable(format!("lacks input {at}")))?;
        tensor.expect(element)?;
        if content_bytes(tensor)? == tensor.data.len() { Ok(tensor) } else { Err(wrong_size(tensor)) }
    }

    /// Input number `at`, a constant list of integers of 32 bits (or 64, of which 32 are enough).
    pub fn integers(&self, operator: &Operator<'f>, at: usize) -> Result<Vec<i32>> {
        let found = self.file.tensor(operator.input(at))?;
        let wide = found.is_some_and(|tensor| tensor.element == INT64);
        let tensor = self.constant(operator, at, if wide { INT64 } else { INT32 })?;
        let bytes = if wide { narrowed(tensor)? } else { tensor.data.to_vec() };
        Ok(bytes.as_chunks::<4>().0.iter().map(|word| i32::from_le_bytes(*word)).collect())
    }

    /// The one number of input number `at`, a dimension of a tensor of `rank` (negative ones count from the last).
    pub fn axis(&self, operator: &Operator<'f>, at: usize, rank: usize) -> Result<usize> {
        match self.integers(operator, at)?[..] {
            [axis] => place_of(axis, rank),
            _ => Err(unusable(String::from("needs one dimension"))),
        }
    }

    /// Accounts for `bytes` more of constants.
    pub fn take_constants(&mut self, bytes: usize) -> Result<()> {
        self.constants = self.constants.saturating_add(bytes);
        if self.constants > MAX_CONSTANTS {
            return Err(unusable(format!("brings the weights to more than {} MiB", MAX_CONSTANTS >> 20)));
        }
        Ok(())
    }

    /// Smallest and largest value of this output, int8 or int16, after `enum ActivationFunctionType`.
    pub fn range(&self, code: i8, output: u16) -> Result<[i16; 2]> {
        let spec = self.spec(output);
        if spec.element == Element::Int8 {
            return self.activation(code, output).map(|Activation { min, max }| [i16::from(min), i16::from(max)]);
        }
        let quantize = |real: f32| (real / spec.scale).round() as i16;
        match code {
            0 => Ok([i16::MIN, i16::MAX]),
            1 => Ok([0, i16::MAX]),
            2 => Ok([quantize(-1.0), quantize(1.0)]),
            3 => Ok([0, quantize(6.0)]),
            _ => Err(unusable(format!("has a fused activation (code {code}) that is not supported"))),
        }
    }

    /// `enum ActivationFunctionType` on this int8 output; none on an int16 one, see [`Conversion::push_activated`].
    pub fn activation(&self, code: i8, output: u16) -> Result<Activation> {
        if self.spec(output).element == Element::Int16 {
            return Ok(Activation::NONE);
        }
        let quantization = self.quantization(output);
        let above_zero = Activation { min: quantization.quantize(0.0), max: i8::MAX };
        match code {
            0 => Ok(Activation::NONE),
            1 => Ok(above_zero),
            2 => Ok(quantization.clamp(-1.0, 1.0)),
            3 => Ok(quantization.clamp(0.0, 6.0)),
            _ => Err(unusable(format!("has a fused activation (code {code}) that is not supported"))),
        }
    }
}

/// Dimension `axis` of a tensor of `rank`; negative ones count from the last.
pub fn place_of(axis: i32, rank: usize) -> Result<usize> {
    let positive = if axis < 0 { i64::from(axis) + rank as i64 } else { i64::from(axis) };
    let found = usize::try_from(positive).ok().filter(|axis| *axis < rank);
    found.ok_or_else(|| unusable(format!("names dimension {axis} of {rank}")))
}

/// Bytes of content that a tensor of this shape and element has.
fn content_bytes(tensor: &Tensor<'_>) -> Result<usize> {
    let dimensions = if tensor.shape.is_empty() { vec![1] } else { tensor.dimensions()? };
    let elements = dimensions.iter().map(|d| *d as usize).product::<usize>();
    Ok(match tensor.element {
        INT64 => elements * 8,
        INT32 => elements * 4,
        INT16 => elements * 2,
        INT4 => elements.div_ceil(2),
        _ => elements,
    })
}

/// Integers of 64 bits as such of 32.
fn narrowed(tensor: &Tensor<'_>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for word in tensor.data.as_chunks::<8>().0 {
        let narrow = i32::try_from(i64::from_le_bytes(*word));
        let beyond = |_| unusable(format!("tensor '{}' holds a number beyond 32 bits", tensor.name));
        bytes.extend(narrow.map_err(beyond)?.to_le_bytes());
    }
    Ok(bytes)
}

fn wrong_size(tensor: &Tensor<'_>) -> crate::Error {
    let (name, shape, len) = (&tensor.name, &tensor.shape, tensor.data.len());
    unusable(format!("tensor '{name}' of shape {shape:?} has {len} bytes of content"))
}
