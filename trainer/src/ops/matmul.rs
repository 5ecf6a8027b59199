//! Matrix product.

use rayon::prelude::*;

use super::chunks::per_chunk;
use super::{BatchMatMul, Io, Operator, exactly, misfit};
use crate::Result;
use crate::graph::{Graph, Matrix, NodeId, Real, Shape, product};
use crate::quant::program::Lowering;

/// `a b`, either one transposed first on demand; rows of the result are computed in parallel.
#[derive(Debug, Clone, PartialEq)]
pub struct MatMul {
    /// Use the transpose of `a`.
    pub transpose_a: bool,
    /// Use the transpose of `b`.
    pub transpose_b: bool,
}

impl Operator for MatMul {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [a, b] = exactly(inputs)?;
        let (&[ar, ac], &[br, bc]) = (a.dims(), b.dims()) else {
            return Err(misfit(format!("takes two matrices, was given shapes {a} and {b}")));
        };
        let (m, inner_a) = if self.transpose_a { (ac, ar) } else { (ar, ac) };
        let (inner_b, n) = if self.transpose_b { (bc, br) } else { (br, bc) };
        if inner_a == inner_b {
            Ok([m, n].into())
        } else {
            Err(misfit(format!("inner dimensions {inner_a} and {inner_b} of shapes {a} and {b} differ")))
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [a, b] = [io.inputs[0], io.inputs[1]];
        let left = Matrix::new(a.data, a.shape[0], a.shape[1]);
        let right = Matrix::new(b.data, b.shape[0], b.shape[1]);
        let left = if self.transpose_a { left.t() } else { left };
        let right = if self.transpose_b { right.t() } else { right };
        let (m, n) = (io.shape[0], io.shape[1]);
        if n == 0 {
            return;
        }
        let rows = per_chunk(m);
        io.output.par_chunks_mut(rows * n).enumerate().for_each(|(chunk, out)| {
            product(out, left.rows(chunk * rows, out.len() / n), right, false);
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let (a, b) = (graph.node(node).inputs[0], graph.node(node).inputs[1]);
        let (ta, tb) = (self.transpose_a, self.transpose_b);
        let da = if ta { multiply(graph, b, tb, upstream, true)? } else { multiply(graph, upstream, false, b, !tb)? };
        let db = if tb { multiply(graph, upstream, true, a, ta)? } else { multiply(graph, a, !ta, upstream, false)? };
        Ok(vec![Some(da), Some(db)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        BatchMatMul { adjoint: [self.transpose_a, self.transpose_b] }.lower(lowering)
    }
}

fn multiply(graph: &mut Graph, a: NodeId, transpose_a: bool, b: NodeId, transpose_b: bool) -> Result<NodeId> {
    graph.push(MatMul { transpose_a, transpose_b }, &[a, b])
}
