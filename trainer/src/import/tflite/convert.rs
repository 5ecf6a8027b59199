//! From TFLite's operators to the core's.

use std::collections::HashMap;

use ackermann_core::blob::write::{Network, OperatorKind, OperatorSpec, TensorSpec, WeightedSpec};
use ackermann_core::blob::{Activation, Rounding, Window};
use ackermann_core::ops::{Add, Softmax};
use ackermann_core::quantized::{multiply_by_quantized_multiplier, quantize_multiplier};

use super::schema::{FLOAT32, File, INT8, INT32, Operator, Tensor, unusable, within};
use super::{ImportOptions, names};
use crate::Result;
use crate::quant::Quantization;

// `schema.fbs`, `enum BuiltinOperator`.
const ADD: i32 = 0;
const AVERAGE_POOL_2D: i32 = 1;
const CONV_2D: i32 = 3;
const DEPTHWISE_CONV_2D: i32 = 4;
const DEQUANTIZE: i32 = 6;
const FULLY_CONNECTED: i32 = 9;
const MAX_POOL_2D: i32 = 17;
const RESHAPE: i32 = 22;
const SOFTMAX: i32 = 25;
const TANH: i32 = 28;
const STRIDED_SLICE: i32 = 45;
const SHAPE: i32 = 77;
const PACK: i32 = 83;
const QUANTIZE: i32 = 114;
const SUPPORTED: [i32; 11] = [
    ADD,
    AVERAGE_POOL_2D,
    CONV_2D,
    DEPTHWISE_CONV_2D,
    DEQUANTIZE,
    FULLY_CONNECTED,
    MAX_POOL_2D,
    RESHAPE,
    SOFTMAX,
    TANH,
    QUANTIZE,
];

/// Most bytes of constants: a file may use one buffer for many operators, each of which gets its copy.
const MAX_CONSTANTS: usize = 64 << 20;

/// Converts a whole file.
pub fn network(file: &File<'_>, options: &ImportOptions) -> Result<Network> {
    for (index, operator) in file.operators.iter().enumerate() {
        if !SUPPORTED.contains(&operator.code) && !computes_shape(file, operator)? {
            let message = format!("{} is not supported", names::operator(operator.code));
            return Err(within(format!("operator {index}"), unusable(message)));
        }
    }
    let mut conversion =
        Conversion { file, options, network: Network::default(), tensors: HashMap::new(), constants: 0 };
    let (mut inputs, mut outputs) = (file.inputs.clone(), file.outputs.clone());
    for (index, operator) in file.operators.iter().enumerate() {
        let placed = |e| within(format!("operator {index} ({})", names::operator(operator.code)), e);
        let left_out = conversion.is_edge(operator, &mut inputs, &mut outputs).map_err(placed)?;
        if !left_out && !computes_shape(file, operator).map_err(placed)? {
            conversion.operator(operator).map_err(placed)?;
        }
    }
    conversion.network.inputs = conversion.endpoints("input", &inputs)?;
    conversion.network.outputs = conversion.endpoints("output", &outputs)?;
    Ok(conversion.network)
}

/// Whether an operator only computes a shape for a RESHAPE. Shapes are fixed in the tensors, so it has nothing to do.
fn computes_shape(file: &File<'_>, operator: &Operator<'_>) -> Result<bool> {
    let output = file.tensor(operator.outputs[0])?;
    Ok([SHAPE, STRIDED_SLICE, PACK].contains(&operator.code) && output.is_some_and(|t| t.element == INT32))
}

struct Conversion<'c, 'f> {
    file: &'c File<'f>,
    options: &'c ImportOptions,
    network: Network,
    /// Tensors of the file that are tensors of the network.
    tensors: HashMap<i32, u16>,
    /// Bytes of constants so far.
    constants: usize,
}

