//! Convolutions and pools.

use super::{Builder, unfit};
use crate::Result;
use crate::graph::{NodeId, Shape};
use crate::nn::{Layer, Role};
use crate::ops::{
    AvgPool, Concat, Conv2d, DepthwiseConv2d, GroupedConv2d, MaxPool, Mean, Padding, Reshape, TransposedConv2d, Window,
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
                    _ => self.grouped(name, op, [filters, groups], kernel, bias, x),
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

    fn grouped(
        &mut self,
        name: &str,
        Conv2d { stride, dilation, padding }: Conv2d,
        [filters, groups]: [usize; 2],
        [rows, columns]: [usize; 2],
        bias: bool,
        x: NodeId,
    ) -> Result<NodeId> {
        let depth = self.channels(x) / groups;
        let [fan_in, fan_out] = [depth, filters / groups].map(|n| n.saturating_mul(rows).saturating_mul(columns));
        let w = self.param(name, "weight", [filters, rows, columns, depth], Role::Weight { fan_in, fan_out });
        let mut inputs = vec![x, w];
        if bias {
            inputs.push(self.param(name, "bias", [filters], Role::Bias { fan_in }));
        }
        self.push(name, GroupedConv2d { groups, stride, dilation, padding }, &inputs)
    }

    fn transposed(
        &mut self,
        name: &str,
        filters: usize,
        Window { kernel: [rows, columns], stride, dilation, padding }: Window,
        more: [usize; 2],
        bias: bool,
        x: NodeId,
    ) -> Result<NodeId> {
        let channels = self.channels(x);
        let [fan_in, fan_out] = [channels, filters].map(|n| n.saturating_mul(rows).saturating_mul(columns));
        let w = self.param(name, "weight", [channels, rows, columns, filters], Role::Weight { fan_in, fan_out });
        let mut inputs = vec![x, w];
        if bias {
            inputs.push(self.param(name, "bias", [filters], Role::Bias { fan_in }));
        }
        self.push(name, TransposedConv2d { stride, dilation, padding, more }, &inputs)
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
