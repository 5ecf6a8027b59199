//! Windows: padding and strides as convolutions and pools share them, and the pools.

use super::conversion::Conversion;
use super::schema::Node;
use super::shape::padded;
use super::value::Value;
use crate::Result;
use crate::graph::NodeId;
use crate::import::builder::{Builder, MAX_WINDOW, same_padding};
use crate::import::unusable;
use crate::ops::{AvgPool, MaxPool, Mean, Padding, Window};

/// An image with channels last, and the window over it.
pub struct Sliding {
    /// `[n, h, w, c]`.
    pub image: NodeId,
    /// Padding included; smaller than the window's extent.
    pub window: Window,
    /// Whether there is no height: a sequence `[n, c, w]`.
    is_sequence: bool,
}

impl Sliding {
    /// Input 0 of `node` under a window of `kernel` (one or two lengths).
    pub fn new<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>, kernel: &[usize]) -> Result<Self> {
        let (x, name) = (c.value(node, 0)?, node.outputs[0]);
        let shape = x.shape();
        let (axes, rank) = (kernel.len(), shape.len());
        if rank != axes + 2 || !(1..=2).contains(&axes) {
            return Err(unusable(format!(
                "has a kernel {kernel:?} on a tensor of shape {shape:?}; images and sequences are supported"
            )));
        }
        let ([stride, dilation], mut padding) = (lists(node, axes)?, paddings(node, axes)?);
        let kernel = [kernel, &stride, &dilation].map(|list| if axes == 1 { [1, list[0]] } else { [list[0], list[1]] });
        let [kernel, stride, dilation] = kernel;
        if kernel.iter().chain(&stride).chain(&dilation).any(|length| !(1..=MAX_WINDOW).contains(length)) {
            return Err(unusable(format!("has a kernel, stride or dilation of 0 or more than {MAX_WINDOW}")));
        }
        let height = if axes == 1 { 1 } else { shape[2] };
        let length = [height, shape[rank - 1]];
        let core = ackermann_core::blob::Window { kernel, stride, dilation, padding: [0, 0] };
        match node.text("auto_pad")?.unwrap_or_default() {
            "" | "NOTSET" => {}
            "VALID" => padding = Padding::default(),
            "SAME_UPPER" => padding = same_padding(length, &core, false),
            "SAME_LOWER" => padding = same_padding(length, &core, true),
            other => return Err(unusable(format!("has auto_pad {other}"))),
        }
        let mut sliding =
            Self { image: x.node, window: Window { kernel, stride, dilation, padding }, is_sequence: axes == 1 };
        let x = if sliding.overhangs() { sliding.pad(c, name, &x)? } else { x };
        sliding.image = image(c, name, &x)?;
        Ok(sliding)
    }

    /// Whether a window could lie wholly in the padding, which the core does not do.
    fn overhangs(&self) -> bool {
        let Window { kernel, dilation, padding: p, .. } = self.window;
        let extent = [0, 1].map(|axis| (kernel[axis] - 1) * dilation[axis] + 1);
        p.top.max(p.bottom) >= extent[0] || p.left.max(p.right) >= extent[1]
    }

    /// The zeros as an operator of their own.
    fn pad(&mut self, c: &mut Conversion<'_, '_>, name: &str, x: &Value) -> Result<Value> {
        let p = std::mem::take(&mut self.window.padding);
        let [before, after] = [[0, 0, p.top, p.left], [0, 0, p.bottom, p.right]];
        let spatial = |list: [usize; 4]| if self.is_sequence { vec![0, 0, list[3]] } else { list.to_vec() };
        padded(c, name, x, &spatial(before), &spatial(after))
    }

    /// What an operator with this window gives, as ONNX reads it.
    pub fn result(&self, builder: &Builder, node: NodeId) -> Value {
        as_read(builder, node, self.is_sequence)
    }
}

/// A node `[n, h, w, c]` as ONNX reads it: an image, or a sequence `[n, c, w]`.
pub fn as_read(builder: &Builder, node: NodeId, is_sequence: bool) -> Value {
    let dims: &[&[usize]] = if is_sequence { &[&[0], &[3], &[1, 2]] } else { &[&[0], &[3], &[1], &[2]] };
    Value { node, stored: builder.shape(node).to_vec(), dims: dims.iter().map(|axes| axes.to_vec()).collect() }
}

/// `x`, an image or a sequence, with channels last and a height.
pub fn image(c: &mut Conversion<'_, '_>, name: &str, x: &Value) -> Result<NodeId> {
    let shape = x.shape();
    match shape[..] {
        [_, _, _, _] => x.ordered(&mut c.builder, name, &[0, 2, 3, 1]),
        [n, channels, width] => {
            let node = x.ordered(&mut c.builder, name, &[0, 2, 1])?;
            c.builder.reshape(name, node, &[n, 1, width, channels])
        }
        _ => Err(unusable(format!("has an input of shape {shape:?}; images and sequences are supported"))),
    }
}

/// Strides and dilations.
pub fn lists(node: &Node<'_>, axes: usize) -> Result<[Vec<usize>; 2]> {
    let list = |name: &str| {
        let list = node.ints(name)?.unwrap_or_else(|| vec![1; axes]);
        let list: Vec<usize> = list.iter().map(|length| usize::try_from(*length).unwrap_or(0)).collect();
        if list.len() == axes {
            Ok(list)
        } else {
            Err(unusable(format!("has {} {name} for {axes} dimensions", list.len())))
        }
    };
    Ok([list("strides")?, list("dilations")?])
}

