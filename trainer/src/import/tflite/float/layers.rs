//! Layers with windows or weights.

use super::conversion::{Conversion, symmetric};
use crate::Result;
use crate::graph::NodeId;
use crate::import::builder::{MAX_WINDOW, same_padding, ungrouped};
use crate::import::tflite::convert::{place_of, sizes};
use crate::import::tflite::schema::Operator;
use crate::import::unusable;
use crate::ops::{AvgPool, Conv2d, Dense, DepthwiseConv2d, MaxPool, Mean, Op, Padding, TransposedConv2d, Window};

/// The window over input 0: stride and dilation by their option fields, TFLite's padding (code 0 is SAME, 1 is VALID).
fn window<'f>(
    c: &Conversion<'_, 'f>,
    operator: &Operator<'f>,
    kernel: [usize; 2],
    dilation: Option<[usize; 2]>,
) -> Result<Window> {
    let stride = sizes(operator, [2, 1])?;
    let dilation = dilation.map_or(Ok([1, 1]), |fields| sizes(operator, fields))?;
    if kernel.iter().chain(&stride).chain(&dilation).any(|length| *length > MAX_WINDOW) {
        return Err(unusable(format!("has a kernel, stride or dilation of more than {MAX_WINDOW}")));
    }
    let core = ackermann_core::blob::Window { kernel, stride, dilation, padding: [0, 0] };
    let &[_, height, width, _] = c.builder.shape(c.input(operator, 0)?) else {
        return Err(unusable("needs an input of four dimensions"));
    };
    let same = operator.option_i8(0)? == 0;
    let padding = if same { same_padding([height, width], &core, false) } else { Padding::default() };
    Ok(Window { kernel, stride, dilation, padding })
}

/// Weights (input 1, `shape` after `arrange`) and bias (input 2, optional) as nodes.
fn weights<'f>(
    c: &mut Conversion<'_, 'f>,
    operator: &Operator<'f>,
    shape: &[usize],
    arrange: impl Fn(Vec<f32>) -> Result<Vec<f32>>,
) -> Result<Vec<NodeId>> {
    let name = c.name(operator)?;
    let (_, values) = c.values(operator, 1)?.ok_or_else(|| unusable("has weights that are not constant"))?;
    let mut nodes = vec![c.builder.param(&name, shape, arrange(values)?)?];
    if let Some(tensor) = c.constant(operator, 1)?.filter(|tensor| symmetric(tensor)) {
        c.builder.give_scales(nodes[0], tensor.scales.clone());
    }
    if operator.input(2) != -1 {
        let (_, bias) = c.values(operator, 2)?.ok_or_else(|| unusable("has a bias that is not constant"))?;
        nodes.push(c.builder.param(&name, &[bias.len()], bias)?);
    }
    Ok(nodes)
}

/// The operator, then its fused activation.
fn activated<'f>(
    c: &mut Conversion<'_, 'f>,
    operator: &Operator<'f>,
    op: impl Into<Op>,
    inputs: &[NodeId],
    activation: i8,
) -> Result<NodeId> {
    let name = c.name(operator)?;
    let node = c.builder.push(&name, op, inputs)?;
    c.builder.activation(&name, node, activation)
}

/// `Conv2DOptions`.
pub fn conv2d<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let x = c.input(operator, 0)?;
    let shape = filter(c, operator)?;
    let Window { stride, dilation, padding, .. } = window(c, operator, [shape[1], shape[2]], Some([5, 4]))?;
    let channels = c.builder.shape(x)[3];
    let (outputs, depth) = (shape[0], shape[3]);
    let groups = channels / depth.max(1);
    if groups == 0 || depth * groups != channels || !outputs.is_multiple_of(groups) {
        return Err(unusable(format!("has {outputs} filters of {depth} channels on an input of {channels}")));
    }
    let mut inputs = vec![x];
    let whole = [outputs, shape[1], shape[2], channels];
    inputs.extend(weights(c, operator, &whole, |values| ungrouped(&values, outputs, depth, groups))?);
    activated(c, operator, Conv2d { stride, dilation, padding }, &inputs, operator.option_i8(3)?)
}

/// `DepthwiseConv2DOptions`.
pub fn depthwise_conv2d<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let x = c.input(operator, 0)?;
    let [_, height, width, outputs] = filter(c, operator)?;
    let Window { stride, dilation, padding, .. } = window(c, operator, [height, width], Some([6, 5]))?;
    // TFLite has the output channel innermost, the graph outermost.
    let arrange = |values: Vec<f32>| {
        let channel = |o: usize| values.iter().skip(o).step_by(outputs).copied();
        Ok((0..outputs).flat_map(channel).collect())
    };
    let mut inputs = vec![x];
    inputs.extend(weights(c, operator, &[outputs, height, width], arrange)?);
    activated(c, operator, DepthwiseConv2d { stride, dilation, padding }, &inputs, operator.option_i8(4)?)
}

fn filter<'f>(c: &Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<[usize; 4]> {
    let tensor = c.constant(operator, 1)?.ok_or_else(|| unusable("has weights that are not constant"))?;
    let shape: Vec<usize> = tensor.dimensions()?.iter().map(|d| *d as usize).collect();
    shape.try_into().map_err(|shape| unusable(format!("has a filter of shape {shape:?}")))
}

