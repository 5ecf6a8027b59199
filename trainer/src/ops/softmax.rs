//! Shares of exponentials.

use ackermann_core::blob::write::OperatorKind;
use ackermann_core::ops;

use super::{Io, Operator, chunks, exactly, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::Quantization;
use crate::quant::program::{Lowering, Scale};

/// `y[i] = e^x[i] / sum over the last dimension of e^x`.
#[derive(Debug, Clone, PartialEq)]
pub struct Softmax;

impl Operator for Softmax {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x] = exactly(inputs)?;
        if x.elements() == 0 || x.is_empty() { Err(misfit("nothing to share")) } else { Ok(x.clone()) }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let row = io.shape.last().copied().unwrap_or(1);
        chunks::rows(io.inputs[0].data, io.output, row, |x, y| {
            let largest = x.iter().copied().fold(x[0], |a, b| if b > a { b } else { a });
            y.iter_mut().zip(x).for_each(|(y, &x)| *y = (x - largest).exp());
            let sum: T = y.iter().copied().sum();
            y.iter_mut().for_each(|y| *y = *y / sum);
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        // dx = y (v - sum of y v over the row).
        let rows = graph.shape(node).of_rows();
        let product = graph.mul(node, upstream)?;
        let sum = graph.sum_to(product, &rows)?;
        let centred = graph.sub(upstream, sum)?;
        Ok(vec![Some(graph.mul(node, centred)?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let shares = Quantization { scale: 1.0 / 256.0, zero_point: -128 };
        lowering.operator(Scale::Fixed(shares), |site| {
            let scale = site.inputs[0].scale;
            ops::Softmax::for_scale(1.0, scale).map(OperatorKind::Softmax).ok_or_else(|| {
                misfit(format!("the values span so little (step {scale}) that their shares are all equal"))
            })
        })
    }
}
