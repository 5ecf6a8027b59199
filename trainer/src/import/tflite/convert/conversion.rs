//! What every conversion works with: the file, the network so far, and checked access to tensors, constants and options.

use std::collections::HashMap;

use ackermann_core::blob::Activation;
use ackermann_core::blob::write::{Network, OperatorKind, OperatorSpec, TensorSpec};

use crate::Result;
use crate::import::tflite::ImportOptions;
use crate::import::tflite::schema::{File, INT8, INT32, Operator, Tensor, unusable};
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

    /// The tensor of input number `at`, which is computed.
    pub fn input(&mut self, operator: &Operator<'f>, at: usize) -> Result<u16> {
        self.tensor(operator.input(at))
    }

    /// The tensor of the (first) output.
    pub fn output(&mut self, operator: &Operator<'f>) -> Result<u16> {
        self.tensor(operator.outputs[0])
    }

    /// The network's tensor for tensor `index` of the file, which must be int8 with one scale.
    fn tensor(&mut self, index: i32) -> Result<u16> {
        if let Some(&known) = self.tensors.get(&index) {
            return Ok(known);
        }
        let tensor = self.file.tensor(index)?.ok_or_else(|| unusable(String::from("lacks an input")))?;
        tensor.expect(INT8)?;
        if !tensor.data.is_empty() {
            let message = format!("tensor '{}' is constant where a computed one is needed", tensor.name);
            return Err(unusable(message));
        }
        let (scale, zero_point) = tensor.scale_and_zero_point()?;
        let spec = TensorSpec {
            shape: tensor.dimensions()?,
            scale,
            zero_point,
            name: tensor.name.clone(),
            ..TensorSpec::default()
        };
        let place =
            u16::try_from(self.network.tensors.len()).map_err(|_| unusable(String::from("too many tensors")))?;
        self.network.tensors.push(spec);
        self.tensors.insert(index, place);
        Ok(place)
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

    /// Appends an operator from `inputs` to `output`.
    pub fn push(&mut self, inputs: &[u16], output: u16, kind: OperatorKind) -> Result<()> {
        let name = self.spec(output).name.clone();
        self.network.operators.push(OperatorSpec { inputs: inputs.to_vec(), output, kind, name });
        Ok(())
    }

    /// Input number `at` of `operator`, which must have content of its shape's size.
    pub fn constant(&self, operator: &Operator<'f>, at: usize, element: i8) -> Result<&'c Tensor<'f>> {
        let tensor = self.file.tensor(operator.input(at))?.ok_or_else(|| unusable(format!("lacks input {at}")))?;
        tensor.expect(element)?;
        let size = if element == INT32 { 4 } else { 1 };
        let bytes = tensor.dimensions()?.iter().try_fold(size, |bytes: usize, d| bytes.checked_mul(*d as usize));
        if bytes != Some(tensor.data.len()) {
            let (name, shape, len) = (&tensor.name, &tensor.shape, tensor.data.len());
            return Err(unusable(format!("tensor '{name}' of shape {shape:?} has {len} bytes of content")));
        }
        Ok(tensor)
    }

    /// Input number `at`, a list of 32-bit integers.
    pub fn integers(&self, operator: &Operator<'f>, at: usize) -> Result<Vec<i32>> {
        let (words, _) = self.constant(operator, at, INT32)?.data.as_chunks::<4>();
        Ok(words.iter().map(|word| i32::from_le_bytes(*word)).collect())
    }

    /// Accounts for `bytes` more of constants.
    pub fn take_constants(&mut self, bytes: usize) -> Result<()> {
        self.constants = self.constants.saturating_add(bytes);
        if self.constants > MAX_CONSTANTS {
            return Err(unusable(format!("brings the weights to more than {} MiB", MAX_CONSTANTS >> 20)));
        }
        Ok(())
    }

    /// `enum ActivationFunctionType` on this output.
    pub fn activation(&self, code: i8, output: u16) -> Result<Activation> {
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
