//! Attention (Vaswani et al. 2017), written in simple operators.

use super::{Graph, NodeId};
use crate::Result;
use crate::ops::{BatchMatMul, Mask, Positions, Softmax, Transpose};

/// What is added to a score that must not count: e to its power is 0, and sums with it stay finite.
const FORBIDDEN: f64 = -1e9;

impl Graph {
    /// Scaled dot-product attention of queries `q [.., t, d]` to keys `k [.., s, d]` with values `v [.., s, e]`:
    /// `softmax(q k^T / sqrt(d) + mask) v`, `[.., t, e]`. The mask, of a shape that repeats to `[.., t, s]`, is 0 where a query may look and
    /// a large negative number where not; see [`Graph::causal_mask`].
    pub fn attention(&mut self, q: NodeId, k: NodeId, v: NodeId, mask: Option<NodeId>) -> Result<NodeId> {
        let depth = self.shape(q).last().copied().unwrap_or(1).max(1);
        let products = self.push(BatchMatMul { adjoint: [false, true] }, &[q, k])?;
        let mut scores = self.affine(products, (depth as f64).sqrt().recip(), 0.0)?;
        if let Some(mask) = mask {
            scores = self.add(scores, mask)?;
        }
        let shares = self.push(Softmax, &[scores])?;
        self.push(BatchMatMul { adjoint: [false, false] }, &[shares, v])
    }

    /// [`Graph::attention`] in `heads` parts of the channels at once: of `q [n, t, c]` to `k [n, s, c]` with `v [n, s, e]`, `[n, t, e]`.
    pub fn multi_head_attention(
        &mut self,
        [q, k, v]: [NodeId; 3],
        heads: usize,
        mask: Option<NodeId>,
    ) -> Result<NodeId> {
        let [q, k, v] = [self.heads(q, heads)?, self.heads(k, heads)?, self.heads(v, heads)?];
        let seen = self.attention(q, k, v, mask)?;
        let &[n, _, t, e] = self.shape(seen).dims() else { return Ok(seen) };
        let seen = self.push(Transpose { order: vec![0, 2, 1, 3] }, &[seen])?;
        self.reshape(seen, [n, t, heads * e])
    }

    /// The mask `[queries, keys]` that lets each query look at keys up to its own place only, for [`Graph::attention`].
    pub fn causal_mask(&mut self, queries: usize, keys: usize) -> Result<NodeId> {
        let own = self.push(Positions { axis: 0, shape: [queries, keys].into() }, &[])?;
        let seen = self.push(Positions { axis: 1, shape: [queries, keys].into() }, &[])?;
        let ahead = self.sub(seen, own)?;
        let forbidden = self.full(FORBIDDEN, [queries, keys])?;
        self.push(Mask { low: 0.5, high: f64::INFINITY }, &[ahead, forbidden])
    }

    /// `[n, t, c]` as `[n, heads, t, c / heads]`.
    fn heads(&mut self, x: NodeId, heads: usize) -> Result<NodeId> {
        let shape = self.shape(x).clone();
        let [n, t, channels] = [0, 1, 2].map(|axis| shape.get(axis).copied().unwrap_or(1));
        let parts = self.reshape(x, [n, t, heads, channels / heads.max(1)])?;
        self.push(Transpose { order: vec![0, 2, 1, 3] }, &[parts])
    }
}
