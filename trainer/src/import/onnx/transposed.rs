//! Transposed convolutions.

use super::constant::Constant;
use super::conversion::Conversion;
use super::pools::{as_read, image, lists, paddings};
use super::schema::Node;
use super::value::Value;
use crate::Result;
use crate::graph::NodeId;
use crate::import::builder::{MAX_ELEMENTS, MAX_WINDOW};
use crate::import::unusable;
use crate::ops::{Padding, TransposedConv2d};

/// Inputs: image or sequence, weights (input channels outermost, then the output channels of a group), perhaps a bias.
pub fn conv_transpose<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let (x, filters, bias) = (c.value(node, 0)?, c.constant(node, 1)?, c.known(node, 2)?);
    let (name, shape) = (node.outputs[0], filters.shape.clone());
    let [channels, depth, kernel @ ..] = &shape[..] else {
        return Err(unusable(format!("has filters of shape {shape:?}")));
    };
    let image = image(c, name, &x)?;
    let &[_, height, width, found] = c.builder.shape(image) else { return Err(unusable("takes no such image")) };
    let (axes, groups) = (kernel.len(), usize::try_from(node.int("group", 1)?).unwrap_or(0));
    let fits = groups > 0 && *channels == found && channels.is_multiple_of(groups) && !filters.values.is_empty();
    if !fits || axes + 2 != x.dims.len() {
        return Err(unusable(format!("has filters of shape {shape:?} in {groups} groups on {found} channels")));
    }
    let spread = Spread::of(node, kernel, if axes == 1 { vec![width] } else { vec![height, width] })?;
    let outputs = depth * groups;
    let weights = weights(c, name, filters, groups, spread.kernel)?;
    let mut result = c.builder.push(name, spread.op, &[image, weights])?;
    if let Some(bias) = bias {
        if bias.values.len() != outputs {
            return Err(unusable(format!("has {} biases for {outputs} channels", bias.values.len())));
        }
        result = c.builder.scaled(name, result, vec![1.0], bias.floats())?;
    }
    Ok(vec![as_read(&c.builder, result, axes == 1)])
}

/// The geometry, a sequence being an image of one row.
struct Spread {
    kernel: [usize; 2],
    op: TransposedConv2d,
}

impl Spread {
    fn of(node: &Node<'_>, kernel: &[usize], from: Vec<usize>) -> Result<Self> {
        let axes = kernel.len();
        if !(1..=2).contains(&axes) {
            return Err(unusable(format!("has a kernel {kernel:?}; images and sequences are supported")));
        }
        let numbers = |name: &str| {
            let list = node.ints(name)?;
            let list = list.map(|list| list.iter().map(|d| usize::try_from(*d).unwrap_or(usize::MAX)).collect());
            match list.filter(|list: &Vec<usize>| !list.is_empty()) {
                Some(list) if list.len() != axes || list.iter().any(|d| *d > 1 << 16) => {
                    Err(unusable(format!("has {name} {list:?} for {axes} dimensions")))
                }
                list => Ok(list),
            }
        };
        let ([stride, dilation], stated) = (lists(node, axes)?, paddings(node, axes)?);
        let more = numbers("output_padding")?.unwrap_or_else(|| vec![0; axes]);
        let mut shape = numbers("output_shape")?;
        let all = kernel.iter().chain(&stride).chain(&dilation);
        if all.clone().any(|length| !(1..=MAX_WINDOW).contains(length)) || (0..axes).any(|at| more[at] >= stride[at]) {
            return Err(unusable(format!(
                "has a kernel, stride, dilation or output padding of 0 or more than {MAX_WINDOW}"
            )));
        }
        let auto = node.text("auto_pad")?.unwrap_or_default();
        if auto.starts_with("SAME") && shape.is_none() {
            shape = Some((0..axes).map(|at| from[at] * stride[at]).collect());
        }
        let mut sides = [[stated.top, stated.bottom], [stated.left, stated.right]][2 - axes..].to_vec();
        for at in 0..axes {
            let whole = stride[at] * (from[at] - 1) + more[at] + (kernel[at] - 1) * dilation[at] + 1;
            if let Some(shape) = &shape {
                let total = whole.saturating_sub(shape[at]);
                let start = if auto == "SAME_UPPER" { total / 2 } else { total.div_ceil(2) };
                sides[at] = [start, total - start];
            } else if auto == "VALID" {
                sides[at] = [0, 0];
            }
            if whole <= sides[at][0] + sides[at][1] {
                return Err(unusable("has pads that leave nothing"));
            }
        }
        let image = |list: &[usize], one: usize| if axes == 1 { [one, list[0]] } else { [list[0], list[1]] };
        let (stride, dilation, more) = (image(&stride, 1), image(&dilation, 1), image(&more, 0));
        let [top, bottom] = if axes == 1 { [0, 0] } else { sides[0] };
        let [left, right] = sides[axes - 1];
        let padding = Padding { top, bottom, left, right };
        Ok(Self { kernel: image(kernel, 1), op: TransposedConv2d { stride, dilation, padding, more } })
    }
}

/// `[input channels, kernel height, kernel width, output channels]`, zeros where a group does not look.
fn weights(
    c: &mut Conversion<'_, '_>,
    name: &str,
    filters: Constant,
    groups: usize,
    [height, width]: [usize; 2],
) -> Result<NodeId> {
    let [channels, depth] = [filters.shape[0], filters.shape[1]];
    let outputs = depth * groups;
    let scales = filters.grid.as_ref().filter(|grid| grid.scales.len() == 1 || grid.axis == 1);
    let scales =
        scales.map(|grid| if grid.scales.len() == 1 { grid.scales.clone() } else { grid.scales.repeat(groups) });
    if filters.values.len().saturating_mul(groups) > MAX_ELEMENTS {
        return Err(unusable(format!("has {groups} groups, which are too many for any board")));
    }
    let area = height * width;
    let mut values = vec![0.0; channels * area * outputs];
    for (at, value) in filters.values.iter().enumerate() {
        let (channel, output, tap) = (at / area / depth, at / area % depth, at % area);
        let group = channel / (channels / groups);
        values[(channel * area + tap) * outputs + group * depth + output] = *value as f32;
    }
    let node = c.builder.param(name, &[channels, height, width, outputs], values)?;
    if let Some(scales) = scales {
        c.builder.give_scales(node, scales);
    }
    Ok(node)
}
