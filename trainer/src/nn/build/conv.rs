//! Convolutions and pools.

use super::{Builder, unfit};
use crate::Result;
use crate::graph::{NodeId, Shape};
use crate::nn::{Layer, Role};
use crate::ops::{
    AvgPool, Concat, Conv2d, DepthwiseConv2d, GroupedConv2d, MaxPool, Mean, Op, Pad, Padding, Reshape,
    TransposedConv2d, Window,
};

/// Largest side of a picture that transposed convolutions may make.
const LARGEST: usize = 1 << 20;

/// A convolution and the shapes of its parameters.
struct Convolution {
    op: Op,
    /// Of the filters.
    shape: Vec<usize>,
    /// What weights and bias are.
    roles: [Role; 2],
    /// Channels of the output, each with a bias.
    bias: Option<usize>,
}

impl Builder<'_> {
    pub(super) fn convolution(&mut self, name: &str, layer: &Layer, x: NodeId) -> Result<NodeId> {
        let &[_, height, width, channels] = self.shape(x).dims() else {
            return unfit(name, format!("takes pictures (height x width x channels), not {}", sample(self.shape(x))));
        };
        match *layer {
            Layer::Conv2d { filters, kernel, stride, padding, dilation, groups, bias } => {
                let divides = |count: usize| groups > 0 && count > 0 && count.is_multiple_of(groups);
                if !divides(channels) || !divides(filters) {
                    let message = format!("{groups} groups do not divide {channels} channels and {filters} filters");
                    return unfit(name, message);
                }
                let (x, padding) = self.padded(x, [kernel, dilation], padding)?;
                let op = match groups {
                    1 => Conv2d { stride, dilation, padding }.into(),
                    _ if groups == channels => DepthwiseConv2d { stride, dilation, padding }.into(),
                    _ => GroupedConv2d { groups, stride, dilation, padding }.into(),
                };
                let [depth, each] = [channels / groups, filters / groups];
                let shape = match op {
                    Op::DepthwiseConv2d(_) => vec![filters, kernel[0], kernel[1]],
                    _ => vec![filters, kernel[0], kernel[1], depth],
                };
                let roles = Role::pair(taps(depth, kernel), taps(each, kernel));
                self.filtered(name, Convolution { op, shape, roles, bias: bias.then_some(filters) }, x)
            }
            Layer::DepthwiseConv2d { multiplier, kernel, stride, padding, dilation, bias } => {
                let filters = multiplier.saturating_mul(channels);
                let (x, padding) = self.padded(x, [kernel, dilation], padding)?;
                let op = DepthwiseConv2d { stride, dilation, padding }.into();
                let shape = vec![filters, kernel[0], kernel[1]];
                let roles = Role::pair(taps(1, kernel), taps(multiplier, kernel));
                self.filtered(name, Convolution { op, shape, roles, bias: bias.then_some(filters) }, x)
            }
            Layer::ConvTranspose2d { filters, kernel, stride, padding, more, bias } => {
                if height.max(width) > LARGEST {
                    return unfit(name, format!("would spread a picture of {height}x{width}; {LARGEST} is the most"));
                }
                let op = TransposedConv2d { stride, dilation: [1, 1], padding, more }.into();
                let shape = vec![channels, kernel[0], kernel[1], filters];
                let roles = Role::transposed_pair(taps(channels, kernel), taps(filters, kernel));
                self.filtered(name, Convolution { op, shape, roles, bias: bias.then_some(filters) }, x)
            }
            _ => Ok(x),
        }
    }

    /// The picture and its padding for a filter; where the filter could lie wholly in the padding, which the core does not do, zeros stand
    /// around the picture itself.
    fn padded(
        &mut self,
        x: NodeId,
        [kernel, dilation]: [[usize; 2]; 2],
        padding: Padding,
    ) -> Result<(NodeId, Padding)> {
        let Padding { top, bottom, left, right } = padding;
        let last = [0, 1].map(|axis| kernel[axis].saturating_sub(1).saturating_mul(dilation[axis]));
        if top.max(bottom) <= last[0] && left.max(right) <= last[1] {
            return Ok((x, padding));
        }
        let pad = Pad::around(self.shape(x), vec![0, top, left, 0], &[0, bottom, right, 0]);
        Ok((self.push("", pad, &[x])?, Padding::default()))
    }

    fn filtered(&mut self, name: &str, convolution: Convolution, x: NodeId) -> Result<NodeId> {
        let Convolution { op, shape, roles: [weight_role, bias_role], bias } = convolution;
        let mut inputs = vec![x, self.param(name, "weight", shape, weight_role)];
        if let Some(outputs) = bias {
            inputs.push(self.param(name, "bias", [outputs], bias_role));
        }
        self.push(name, op, &inputs)
    }

    /// The parts one after another along `axis`; an operator takes eight, so more are joined in steps.
    pub(super) fn concat(&mut self, name: &str, parts: &[NodeId], axis: usize) -> Result<NodeId> {
        let mut parts = parts.to_vec();
        while parts.len() > 1 {
            let most = crate::ops::MAX_INPUTS;
            let joined = parts.chunks(most).map(|few| match few {
                [one] => Ok(*one),
                few => self.push(if parts.len() <= most { name } else { "" }, Concat { axis }, few),
            });
            parts = joined.collect::<Result<_>>()?;
        }
        match parts.first() {
            Some(whole) => Ok(*whole),
            None => unfit(name, "joins nothing"),
        }
    }

    pub(super) fn pool(&mut self, name: &str, layer: &Layer, x: NodeId) -> Result<NodeId> {
        let shape = self.shape(x).clone();
        match *layer {
            Layer::MaxPool { kernel, stride, padding } => {
                self.push(name, MaxPool { window: Window::new(kernel, stride, padding) }, &[x])
            }
            Layer::AvgPool { kernel, stride } => {
                self.push(name, AvgPool { window: Window::new(kernel, stride, Padding::default()) }, &[x])
            }
            Layer::GlobalAvgPool if shape.len() != 4 => {
                unfit(name, format!("takes pictures (height x width x channels), not {}", sample(&shape)))
            }
            Layer::GlobalAvgPool => self.mean(name, x, vec![1, 2]),
            _ if shape.len() != 3 => unfit(name, format!("takes sequences (time x features), not {}", sample(&shape))),
            _ => self.mean(name, x, vec![1]),
        }
    }

    /// The mean over `axes`, which go away.
    fn mean(&mut self, name: &str, x: NodeId, axes: Vec<usize>) -> Result<NodeId> {
        let (batch, channels) = (self.batch(x), self.channels(x));
        let mean = self.push(name, Mean { axes }, &[x])?;
        self.push("", Reshape { shape: [batch, channels].into() }, &[mean])
    }
}

/// Numbers of `count` channels under a filter.
fn taps(count: usize, [rows, columns]: [usize; 2]) -> usize {
    count.saturating_mul(rows).saturating_mul(columns)
}

/// The shape without the batch.
fn sample(shape: &Shape) -> Shape {
    shape.get(1..).unwrap_or_default().into()
}