/// Zeros around, as the file states them.
pub fn paddings(node: &Node<'_>, axes: usize) -> Result<Padding> {
    let list = node.ints("pads")?.unwrap_or_else(|| vec![0; 2 * axes]);
    let sizes: Option<Vec<usize>> =
        list.iter().map(|d| usize::try_from(*d).ok().filter(|d| *d <= MAX_WINDOW)).collect();
    match sizes.as_deref() {
        Some(&[left, right]) if axes == 1 => Ok(Padding { left, right, ..Padding::default() }),
        Some(&[top, left, bottom, right]) if axes == 2 => Ok(Padding { top, bottom, left, right }),
        _ => Err(unusable(format!("has pads {list:?} for {axes} dimensions"))),
    }
}

fn kernel(node: &Node<'_>) -> Result<Vec<usize>> {
    let list = node.ints("kernel_shape")?.ok_or_else(|| unusable("has no kernel_shape"))?;
    Ok(list.iter().map(|length| usize::try_from(*length).unwrap_or(0)).collect())
}

fn sliding<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Sliding> {
    if node.outputs.len() > 1 {
        return Err(unusable("gives the places of the maxima, which is not supported"));
    }
    let mut sliding = Sliding::new(c, node, &kernel(node)?)?;
    if sliding.window.dilation != [1, 1] {
        return Err(unusable("has a dilation, which pools do not support"));
    }
    if node.int("ceil_mode", 0)? != 0 {
        let shape = c.builder.shape(sliding.image).to_vec();
        let Window { kernel, stride, padding, .. } = sliding.window;
        // One more position where the last window would begin inside, beside or after the rest.
        let more = |axis: usize, before: usize, after: usize| {
            let covered = shape[axis + 1] + before + after;
            let missing = covered.saturating_sub(kernel[axis]).next_multiple_of(stride[axis]) + kernel[axis]
                - covered.max(kernel[axis]);
            let begin = covered + missing - kernel[axis];
            if begin >= shape[axis + 1] + before { 0 } else { missing }
        };
        let extra = [more(0, padding.top, padding.bottom), more(1, padding.left, padding.right)];
        sliding.window.padding.bottom += extra[0];
        sliding.window.padding.right += extra[1];
    }
    Ok(sliding)
}

/// Largest values; padding takes no part.
pub fn max_pool<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let sliding = sliding(c, node)?;
    let pool = c.builder.push(node.outputs[0], MaxPool { window: sliding.window }, &[sliding.image])?;
    Ok(vec![sliding.result(&c.builder, pool)])
}

/// Means; padding takes no part unless `count_include_pad` says so.
pub fn average_pool<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let (mut sliding, name) = (sliding(c, node)?, node.outputs[0]);
    if node.int("count_include_pad", 0)? != 0 && sliding.window.padding != Padding::default() {
        if node.int("ceil_mode", 0)? != 0 {
            return Err(unusable("has count_include_pad and ceil_mode together, which is not supported"));
        }
        let image = sliding.result(&c.builder, sliding.image);
        let image = sliding.pad(c, name, &image)?;
        sliding.image = self::image(c, name, &image)?;
    }
    let pool = c.builder.push(name, AvgPool { window: sliding.window }, &[sliding.image])?;
    Ok(vec![sliding.result(&c.builder, pool)])
}

/// Means over all but batch and channels.
pub fn global_average_pool<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let x = c.value(node, 0)?;
    let axes: Vec<usize> = (2..x.dims.len()).collect();
    Ok(vec![mean(c, node.outputs[0], &x, &axes)?])
}

/// Maxima over all but batch and channels.
pub fn global_max_pool<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let (x, name) = (c.value(node, 0)?, node.outputs[0]);
    let image = image(c, name, &x)?;
    let (is_sequence, shape) = (x.dims.len() == 3, c.builder.shape(image));
    let window = Window::new([shape[1], shape[2]], [1, 1], Padding::default());
    let pool = c.builder.push(name, MaxPool { window }, &[image])?;
    Ok(vec![Sliding { image, window, is_sequence }.result(&c.builder, pool)])
}

/// Means over the dimensions in input 1 (once an attribute), or all.
pub fn reduce_mean<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let (x, name) = (c.value(node, 0)?, node.outputs[0]);
    let shape = x.shape();
    let axes = match c.integers(node, 1, "axes")?.filter(|axes| !axes.is_empty()) {
        Some(axes) => axes.iter().map(|axis| c.axis(*axis, shape.len())).collect::<Result<Vec<usize>>>()?,
        None if node.int("noop_with_empty_axes", 0)? != 0 => return Ok(vec![x]),
        None => (0..shape.len()).collect(),
    };
    let mean = mean(c, name, &x, &axes)?;
    if node.int("keepdims", 1)? != 0 {
        return Ok(vec![mean]);
    }
    let kept: Vec<usize> = (0..shape.len()).filter(|axis| !axes.contains(axis)).map(|axis| shape[axis]).collect();
    Ok(vec![mean.reshaped(&mut c.builder, name, &kept)?])
}

/// Means over ONNX's dimensions `axes`, which stay as 1.
fn mean(c: &mut Conversion<'_, '_>, name: &str, x: &Value, axes: &[usize]) -> Result<Value> {
    let order = x.order();
    let from = x.ordered(&mut c.builder, name, &order)?;
    let axes: Vec<usize> = (0..order.len()).filter(|at| axes.contains(&order[*at])).collect();
    let node = c.builder.push(name, Mean { axes }, &[from])?;
    Ok(Value::stored(&c.builder, node, &order))
}
