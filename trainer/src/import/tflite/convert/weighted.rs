//! Convolutions and fully connected layers.
//!
//! What the core's plain operators do not have (groups, transposed, int16 activations, int4 weights) becomes its general
//! convolution.

use ackermann_core::blob::write::{OperatorKind, WeightedSpec};
use ackermann_core::blob::{Element, GeneralSpec, Rounding, Scaling, Window};
use ackermann_core::quantized::quantize_multiplier;

use super::Conversion;
use super::pool::{padded, sizes};
use crate::Result;
use crate::import::tflite::schema::{INT4, INT8, INT32, INT64, Operator, Tensor, unusable};

/// `Conv2DOptions`: padding, stride_w, stride_h, activation, dilation_w, dilation_h.
pub fn conv2d<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    let (shape, channels) = (filter(c, operator)?, c.shape(input).last().copied().unwrap_or(0));
    let [outputs, height, width, per_group] = shape;
    let groups = channels / per_group;
    if channels % per_group != 0 || groups == 0 || outputs % groups != 0 {
        return Err(unusable(format!("has a filter of shape {shape:?} on an input of {channels} channels")));
    }
    let window = window([height, width], sizes(operator, [2, 1])?, sizes(operator, [5, 4])?);
    let window = padded(c, window, operator.option_i8(0)?, input, output)?;
    let layer = Layer { input, output, axis: 0, bias: 2, narrow: false, rounding: Rounding::Double };
    let numbers = layer.numbers(c, operator)?;
    let activation = operator.option_i8(3)?;
    let kind = if groups == 1 && layer.is_plain(c, operator)? {
        OperatorKind::Conv2d { window, weighted: layer.weighted(c, numbers, activation)? }
    } else {
        let groups = groups as usize;
        layer.general(c, operator, numbers, activation, Form { window, groups, transposed: false })?
    };
    c.push(&[input], output, kind)
}

/// `DepthwiseConv2DOptions`: padding, stride_w, stride_h, multiplier, activation, dilation_w, dilation_h.
pub fn depthwise_conv2d<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    let (shape, channels) = (filter(c, operator)?, c.shape(input).last().copied().unwrap_or(1));
    let [1, height, width, outputs] = shape else {
        return Err(unusable(format!("has a filter of shape {shape:?}")));
    };
    if outputs % channels != 0 {
        return Err(unusable(format!("has a filter of {outputs} channels on an input of {channels}")));
    }
    let window = window([height, width], sizes(operator, [2, 1])?, sizes(operator, [6, 5])?);
    let window = padded(c, window, operator.option_i8(0)?, input, output)?;
    let layer = Layer { input, output, axis: 3, bias: 2, narrow: false, rounding: Rounding::Double };
    let mut numbers = layer.numbers(c, operator)?;
    // TFLite has the output channel innermost, the network outermost.
    let channel = |o: usize| numbers.weights.iter().skip(o).step_by(outputs as usize).copied();
    numbers.weights = (0..outputs as usize).flat_map(channel).collect();
    let activation = operator.option_i8(4)?;
    let kind = if layer.is_plain(c, operator)? {
        let multiplier = (outputs / channels) as usize;
        OperatorKind::DepthwiseConv2d { window, multiplier, weighted: layer.weighted(c, numbers, activation)? }
    } else {
        let groups = channels as usize;
        layer.general(c, operator, numbers, activation, Form { window, groups, transposed: false })?
    };
    c.push(&[input], output, kind)
}

/// `FullyConnectedOptions`: activation, weights_format.
pub fn fully_connected<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    if operator.option_i8(1)? != 0 {
        return Err(unusable(String::from("has shuffled weights, which are not supported")));
    }
    // TFLite computes input scale x weight scale in f64, but in f32 for a FULLY_CONNECTED with one scale.
    let narrow = weights(c, operator)?.scales.len() == 1;
    let layer = Layer { input, output, axis: 0, bias: 2, narrow, rounding: c.options.rounding.into() };
    let (numbers, activation) = (layer.numbers(c, operator)?, operator.option_i8(0)?);
    let kind = if layer.is_plain(c, operator)? {
        OperatorKind::FullyConnected { weighted: layer.weighted(c, numbers, activation)? }
    } else {
        let window = window([1, 1], [1, 1], [1, 1]);
        layer.general(c, operator, numbers, activation, Form { window, groups: 1, transposed: false })?
    };
    c.push(&[input], output, kind)
}

/// `TransposeConvOptions`: padding, stride_w, stride_h, activation. Input 0: the output's shape; 2: what is convolved; 3: biases.
pub fn transpose_conv<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let (input, output) = (c.input(operator, 2)?, c.output(operator)?);
    let [_, height, width, _] = filter(c, operator)?;
    let window = window([height, width], sizes(operator, [2, 1])?, [1, 1]);
    // Its padding is that of the convolution that goes back.
    let window = padded(c, window, operator.option_i8(0)?, output, input)?;
    let layer = Layer { input, output, axis: 0, bias: 3, narrow: false, rounding: Rounding::Double };
    let (numbers, activation) = (layer.numbers(c, operator)?, operator.option_i8(3)?);
    let kind = layer.general(c, operator, numbers, activation, Form { window, groups: 1, transposed: true })?;
    c.push(&[input], output, kind)
}

fn window([height, width]: [u32; 2], stride: [usize; 2], dilation: [usize; 2]) -> Window {
    Window { kernel: [height as usize, width as usize], stride, dilation, padding: [0, 0] }
}

