//! Convolutions and pools.

use super::{Builder, unfit};
use crate::Result;
use crate::graph::{NodeId, Shape};
use crate::nn::{Layer, Role};
use crate::ops::{
    AvgPool, Concat, Conv2d, Conv2dInputGrad, DepthwiseConv2d, MaxPool, Mean, Padding, Reshape, Slice, Window,
};

impl Builder<'_> {
    pub(super) fn convolution(&mut self, name: &str, layer: &Layer, x: NodeId) -> Result<NodeId> {
        if self.shape(x).len() != 4 {
            return unfit(name, format!("takes pictures (height x width x channels), not {}", sample(self.shape(x))));
        }
        match *layer {
            Layer::Conv2d { filters, kernel, stride, padding, dilation, groups, bias } => {
                let channels = self.channels(x);
                let op = Conv2d { stride, dilation, padding };
                match groups {
                    1 => self.plain(name, op, filters, kernel, bias, x),
                    _ if groups == 0
                        || !channels.is_multiple_of(groups)
                        || !filters.is_multiple_of(groups)
                        || filters == 0 =>
                    {
                        unfit(name, format!("{groups} groups do not divide {channels} channels and {filters} filters"))
                    }
                    _ if groups == channels => self.depthwise(name, op, filters, kernel, bias, x),
                    _ => self.grouped(name, &op, [filters, groups], kernel, bias, x),
                }
            }
            Layer::DepthwiseConv2d { multiplier, kernel, stride, padding, dilation, bias } => {
                let filters = multiplier.saturating_mul(self.channels(x));
                self.depthwise(name, Conv2d { stride, dilation, padding }, filters, kernel, bias, x)
            }
            Layer::ConvTranspose2d { filters, kernel, stride, padding, more, bias } => {
                self.transposed(name, filters, Window::new(kernel, stride, padding), more, bias, x)
            }
            _ => Ok(x),
        }
    }

    fn plain(
        &mut self,
        name: &str,
        op: Conv2d,
        filters: usize,
        [rows, columns]: [usize; 2],
        bias: bool,
        x: NodeId,
    ) -> Result<NodeId> {
        let channels = self.channels(x);
        let [fan_in, fan_out] = [channels, filters].map(|n| n.saturating_mul(rows).saturating_mul(columns));
        let w = self.param(name, "weight", [filters, rows, columns, channels], Role::Weight { fan_in, fan_out });
        let mut inputs = vec![x, w];
        if bias {
            inputs.push(self.param(name, "bias", [filters], Role::Bias { fan_in }));
        }
        self.push(name, op, &inputs)
    }

    fn depthwise(
        &mut self,
        name: &str,
        Conv2d { stride, dilation, padding }: Conv2d,
        filters: usize,
        [rows, columns]: [usize; 2],
        bias: bool,
        x: NodeId,
    ) -> Result<NodeId> {
        let fan_in = rows.saturating_mul(columns);
        let fan_out = fan_in.saturating_mul(filters / self.channels(x).max(1));
        let w = self.param(name, "weight", [filters, rows, columns], Role::Weight { fan_in, fan_out });
        let mut inputs = vec![x, w];
        if bias {
            inputs.push(self.param(name, "bias", [filters], Role::Bias { fan_in }));
        }
        self.push(name, DepthwiseConv2d { stride, dilation, padding }, &inputs)
    }

    /// Each group is a convolution of its own part of the channels; its parameters are `NAME.GROUP.weight`.
    fn grouped(
        &mut self,
        name: &str,
        op: &Conv2d,
        [filters, groups]: [usize; 2],
        kernel: [usize; 2],
        bias: bool,
        x: NodeId,
    ) -> Result<NodeId> {
        let mut part = self.shape(x).to_vec();
        part[3] /= groups;
        let mut parts = Vec::new();
        for group in 0..groups {
            let begin = vec![0, 0, 0, group * part[3]];
            let own = self.push("", Slice::dense(begin, part.clone().into()), &[x])?;
            parts.push(self.plain(&format!("{name}.{group}"), op.clone(), filters / groups, kernel, bias, own)?);
        }
        self.concat(name, &parts, 3)
    }

    /// The transpose of a convolution is the gradient with respect to its image.
    fn transposed(
        &mut self,
        name: &str,
        filters: usize,
        window: Window,
        more: [usize; 2],
        bias: bool,
        x: NodeId,
    ) -> Result<NodeId> {
        let Window { kernel: [rows, columns], stride, dilation, padding } = window;
        let &[batch, height, width, channels] = self.shape(x).dims() else { return Ok(x) };
        let Padding { top, bottom, left, right } = padding;
        if stride[0] == 0 || stride[1] == 0 || more[0] >= stride[0] || more[1] >= stride[1] {
            return unfit(
                name,
                format!("adds {more:?} rows and columns, which must be less than its stride {stride:?}"),
            );
        }
        let size = |length: usize, axis: usize, kernel: usize, cut: usize| {
            let whole = stride[axis].saturating_mul(length.saturating_sub(1)).saturating_add(kernel + more[axis]);
            whole.checked_sub(cut).filter(|size| *size > 0)
        };
        let (Some(height), Some(width)) = (size(height, 0, rows, top + bottom), size(width, 1, columns, left + right))
        else {
            return unfit(name, "cuts off more than there is; lower its padding");
        };
        let fan_in = channels.saturating_mul(rows).saturating_mul(columns);
        let role = Role::Weight { fan_in, fan_out: filters.saturating_mul(rows).saturating_mul(columns) };
        let w = self.param(name, "weight", [channels, rows, columns, filters], role);
        let input: Shape = [batch, height, width, filters].into();
        let y = self.push(name, Conv2dInputGrad { stride, dilation, padding, input }, &[x, w])?;
        if !bias {
            return Ok(y);
        }
        let bias = self.param(name, "bias", [filters], Role::Bias { fan_in });
        self.built.graph.add(y, bias)
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

/// The shape without the batch.
fn sample(shape: &Shape) -> Shape {
    shape.get(1..).unwrap_or_default().into()
}
