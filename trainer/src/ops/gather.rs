//! Slices of a tensor, picked by indices.

use ackermann_core::blob::write::OperatorKind;
use ackermann_core::ops;

use super::{Io, Operator, ScatterAdd, exactly, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::Quantization;
use crate::quant::program::{Lowering, Made, Scale};

/// Inputs `data` and `indices` (whole numbers): `y[outer, i.., inner] = data[outer, indices[i..], inner]`, an index outside taken as the
/// nearest one inside. Either may be a parameter: a table of embeddings, or fixed picks.
#[derive(Debug, Clone, PartialEq)]
pub struct Gather {
    /// The dimension of the data that the indices count.
    pub axis: usize,
}

impl Operator for Gather {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [data, indices] = exactly(inputs)?;
        match data.get(self.axis) {
            Some(1..) => Ok([&data[..self.axis], &indices[..], &data[self.axis + 1..]].concat().into()),
            _ => Err(misfit(format!("shape {data} has nothing to pick along dimension {}", self.axis))),
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [data, indices] = [io.inputs[0], io.inputs[1]];
        let (length, inner) = (data.shape[self.axis], data.shape[self.axis + 1..].iter().product::<usize>().max(1));
        let mut results = io.output.chunks_exact_mut(inner);
        for block in data.data.chunks_exact(length * inner) {
            for index in indices.data {
                let at = (index.to_f64().max(0.0) as usize).min(length - 1) * inner;
                let Some(result) = results.next() else { return };
                result.copy_from_slice(&block[at..at + inner]);
            }
        }
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let (data, indices) = (graph.node(node).inputs[0], graph.node(node).inputs[1]);
        let scatter = ScatterAdd { axis: self.axis, shape: graph.shape(data).clone() };
        Ok(vec![Some(graph.push(scatter, &[upstream, indices])?), None])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let axis = lowering.axis_of(&lowering.input_shape(), self.axis)?;
        let kind = move || OperatorKind::Gather(ops::Gather { axis });
        if lowering.is_param(0) {
            let table = lowering.constant(0)?;
            return lowering.indexed_operator(Scale::Fixed(Quantization::of_spec(&table)), move |_| {
                Ok(Made { kind: kind(), before: vec![table.clone()], after: Vec::new() })
            });
        }
        if lowering.is_param(1) {
            let picks = lowering.integers(1)?;
            return lowering.operator(Scale::OfInputs, move |_| {
                Ok(Made { kind: kind(), before: Vec::new(), after: vec![picks.clone()] })
            });
        }
        lowering.indexed_operator(Scale::OfInputs, move |_| Ok(kind()))
    }
}