/// Weights, input 1: int8, or int4 two to a byte.
fn weights<'c, 'f>(c: &Conversion<'c, 'f>, operator: &Operator<'f>) -> Result<&'c Tensor<'f>> {
    c.constant(operator, 1, if c.is(operator, 1, INT4)? { INT4 } else { INT8 })
}

/// Shape of the weights, four dimensions.
fn filter<'f>(c: &Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<[u32; 4]> {
    let shape = weights(c, operator)?.dimensions()?;
    shape.try_into().map_err(|shape| unusable(format!("has a filter of shape {shape:?}")))
}

/// A layer with weights (input 1) and bias.
struct Layer {
    input: u16,
    output: u16,
    /// Axis of the weights along which the output channels lie.
    axis: usize,
    /// Which input the biases are (optional).
    bias: usize,
    /// Whether the product of the scales is computed in f32.
    narrow: bool,
    rounding: Rounding,
}

/// Where a general convolution reads.
struct Form {
    window: Window,
    groups: usize,
    transposed: bool,
}

/// What a layer computes with.
struct Numbers {
    /// One weight to an element.
    weights: Vec<i8>,
    bias: Vec<i64>,
    multipliers: Vec<(i32, i32)>,
}

impl Layer {
    fn numbers<'f>(&self, c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<Numbers> {
        let tensor = weights(c, operator)?;
        let int4 = tensor.element == INT4;
        c.take_constants(if int4 { tensor.data.len() * 2 } else { tensor.data.len() })?;
        let channels = tensor.dimensions()?.get(self.axis).map_or(0, |d| *d as usize);
        let along = tensor.scales.len() == 1 || usize::try_from(tensor.axis) == Ok(self.axis);
        if tensor.zero_points.iter().any(|z| *z != 0) || !along {
            return Err(unusable(String::from("has weights that are not symmetric per output channel")));
        }
        let scales = match &tensor.scales[..] {
            &[scale] => vec![scale; channels],
            scales if scales.len() == channels => scales.to_vec(),
            scales => return Err(unusable(format!("has {} scales for {channels} output channels", scales.len()))),
        };
        let (from, to) = (c.spec(self.input).scale, f64::from(c.spec(self.output).scale));
        let product =
            |scale: f32| if self.narrow { f64::from(from * scale) } else { f64::from(from) * f64::from(scale) };
        let multipliers = scales.iter().map(|scale| quantize_multiplier(product(*scale) / to)).collect();
        let bytes = tensor.data.iter().map(|byte| *byte as i8);
        let elements = tensor.dimensions()?.iter().map(|d| *d as usize).product();
        let weights = match int4 {
            true => bytes.flat_map(|byte| [byte << 4 >> 4, byte >> 4]).take(elements).collect(),
            false => bytes.collect(),
        };
        Ok(Numbers { weights, bias: self.biases(c, operator, channels)?, multipliers })
    }

    fn biases<'f>(&self, c: &Conversion<'_, 'f>, operator: &Operator<'f>, channels: usize) -> Result<Vec<i64>> {
        if operator.input(self.bias) == -1 {
            return Ok(vec![0; channels]);
        }
        let bias: Vec<i64> = if c.is(operator, self.bias, INT64)? {
            let words = c.constant(operator, self.bias, INT64)?.data.as_chunks::<8>().0;
            words.iter().map(|word| i64::from_le_bytes(*word)).collect()
        } else {
            c.integers(operator, self.bias)?.into_iter().map(i64::from).collect()
        };
        if bias.len() != channels {
            return Err(unusable(format!("has {} biases for {channels} output channels", bias.len())));
        }
        Ok(bias)
    }

    /// Whether activations and weights are int8.
    fn is_plain<'f>(&self, c: &Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<bool> {
        Ok(c.spec(self.input).element == Element::Int8 && c.is(operator, 1, INT8)?)
    }

    fn weighted(&self, c: &Conversion<'_, '_>, numbers: Numbers, activation: i8) -> Result<WeightedSpec> {
        let Numbers { weights, bias, multipliers } = numbers;
        let bias: std::result::Result<Vec<i32>, _> = bias.into_iter().map(i32::try_from).collect();
        let bias = bias.map_err(|_| unusable(String::from("has a bias beyond 32 bits")))?;
        let activation = c.activation(activation, self.output)?;
        Ok(WeightedSpec { weights, bias, multipliers, rounding: self.rounding, activation })
    }

    fn general<'f>(
        &self,
        c: &Conversion<'_, 'f>,
        operator: &Operator<'f>,
        numbers: Numbers,
        activation: i8,
        Form { window, groups, transposed }: Form,
    ) -> Result<OperatorKind> {
        let Numbers { weights, bias, multipliers } = numbers;
        // TFLite has sums as wide as the biases.
        let wide = c.spec(self.input).element == Element::Int16 && !c.is(operator, self.bias, INT32)?;
        let scaling = match self.rounding {
            _ if wide => Scaling::Wide,
            Rounding::Double => Scaling::Double,
            Rounding::Single => Scaling::Single,
        };
        let (int4, range) = (c.is(operator, 1, INT4)?, c.range(activation, self.output)?);
        let spec = GeneralSpec { window, transposed, groups, int4, weights, bias, multipliers, scaling, range };
        Ok(OperatorKind::GeneralConv2d(spec))
    }
}