/// `FullyConnectedOptions`: whatever the input's shape, rows of as many values as a weight row has.
pub fn fully_connected<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    if operator.option_i8(1)? != 0 {
        return Err(unusable("has shuffled weights, which are not supported"));
    }
    let (x, name) = (c.input(operator, 0)?, c.name(operator)?);
    let tensor = c.constant(operator, 1)?.ok_or_else(|| unusable("has weights that are not constant"))?;
    let shape: Vec<usize> = tensor.dimensions()?.iter().map(|d| *d as usize).collect();
    let &[_, depth] = &shape[..] else { return Err(unusable(format!("has weights of shape {shape:?}"))) };
    let elements: usize = c.builder.shape(x).iter().product();
    let flat = c.builder.reshape(&name, x, &[elements / depth, depth])?;
    let mut inputs = vec![flat];
    inputs.extend(weights(c, operator, &shape, Ok)?);
    let node = activated(c, operator, Dense, &inputs, operator.option_i8(0)?)?;
    let stated = c.output_shape(operator)?;
    c.builder.reshape(&name, node, &stated)
}

/// `Pool2DOptions`.
pub fn max_pool<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let (x, window) = (c.input(operator, 0)?, window(c, operator, sizes(operator, [4, 3])?, None)?);
    activated(c, operator, MaxPool { window }, &[x], operator.option_i8(5)?)
}

/// `Pool2DOptions`.
pub fn average_pool<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let (x, window) = (c.input(operator, 0)?, window(c, operator, sizes(operator, [4, 3])?, None)?);
    activated(c, operator, AvgPool { window }, &[x], operator.option_i8(5)?)
}

/// `TransposeConvOptions`: padding, stride_w, stride_h, activation. Input 0: the output's shape; 1: filters; 2: what is spread; 3: biases.
pub fn transpose_conv<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let (x, name, whole) = (c.input(operator, 2)?, c.name(operator)?, c.output_shape(operator)?);
    let [outputs, rows, columns, channels] = filter(c, operator)?;
    let (stride, kernel) = (sizes(operator, [2, 1])?, [rows, columns]);
    let &[_, height, width, _] = &whole[..] else { return Err(unusable("needs an output of four dimensions")) };
    if kernel.iter().chain(&stride).any(|length| *length > MAX_WINDOW) {
        return Err(unusable(format!("has a kernel or stride of more than {MAX_WINDOW}")));
    }
    // Its padding is that of the convolution that goes back.
    let back = ackermann_core::blob::Window { kernel, stride, dilation: [1, 1], padding: [0, 0] };
    let same = operator.option_i8(0)? == 0;
    let padding = if same { same_padding([height, width], &back, false) } else { Padding::default() };
    let (_, values) = c.values(operator, 1)?.ok_or_else(|| unusable("has weights that are not constant"))?;
    // TFLite has the output channel outermost, the convolution that goes back innermost.
    let (area, line) = (rows * columns, rows * columns * channels);
    let place = |at: usize| values[at % outputs * line + at / outputs % area * channels + at / outputs / area];
    let weights = (0..values.len()).map(place).collect();
    let weights = c.builder.param(&name, &[channels, rows, columns, outputs], weights)?;
    let &[_, from_height, from_width, _] = c.builder.shape(x) else { return Err(unusable("takes no such image")) };
    let more = |axis: usize, from: usize, to: usize, padding: usize| {
        let reach = from.saturating_sub(1).saturating_mul(stride[axis]).saturating_add(kernel[axis]);
        to.checked_sub(reach.saturating_sub(padding)).ok_or_else(|| unusable("states too small an output"))
    };
    let more = [
        more(0, from_height, height, padding.top + padding.bottom)?,
        more(1, from_width, width, padding.left + padding.right)?,
    ];
    let op = TransposedConv2d { stride, dilation: [1, 1], padding, more };
    let mut node = c.builder.push(&name, op, &[x, weights])?;
    if let Some((_, bias)) = c.values(operator, 3)? {
        node = c.builder.scaled(&name, node, vec![1.0], bias)?;
    }
    c.builder.activation(&name, node, operator.option_i8(3)?)
}

/// The largest value over height and width of an image: one large pool.
pub fn reduce_max<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    whole_image(c, operator, |window| MaxPool { window }.into())
}

/// The mean over some dimensions (input 1); over height and width of an image it is one large pool.
pub fn mean<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let (x, name) = (c.input(operator, 0)?, c.name(operator)?);
    let rank = c.builder.shape(x).len();
    let axes = c.integers(operator, 1)?.iter().map(|axis| place_of(*axis, rank)).collect::<Result<Vec<usize>>>()?;
    if rank == 4 && [[1, 2], [2, 1]].iter().any(|both| axes == both) {
        return whole_image(c, operator, |window| AvgPool { window }.into());
    }
    let node = c.builder.push(&name, Mean { axes }, &[x])?;
    let stated = c.output_shape(operator)?;
    c.builder.reshape(&name, node, &stated)
}

/// A pool of one window over an image; input 1: the dimensions.
fn whole_image<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>, pool: fn(Window) -> Op) -> Result<NodeId> {
    let (x, name) = (c.input(operator, 0)?, c.name(operator)?);
    let mut axes = c.integers(operator, 1)?;
    axes.sort_unstable();
    let &[_, height, width, _] = c.builder.shape(x) else {
        return Err(unusable("needs an input of four dimensions"));
    };
    if axes != [1, 2] && axes != [-3, -2] {
        return Err(unusable(format!("is over dimensions {axes:?}; over height and width is supported")));
    }
    let window = Window::new([height, width], [1, 1], Padding::default());
    let node = c.builder.push(&name, pool(window), &[x])?;
    let stated = c.output_shape(operator)?;
    c.builder.reshape(&name, node, &stated)
}
