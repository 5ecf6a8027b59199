//! Convolutions and fully connected layers.

use ackermann_core::blob::write::{OperatorKind, WeightedSpec};
use ackermann_core::blob::{Activation, Rounding, Window};
use ackermann_core::quantized::quantize_multiplier;

use super::Conversion;
use super::pool::{padded, sizes};
use crate::Result;
use crate::import::tflite::schema::{INT8, Operator, unusable};

/// `Conv2DOptions`: padding, stride_w, stride_h, activation, dilation_w, dilation_h.
pub fn conv2d<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    let shape = c.constant(operator, 1, INT8)?.dimensions()?;
    let &[_, height, width, channels] = &shape[..] else {
        return Err(unusable(format!("has a filter of shape {shape:?}")));
    };
    if c.shape(input).last() != Some(&channels) {
        return Err(unusable(format!("has a filter of {channels} channels on an input of other depth (groups)")));
    }
    let window = Window {
        kernel: [height as usize, width as usize],
        stride: sizes(operator, [2, 1])?,
        dilation: sizes(operator, [5, 4])?,
        padding: [0, 0],
    };
    let window = padded(c, window, operator.option_i8(0)?, input, output)?;
    let layer = Layer { input, output, axis: 0, narrow: false, rounding: Rounding::Double };
    let weighted = layer.weighted(c, operator, operator.option_i8(3)?)?;
    c.push(&[input], output, OperatorKind::Conv2d { window, weighted })
}

/// `DepthwiseConv2DOptions`: padding, stride_w, stride_h, multiplier, activation, dilation_w, dilation_h.
pub fn depthwise_conv2d<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    let shape = c.constant(operator, 1, INT8)?.dimensions()?;
    let channels = c.shape(input).last().copied().unwrap_or(1);
    let &[1, height, width, outputs] = &shape[..] else {
        return Err(unusable(format!("has a filter of shape {shape:?}")));
    };
    if outputs % channels != 0 {
        return Err(unusable(format!("has a filter of {outputs} channels on an input of {channels}")));
    }
    let window = Window {
        kernel: [height as usize, width as usize],
        stride: sizes(operator, [2, 1])?,
        dilation: sizes(operator, [6, 5])?,
        padding: [0, 0],
    };
    let window = padded(c, window, operator.option_i8(0)?, input, output)?;
    let layer = Layer { input, output, axis: 3, narrow: false, rounding: Rounding::Double };
    let mut weighted = layer.weighted(c, operator, operator.option_i8(4)?)?;
    // TFLite has the output channel innermost, the network outermost.
    let outputs = outputs as usize;
    let channel = |o: usize| weighted.weights.iter().skip(o).step_by(outputs).copied();
    weighted.weights = (0..outputs).flat_map(channel).collect();
    let multiplier = outputs / channels as usize;
    c.push(&[input], output, OperatorKind::DepthwiseConv2d { window, multiplier, weighted })
}

/// `FullyConnectedOptions`: activation, weights_format.
pub fn fully_connected<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    if operator.option_i8(1)? != 0 {
        return Err(unusable(String::from("has shuffled weights, which are not supported")));
    }
    // TFLite computes input scale x weight scale in f64, but in f32 for a FULLY_CONNECTED with one scale.
    let narrow = c.constant(operator, 1, INT8)?.scales.len() == 1;
    let layer = Layer { input, output, axis: 0, narrow, rounding: c.options.rounding.into() };
    let weighted = layer.weighted(c, operator, operator.option_i8(0)?)?;
    c.push(&[input], output, OperatorKind::FullyConnected { weighted })
}

/// A layer with weights (input 1) and bias (input 2, optional).
struct Layer {
    input: u16,
    output: u16,
    /// Axis of the weights along which the output channels lie.
    axis: usize,
    /// Whether the product of the scales is computed in f32.
    narrow: bool,
    rounding: Rounding,
}

impl Layer {
    fn weighted<'f>(
        &self,
        c: &mut Conversion<'_, 'f>,
        operator: &Operator<'f>,
        activation: i8,
    ) -> Result<WeightedSpec> {
        let weights = c.constant(operator, 1, INT8)?;
        c.take_constants(weights.data.len())?;
        let channels = weights.dimensions()?.get(self.axis).map_or(0, |d| *d as usize);
        let along = weights.scales.len() == 1 || usize::try_from(weights.axis) == Ok(self.axis);
        if weights.zero_points.iter().any(|z| *z != 0) || !along {
            return Err(unusable(String::from("has weights that are not symmetric per output channel")));
        }
        let scales = match &weights.scales[..] {
            &[scale] => vec![scale; channels],
            scales if scales.len() == channels => scales.to_vec(),
            scales => return Err(unusable(format!("has {} scales for {channels} output channels", scales.len()))),
        };
        let (from, to) = (c.spec(self.input).scale, f64::from(c.spec(self.output).scale));
        let product =
            |scale: f32| if self.narrow { f64::from(from * scale) } else { f64::from(from) * f64::from(scale) };
        let multipliers = scales.iter().map(|scale| quantize_multiplier(product(*scale) / to)).collect();
        let activation: Activation = c.activation(activation, self.output)?;
        let bias = bias(c, operator, channels)?;
        let weights: Vec<i8> = weights.data.iter().map(|byte| *byte as i8).collect();
        Ok(WeightedSpec { weights, bias, multipliers, rounding: self.rounding, activation })
    }
}

fn bias<'f>(c: &Conversion<'_, 'f>, operator: &Operator<'f>, channels: usize) -> Result<Vec<i32>> {
    if operator.input(2) == -1 {
        return Ok(vec![0; channels]);
    }
    let bias = c.integers(operator, 2)?;
    if bias.len() != channels {
        return Err(unusable(format!("has {} biases for {channels} output channels", bias.len())));
    }
    Ok(bias)
}
