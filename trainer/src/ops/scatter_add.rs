//! Slices added up at indices: the transpose of gather, the gradient of an embedding.

use super::{Gather, Io, Operator, exactly, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};

/// Inputs `v [outer, i.., inner]` and `indices [i..]` (whole numbers): `y[outer, indices[i..], inner] += v[outer, i.., inner]` from zeros,
/// an index outside taken as the nearest one inside.
#[derive(Debug, Clone, PartialEq)]
pub struct ScatterAdd {
    /// The dimension of the result that the indices count.
    pub axis: usize,
    /// Shape of the result.
    pub shape: Shape,
}

impl Operator for ScatterAdd {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [v, indices] = exactly(inputs)?;
        let expected = Gather { axis: self.axis }.shape(&[&self.shape, indices])?;
        if *v == expected {
            Ok(self.shape.clone())
        } else {
            Err(misfit(format!("slices {v} at indices {indices} do not belong to a tensor {}", self.shape)))
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [v, indices] = [io.inputs[0], io.inputs[1]];
        let length = self.shape[self.axis];
        let inner = self.shape[self.axis + 1..].iter().product::<usize>();
        io.output.fill(T::ZERO);
        let mut slices = v.data.chunks_exact(inner.max(1));
        for block in io.output.chunks_exact_mut((length * inner).max(1)) {
            for index in indices.data {
                let at = (index.to_f64().max(0.0) as usize).min(length - 1) * inner;
                let Some(slice) = slices.next() else { return };
                block[at..at + inner].iter_mut().zip(slice).for_each(|(y, &v)| *y += v);
            }
        }
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let indices = graph.node(node).inputs[1];
        Ok(vec![Some(graph.push(Gather { axis: self.axis }, &[upstream, indices])?), None])
    }
}
