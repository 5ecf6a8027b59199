//! Images of another size, by the nearest pixel.

use ackermann_core::blob::write::OperatorKind;

use super::resize::{self, image};
use super::{Io, Operator, belongs, exactly, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::{Lowering, Scale};

/// `y[n, i, j, c] = x[n, rows[i], columns[j], c]`.
#[derive(Debug, Clone, PartialEq)]
pub struct ResizeNearest {
    /// Row of the image for each row of the result.
    pub rows: Vec<u16>,
    /// Column for each column.
    pub columns: Vec<u16>,
}

/// Input `dy`: each pixel added where [`ResizeNearest`] took it from.
#[derive(Debug, Clone, PartialEq)]
pub struct ResizeNearestGrad {
    /// The operator.
    pub resize: ResizeNearest,
    /// Shape of its image, which is that of the result.
    pub input: Shape,
}

impl ResizeNearest {
    /// For an image of this width: the one pixel that each pixel of the result is.
    fn sources(&self, width: usize) -> impl Iterator<Item = [(usize, f64); 1]> + Clone + '_ {
        let pixel = move |row: u16, column: u16| [(usize::from(row) * width + usize::from(column), 1.0)];
        self.rows.iter().flat_map(move |row| self.columns.iter().map(move |column| pixel(*row, *column)))
    }
}

impl Operator for ResizeNearest {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x] = exactly(inputs)?;
        let [n, height, width, channels] = image(x)?;
        let inside = |places: &[u16], length: usize| places.iter().all(|at| usize::from(*at) < length);
        if inside(&self.rows, height) && inside(&self.columns, width) {
            Ok([n, self.rows.len(), self.columns.len(), channels].into())
        } else {
            Err(misfit(format!("picks pixels outside of an image {x}")))
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let x = io.inputs[0];
        let Ok([_, height, width, channels]) = image(x.shape) else { return };
        resize::mix(x.data, io.output, [height * width, channels], self.sources(width));
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let input = graph.shape(graph.node(node).inputs[0]).clone();
        Ok(vec![Some(graph.push(ResizeNearestGrad { resize: self.clone(), input }, &[upstream])?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let table = [&self.rows[..], &self.columns].concat();
        lowering.operator(Scale::OfInputs, move |_| Ok(OperatorKind::ResizeNearest { table: table.clone() }))
    }
}

impl Operator for ResizeNearestGrad {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [dy] = exactly(inputs)?;
        belongs(dy, &self.resize.shape(&[&self.input])?, &self.input)
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let Ok([_, height, width, channels]) = image(&self.input) else { return };
        resize::spread(io.inputs[0].data, io.output, [height * width, channels], self.resize.sources(width));
    }

    fn gradient(&self, graph: &mut Graph, _node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        Ok(vec![Some(graph.push(self.resize.clone(), &[upstream])?)])
    }
}
