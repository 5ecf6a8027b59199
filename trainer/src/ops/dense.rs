//! Fully connected layer.

use rayon::prelude::*;

use super::chunks::per_chunk;
use super::{Io, MatMul, Operator, misfit, weighted};
use crate::Result;
use crate::graph::{Graph, Matrix, NodeId, Real, Shape, product};
use crate::quant::program::Lowering;

/// Inputs `x [n, in], w [out, in]` and optionally `bias [out]`: `y[i, o] = sum_k x[i, k] w[o, k] + bias[o]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense;

impl Operator for Dense {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x, w] = weighted::operands(inputs, 0)?;
        let (&[n, depth], &[outputs, weight_depth]) = (x.dims(), w.dims()) else {
            return Err(misfit(format!("takes two matrices, was given shapes {x} and {w}; flatten images first")));
        };
        if depth != weight_depth {
            return Err(misfit(format!("input has {depth} features, weights expect {weight_depth}")));
        }
        Ok([n, outputs].into())
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [x, w] = [io.inputs[0], io.inputs[1]];
        let input = Matrix::new(x.data, x.shape[0], x.shape[1]);
        let weights = Matrix::new(w.data, w.shape[0], w.shape[1]).t();
        let (bias, outputs) = (io.inputs.get(2), io.shape[1]);
        if outputs == 0 {
            return;
        }
        let rows = per_chunk(io.shape[0]);
        io.output.par_chunks_mut(rows * outputs).enumerate().for_each(|(chunk, out)| {
            product(out, input.rows(chunk * rows, out.len() / outputs), weights, false);
            if let Some(bias) = bias {
                weighted::add_bias(out, bias.data);
            }
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let inputs = graph.node(node).inputs.clone();
        let dx = graph.push(MatMul { transpose_a: false, transpose_b: false }, &[upstream, inputs[1]])?;
        let dw = graph.push(MatMul { transpose_a: true, transpose_b: false }, &[upstream, inputs[0]])?;
        weighted::derivatives(graph, &inputs, upstream, [dx, dw])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        lowering.dense()
    }
}
