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
        // Channels are last, whether the branches end in pictures, sequences or vectors.
        let axis = ends.first().map_or(0, |end| self.shape(*end).len().saturating_sub(1));
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
        let roles = Role::attention_pair(size, 3 * size);
        let all = self.projection(name, ["in_proj", "in_proj_weight", "in_proj_bias"], roles, 3 * size, rows)?;
        let parts = [0, 1, 2].map(|part| {
            let own = self.push("", Slice::dense(vec![0, part * size], [batch * time, size].into()), &[all])?;
            self.built.graph.reshape(own, [batch, time, size])
        });
        let [query, key, value] = parts;
        let mixed = self.built.graph.multi_head_attention([query?, key?, value?], heads, None)?;
        let mixed = self.rows(mixed)?;
        let [weight_role, _] = Role::pair(size, size);
        let names = ["out_proj", "out_proj.weight", "out_proj.bias"];
        let out = self.projection(name, names, [weight_role, Role::Zero], size, mixed)?;
        self.push("", Reshape { shape: [batch, time, size].into() }, &[out])
    }

    /// A dense layer `part` in the layer `name`, with a name of its own: quantization tells layers apart by their names.
    fn projection(
        &mut self,
        name: &str,
        [part, weight, bias]: [&str; 3],
        [weight_role, bias_role]: [Role; 2],
        outputs: usize,
        x: NodeId,
    ) -> Result<NodeId> {
        let w = self.param(name, weight, [outputs, self.channels(x)], weight_role);
        let b = self.param(name, bias, [outputs], bias_role);
        self.push(&format!("{name}.{part}"), Dense, &[x, w, b])
    }
}