impl<'f> Conversion<'_, 'f> {
    /// Leaves out the float edges: a QUANTIZE of a float input, a DEQUANTIZE to a float output.
    fn is_edge(&self, operator: &Operator<'_>, inputs: &mut [i32], outputs: &mut [i32]) -> Result<bool> {
        let (Some(&from), to) = (operator.inputs.first(), operator.outputs[0]) else { return Ok(false) };
        let float = |index| Ok(self.file.tensor(index)?.is_some_and(|t| t.element == FLOAT32));
        let edge = match operator.code {
            QUANTIZE if float(from)? => inputs.iter_mut().find(|input| **input == from).map(|input| *input = to),
            DEQUANTIZE if float(to)? => outputs.iter_mut().find(|output| **output == to).map(|output| *output = from),
            _ => None,
        };
        Ok(edge.is_some())
    }

    fn operator(&mut self, operator: &Operator<'f>) -> Result<()> {
        let input = self.tensor(operand(operator, 0))?;
        let mut inputs = vec![input];
        if operator.code == ADD {
            inputs.push(self.tensor(operand(operator, 1))?);
        }
        let output = self.tensor(operator.outputs[0])?;
        let kind = match operator.code {
            CONV_2D => self.conv2d(operator, input, output)?,
            FULLY_CONNECTED => self.fully_connected(operator, input, output)?,
            MAX_POOL_2D | AVERAGE_POOL_2D => self.pool(operator, input, output)?,
            DEPTHWISE_CONV_2D => self.depthwise_conv2d(operator, input, output)?,
            ADD => self.add(operator, [input, inputs[1]], output)?,
            RESHAPE => OperatorKind::Reshape,
            SOFTMAX => self.softmax(operator, input)?,
            TANH => OperatorKind::Lut { table: self.quantization(input).table(self.quantization(output), f32::tanh) },
            QUANTIZE => OperatorKind::Lut { table: self.requantize(input, output) },
            _ => return Err(unusable(String::from("is supported between float and int8 at the edges only"))),
        };
        let name = self.network.tensors[usize::from(output)].name.clone();
        self.network.operators.push(OperatorSpec { inputs, output, kind, name });
        Ok(())
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
        let (&[scale], &[zero_point]) = (&tensor.scales[..], &tensor.zero_points[..]) else {
            let message = format!("tensor '{}' needs one scale and one zero point", tensor.name);
            return Err(unusable(message));
        };
        let zero_point = i32::try_from(zero_point).unwrap_or(i32::MAX);
        let spec =
            TensorSpec { shape: tensor.dimensions()?, scale, zero_point, arena_offset: 0, name: tensor.name.clone() };
        let place =
            u16::try_from(self.network.tensors.len()).map_err(|_| unusable(String::from("too many tensors")))?;
        self.network.tensors.push(spec);
        self.tensors.insert(index, place);
        Ok(place)
    }

    fn spec(&self, tensor: u16) -> &TensorSpec {
        &self.network.tensors[usize::from(tensor)]
    }

    fn quantization(&self, tensor: u16) -> Quantization {
        Quantization::of_spec(self.spec(tensor))
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

    fn conv2d(&mut self, operator: &Operator<'f>, input: u16, output: u16) -> Result<OperatorKind> {
        let (stride, dilation) = ([2, 1], [5, 4]);
        let filter = self.constant(operator, 1, INT8)?;
        let shape = filter.dimensions()?;
        let &[_, height, width, channels] = &shape[..] else {
            return Err(unusable(format!("has a filter of shape {shape:?}")));
        };
        if self.spec(input).shape.last() != Some(&channels) {
            return Err(unusable(format!("has a filter of {channels} channels on an input of other depth (groups)")));
        }
        let window = Window {
            kernel: [height as usize, width as usize],
            stride: sizes(operator, stride)?,
            dilation: sizes(operator, dilation)?,
            padding: [0, 0],
        };
        let window = self.padded(window, operator.option_i8(0)?, input, output)?;
        let activation = self.activation(operator.option_i8(3)?, output)?;
        let weighted = self.weighted(operator, input, output, activation, Rounding::Double)?;
        Ok(OperatorKind::Conv2d { window, weighted })
    }

    fn depthwise_conv2d(&mut self, operator: &Operator<'f>, input: u16, output: u16) -> Result<OperatorKind> {
        let (stride, dilation) = ([2, 1], [6, 5]);
        let shape = self.constant(operator, 1, INT8)?.dimensions()?;
        let channels = self.spec(input).shape.last().copied().unwrap_or(1);
        let &[1, height, width, outputs] = &shape[..] else {
            return Err(unusable(format!("has a filter of shape {shape:?}")));
        };
        if outputs % channels != 0 {
            return Err(unusable(format!("has a filter of {outputs} channels on an input of {channels}")));
        }
        let window = Window {
            kernel: [height as usize, width as usize],
            stride: sizes(operator, stride)?,
            dilation: sizes(operator, dilation)?,
            padding: [0, 0],
        };
        let window = self.padded(window, operator.option_i8(0)?, input, output)?;
        let activation = self.activation(operator.option_i8(4)?, output)?;
        let mut weighted = self.weighted(operator, input, output, activation, Rounding::Double)?;
        // TFLite has the output channel innermost, the network outermost.
        let outputs = outputs as usize;
        let channel = |o: usize| weighted.weights.iter().skip(o).step_by(outputs).copied();
        weighted.weights = (0..outputs).flat_map(channel).collect();
        Ok(OperatorKind::DepthwiseConv2d { window, multiplier: outputs / channels as usize, weighted })
    }

    fn fully_connected(&mut self, operator: &Operator<'f>, input: u16, output: u16) -> Result<OperatorKind> {
        if operator.option_i8(1)? != 0 {
            return Err(unusable(String::from("has shuffled weights, which are not supported")));
        }
        let activation = self.activation(operator.option_i8(0)?, output)?;
        let weighted = self.weighted(operator, input, output, activation, self.options.rounding.into())?;
        Ok(OperatorKind::FullyConnected { weighted })
    }

    fn pool(&self, operator: &Operator<'f>, input: u16, output: u16) -> Result<OperatorKind> {
        let (stride, kernel) = ([2, 1], [4, 3]);
        let window = Window {
            kernel: sizes(operator, kernel)?,
            stride: sizes(operator, stride)?,
            dilation: [1, 1],
            padding: [0, 0],
        };
        let window = self.padded(window, operator.option_i8(0)?, input, output)?;
        let activation = self.activation(operator.option_i8(5)?, output)?;
        Ok(match operator.code {
            MAX_POOL_2D => OperatorKind::MaxPool { window, activation },
            _ => OperatorKind::AveragePool { window, activation },
        })
    }

    fn add(&self, operator: &Operator<'f>, inputs: [u16; 2], output: u16) -> Result<OperatorKind> {
        let [a, b] = inputs.map(|input| &self.spec(input).shape);
        if a != b {
            return Err(unusable(format!("adds shapes {a:?} and {b:?}; broadcasting is not supported")));
        }
        let scales = inputs.map(|input| self.spec(input).scale);
        let activation = self.activation(operator.option_i8(0)?, output)?;
        Add::for_scales(scales, self.spec(output).scale, activation)
            .map(OperatorKind::Add)
            .ok_or_else(|| unusable(format!("has scales {scales:?} that are too large for its output's")))
    }

    fn softmax(&self, operator: &Operator<'f>, input: u16) -> Result<OperatorKind> {
        let (beta, scale) = (operator.option_f32(0)?, self.spec(input).scale);
        Softmax::for_scale(beta, scale)
            .map(OperatorKind::Softmax)
            .ok_or_else(|| unusable(format!("has beta {beta} and an input scale of {scale}: both are too small")))
    }

    /// `window` with TFLite's padding: code 0 is SAME, 1 is VALID.
    fn padded(&self, mut window: Window, code: i8, input: u16, output: u16) -> Result<Window> {
        let (from, to) = (&self.spec(input).shape, &self.spec(output).shape);
        let (&[_, h, w, _], &[_, oh, ow, _]) = (&from[..], &to[..]) else {
            return Err(unusable(String::from("needs an input and an output of four dimensions")));
        };
        if code != 0 {
            return Ok(window);
        }
        for (axis, (length, positions)) in [(h, oh), (w, ow)].into_iter().enumerate() {
            let (kernel, stride, dilation) = (window.kernel[axis], window.stride[axis], window.dilation[axis]);
            if positions as usize != (length as usize).div_ceil(stride) {
                return Err(unusable(format!("has {positions} outputs on {length} inputs with SAME padding")));
            }
            let extent = (kernel - 1).saturating_mul(dilation).saturating_add(1);
            let covered = (positions as usize - 1).saturating_mul(stride).saturating_add(extent);
            window.padding[axis] = covered.saturating_sub(length as usize) / 2;
        }
        Ok(window)
    }

    /// `enum ActivationFunctionType` on this output.
    fn activation(&self, code: i8, output: u16) -> Result<Activation> {
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

    /// Input number `at` of `operator`, which must have content of its shape's size.
    fn constant(&self, operator: &Operator<'f>, at: usize, element: i8) -> Result<&Tensor<'f>> {
        let tensor = self.file.tensor(operand(operator, at))?.ok_or_else(|| unusable(format!("lacks input {at}")))?;
        tensor.expect(element)?;
        let size = if element == INT32 { 4 } else { 1 };
        let bytes = tensor.dimensions()?.iter().try_fold(size, |bytes: usize, d| bytes.checked_mul(*d as usize));
        if bytes != Some(tensor.data.len()) {
            let (name, shape, len) = (&tensor.name, &tensor.shape, tensor.data.len());
            return Err(unusable(format!("tensor '{name}' of shape {shape:?} has {len} bytes of content")));
        }
        Ok(tensor)
    }

    /// Weights (input 1) and bias (input 2, optional) with their multipliers.
    fn weighted(
        &mut self,
        operator: &Operator<'f>,
        input: u16,
        output: u16,
        activation: Activation,
        rounding: Rounding,
    ) -> Result<WeightedSpec> {
        let weights = self.constant(operator, 1, INT8)?;
        let axis = if operator.code == DEPTHWISE_CONV_2D { 3 } else { 0 };
        let channels = weights.dimensions()?.get(axis).map_or(0, |d| *d as usize);
        let along = weights.scales.len() == 1 || usize::try_from(weights.axis) == Ok(axis);
        if weights.zero_points.iter().any(|z| *z != 0) || !along {
            return Err(unusable(String::from("has weights that are not symmetric per output channel")));
        }
        let scales = match &weights.scales[..] {
            &[scale] => vec![scale; channels],
            scales if scales.len() == channels => scales.to_vec(),
            scales => return Err(unusable(format!("has {} scales for {channels} output channels", scales.len()))),
        };
        // TFLite computes input scale x weight scale in f64, but in f32 for a FULLY_CONNECTED with one scale.
        let narrow = operator.code == FULLY_CONNECTED && weights.scales.len() == 1;
        let (from, to) = (self.spec(input).scale, f64::from(self.spec(output).scale));
        let product = |scale: f32| if narrow { f64::from(from * scale) } else { f64::from(from) * f64::from(scale) };
        let multipliers = scales.iter().map(|scale| quantize_multiplier(product(*scale) / to)).collect();
        let bias = self.bias(operator, channels)?;
        let weights: Vec<i8> = weights.data.iter().map(|byte| *byte as i8).collect();
        self.constants = self.constants.saturating_add(weights.len());
        if self.constants > MAX_CONSTANTS {
            return Err(unusable(format!("brings the weights to more than {} MiB", MAX_CONSTANTS >> 20)));
        }
        Ok(WeightedSpec { weights, bias, multipliers, rounding, activation })
    }

    fn bias(&self, operator: &Operator<'f>, channels: usize) -> Result<Vec<i32>> {
        if operand(operator, 2) == -1 {
            return Ok(vec![0; channels]);
        }
        let tensor = self.constant(operator, 2, INT32)?;
        let (words, _) = tensor.data.as_chunks::<4>();
        if words.len() != channels {
            return Err(unusable(format!("has {} biases for {channels} output channels", words.len())));
        }
        Ok(words.iter().map(|word| i32::from_le_bytes(*word)).collect())
    }

    /// QUANTIZE from int8 to int8: TFLite's integer arithmetic, tabulated.
    fn requantize(&self, input: u16, output: u16) -> [i8; 256] {
        let (from, to) = (self.quantization(input), self.quantization(output));
        let (multiplier, shift) = quantize_multiplier(f64::from(from.scale) / f64::from(to.scale));
        let mut table = [0; 256];
        for (entry, q) in table.iter_mut().zip(i8::MIN..=i8::MAX) {
            let steps = i32::from(q) - i32::from(from.zero_point);
            let scaled = multiply_by_quantized_multiplier(steps, multiplier, shift);
            let shifted = scaled.saturating_add(i32::from(to.zero_point));
            *entry = shifted.clamp(i32::from(i8::MIN), i32::from(i8::MAX)) as i8;
        }
        table
    }
}

fn operand(operator: &Operator<'_>, at: usize) -> i32 {
    operator.inputs.get(at).copied().unwrap_or(-1)
}

/// Two positive int options, height and width.
fn sizes(operator: &Operator<'_>, fields: [usize; 2]) -> Result<[usize; 2]> {
    let read = |field| {
        let value = operator.option_i32(field, 1)?;
        let positive = usize::try_from(value).ok().filter(|v| *v > 0);
        positive.ok_or_else(|| unusable(format!("has a kernel, stride or dilation of {value}")))
    };
    Ok([read(fields[0])?, read(fields[1])?])
}
