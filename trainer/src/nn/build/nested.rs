//! Layers made of layers, and attention.

use super::{Builder, unfit};
use crate::Result;
use crate::graph::NodeId;
use crate::nn::layer::path;
use crate::nn::{Layer, Mode, Role};
use crate::ops::{Add, Dense, Reshape, Slice};

impl Builder<'_> {
    pub(super) fn residual(&mut self, name: &str, main: &[Layer], shortcut: &[Layer], x: NodeId) -> Result<NodeId> {
        let one = self.sequence(&path(name, "main"), main, x)?;
        let other = self.sequence(&path(name, "shortcut"), shortcut, x)?;
        let (left, right) = (self.shape(one), self.shape(other));
        if left != right {
            return unfit(name, format!("adds {left} and {right}; give it a shortcut of the same shape"));
        }
        self.push(name, Add, &[one, other])
    }

    pub(super) fn branches(&mut self, name: &str, branches: &[Vec<Layer>], x: NodeId) -> Result<NodeId> {
        let ends =
            branches.iter().enumerate().map(|(at, layers)| self.sequence(&path(name, &at.to_string()), layers, x));
        let ends = ends.collect::<Result<Vec<_>>>()?;
        let axis = self.shape(x).len().saturating_sub(1);
        self.concat(name, &ends, axis)
    }

    /// A vector at every step of a sequence.
    pub(super) fn repeat(&mut self, name: &str, times: usize, x: NodeId) -> Result<NodeId> {
        let &[batch, size] = self.shape(x).dims() else {
            let shape = self.shape(x);
            return unfit(name, format!("takes vectors (batch x features), not {shape}"));
        };
        let step = self.push("", Reshape { shape: [batch, 1, size].into() }, &[x])?;
        self.concat(name, &vec![step; times], 1)
    }

    /// Steps count as samples.
    pub(super) fn time_distributed(&mut self, name: &str, layers: &[Layer], x: NodeId) -> Result<NodeId> {
        if self.mode == Mode::Step {
            return self.sequence(name, layers, x);
        }
        let &[batch, time, ref rest @ ..] = self.shape(x).dims() else {
            let shape = self.shape(x);
            return unfit(name, format!("takes sequences (batch x time x ..), not {shape}"));
        };
        let merged = [&[batch.saturating_mul(time)], rest].concat();
        let steps = self.push("", Reshape { shape: merged.into() }, &[x])?;
        let done = self.sequence(name, layers, steps)?;
        let shape = [&[batch, time], &self.shape(done)[1..]].concat();
        self.push(name, Reshape { shape: shape.into() }, &[done])
    }

    /// Scaled dot products (Vaswani et al. 2017) of the sequence with itself.
    pub(super) fn attention(&mut self, name: &str, heads: usize, x: NodeId) -> Result<NodeId> {
        let &[batch, time, size] = self.shape(x).dims() else {
            let shape = self.shape(x);
            return unfit(name, format!("takes sequences (batch x time x features), not {shape}"));
        };
        if heads == 0 || size % heads != 0 {
            return unfit(name, format!("has {heads} heads, which do not divide {size} features"));
        }
        let rows = self.rows(x)?;
        let all = self.projection(name, ("in_proj_weight", "in_proj_bias"), 3 * size, rows)?;
        let parts = [0, 1, 2].map(|part| {
            let own = self.push("", Slice::dense(vec![0, part * size], [batch * time, size].into()), &[all])?;
            self.built.graph.reshape(own, [batch, time, size])
        });
        let [query, key, value] = parts;
        let mixed = self.built.graph.multi_head_attention([query?, key?, value?], heads, None)?;
        let mixed = self.rows(mixed)?;
        let out = self.projection(name, ("out_proj.weight", "out_proj.bias"), size, mixed)?;
        self.push("", Reshape { shape: [batch, time, size].into() }, &[out])
    }

    fn projection(&mut self, name: &str, (weight, bias): (&str, &str), outputs: usize, x: NodeId) -> Result<NodeId> {
        let fan_in = self.channels(x);
        let w = self.param(name, weight, [outputs, fan_in], Role::Weight { fan_in, fan_out: outputs });
        let b = self.param(name, bias, [outputs], Role::Bias { fan_in });
        self.push(name, Dense, &[x, w, b])
    }
}
