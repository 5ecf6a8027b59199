//! Products of many matrices.

use ackermann_core::blob::write::OperatorKind;
use ackermann_core::ops;

use rayon::prelude::*;

use super::{Io, Operator, exactly, loops, misfit};
use crate::Result;
use crate::graph::{Graph, Matrix, NodeId, Real, Shape, product};
use crate::quant::Sides;
use crate::quant::program::{Lowering, Scale};

/// `a b` for each place of the leading dimensions, which are repeated where they are 1 or missing.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchMatMul {
    /// Which of them is stored with rows and columns exchanged.
    pub adjoint: [bool; 2],
}

/// Leading dimensions, rows and columns.
fn parts(shape: &Shape, adjoint: bool) -> Result<(&[usize], [usize; 2])> {
    let Some((places, &[rows, columns])) = shape.split_last_chunk::<2>() else {
        return Err(misfit(format!("takes matrices, was given shape {shape}")));
    };
    Ok((places, if adjoint { [columns, rows] } else { [rows, columns] }))
}

/// The matrix in `places` that belongs to matrix `at` in `whole`, to which `places` are repeated.
fn source(places: &[usize], whole: &[usize], at: usize) -> usize {
    let stride = loops::repeated(places, whole);
    (0..whole.len()).map(|axis| at / loops::stride(whole, axis) % whole[axis] * stride(axis)).sum()
}

impl Operator for BatchMatMul {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [a, b] = exactly(inputs)?;
        let ((left, [rows, inner]), (right, [depth, columns])) =
            (parts(a, self.adjoint[0])?, parts(b, self.adjoint[1])?);
        let places = Shape::from(left).joined(&right.into());
        let fits = [left, right].iter().all(|shape| loops::broadcasts(shape, &places));
        if fits && inner == depth && inner > 0 {
            Ok([places.dims(), &[rows, columns]].concat().into())
        } else {
            Err(misfit(format!("matrices of shapes {a} and {b} cannot be multiplied")))
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [a, b] = [io.inputs[0], io.inputs[1]];
        let (Ok((left, [rows, inner])), Ok((right, [_, columns]))) =
            (parts(a.shape, self.adjoint[0]), parts(b.shape, self.adjoint[1]))
        else {
            return;
        };
        let places = &io.shape[..io.shape.len() - 2];
        let matrix = |data, adjoint: bool, [rows, columns]: [usize; 2]| {
            if adjoint { Matrix::new(data, columns, rows).t() } else { Matrix::new(data, rows, columns) }
        };
        let results = io.output.par_chunks_exact_mut((rows * columns).max(1));
        results.enumerate().for_each(|(at, out)| {
            let [from_a, from_b] = [left, right].map(|side| source(side, places, at));
            let a = matrix(&a.data[from_a * rows * inner..][..rows * inner], self.adjoint[0], [rows, inner]);
            let b = matrix(&b.data[from_b * inner * columns..][..inner * columns], self.adjoint[1], [inner, columns]);
            product(out, a, b, false);
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let (a, b) = (graph.node(node).inputs[0], graph.node(node).inputs[1]);
        let [ta, tb] = self.adjoint;
        let da = if ta {
            multiply(graph, [b, upstream], [tb, true])?
        } else {
            multiply(graph, [upstream, b], [false, !tb])?
        };
        let db = if tb {
            multiply(graph, [upstream, a], [true, ta])?
        } else {
            multiply(graph, [a, upstream], [!ta, false])?
        };
        let (of_a, of_b) = (graph.shape(a).clone(), graph.shape(b).clone());
        Ok(vec![Some(graph.sum_to(da, &of_a)?), Some(graph.sum_to(db, &of_b)?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let (adjoint, sides) = (self.adjoint, Sides::of(lowering)?);
        lowering.operator(Scale::Observed, move |site| {
            let kind = ops::BatchMatmul::for_scales(adjoint, sides.scales(site), site.output.scale);
            Ok(sides.made(OperatorKind::BatchMatmul(kind)))
        })
    }
}

fn multiply(graph: &mut Graph, sides: [NodeId; 2], adjoint: [bool; 2]) -> Result<NodeId> {
    graph.push(BatchMatMul { adjoint }, &sides)
}
