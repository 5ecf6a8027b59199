//! Images of another size, by the nearest pixel.

use ackermann_core::blob::write::OperatorKind;

use super::{Io, Operator, exactly, misfit};
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

/// Batch, height, width, channels.
pub(super) fn image(x: &Shape) -> Result<[usize; 4]> {
    let found: Option<[usize; 4]> = x.dims().try_into().ok();
    found.filter(|shape| !shape.contains(&0)).ok_or_else(|| misfit(format!("takes images (NHWC), was given shape {x}")))
}

impl ResizeNearest {
    /// For an image of this width: where each pixel of the result comes from, in elements of one image.
    fn sources(&self, width: usize, channels: usize) -> impl Iterator<Item = usize> + '_ {
        let pixel = move |row: &u16, column: &u16| (usize::from(*row) * width + usize::from(*column)) * channels;
        self.rows.iter().flat_map(move |row| self.columns.iter().map(move |column| pixel(row, column)))
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
        let mut pixels = io.output.chunks_exact_mut(channels);
        for image in x.data.chunks_exact(height * width * channels) {
            for (at, pixel) in self.sources(width, channels).zip(&mut pixels) {
                pixel.copy_from_slice(&image[at..at + channels]);
            }
        }
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
        if *dy == self.resize.shape(&[&self.input])? {
            Ok(self.input.clone())
        } else {
            Err(misfit(format!("gradient {dy} does not belong to an image {}", self.input)))
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let dy = io.inputs[0];
        let Ok([_, height, width, channels]) = image(&self.input) else { return };
        io.output.fill(T::ZERO);
        let mut pixels = dy.data.chunks_exact(channels);
        for image in io.output.chunks_exact_mut(height * width * channels) {
            for (at, pixel) in self.resize.sources(width, channels).zip(&mut pixels) {
                image[at..at + channels].iter_mut().zip(pixel).for_each(|(x, &d)| *x += d);
            }
        }
    }

    fn gradient(&self, graph: &mut Graph, _node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        Ok(vec![Some(graph.push(self.resize.clone(), &[upstream])?)])
    }
}
