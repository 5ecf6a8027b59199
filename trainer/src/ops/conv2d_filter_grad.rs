//! Gradient of a convolution with respect to its filters.

use rayon::prelude::*;

use super::chunks::{CHUNKS, per_chunk};
use super::conv::Geometry;
use super::{Conv2d, Conv2dInputGrad, Io, Operator, Padding, Window, exactly, misfit};
use crate::Result;
use crate::graph::{Graph, Matrix, NodeId, Real, Shape, product};

/// Inputs `x` and `dy` (NHWC): for each filter the sum of all windows of `x`, times `dy` there.
#[derive(Debug, Clone, PartialEq)]
pub struct Conv2dFilterGrad {
    /// Of the convolution.
    pub stride: [usize; 2],
    /// Of the convolution.
    pub dilation: [usize; 2],
    /// Of the convolution.
    pub padding: Padding,
    /// Shape of the filters (OHWI), which is that of the result.
    pub filter: Shape,
}

impl Conv2dFilterGrad {
    fn geometry(&self, x: &Shape) -> Result<Geometry> {
        let &[_, kh, kw, _] = self.filter.dims() else {
            return Err(misfit(format!("filters have shape {}, not OHWI", self.filter)));
        };
        Geometry::new(
            x,
            Window { kernel: [kh, kw], stride: self.stride, dilation: self.dilation, padding: self.padding },
        )
    }
}

impl Operator for Conv2dFilterGrad {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x, dy] = exactly(inputs)?;
        let g = self.geometry(x)?;
        if dy.dims() == [g.n, g.oh, g.ow, self.filter[0]] && g.c == self.filter[3] {
            Ok(self.filter.clone())
        } else {
            Err(misfit(format!("image {x} and gradient {dy} do not belong to filters {}", self.filter)))
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [x, dy] = [io.inputs[0], io.inputs[1]];
        let Ok(g) = self.geometry(x.shape) else { return };
        let (filters, images) = (self.filter[0], per_chunk(g.n));
        let line = g.ow * filters;
        let (tiles, partial) = io.scratch.split_at_mut(g.tile() * CHUNKS);
        let partial = &mut partial[..io.output.len() * CHUNKS];
        partial.fill(T::ZERO);
        let inputs = x.data.par_chunks(images * g.image());
        let inputs = inputs.zip(dy.data.par_chunks(images * g.pixels() * filters));
        let work = inputs.zip(partial.par_chunks_mut(io.output.len())).zip(tiles.par_chunks_mut(g.tile()));
        work.for_each(|(((x, dy), sum), tile)| {
            for lines in g.tiles(x.len() / g.image()) {
                let dy = &dy[lines.start * line..lines.end * line];
                let pixels = lines.len() * g.ow;
                let tile = &mut tile[..pixels * g.taps()];
                g.unfold(x, lines, tile);
                product(sum, Matrix::new(dy, pixels, filters).t(), Matrix::new(tile, pixels, g.taps()), true);
            }
        });
        io.output.fill(T::ZERO);
        for sum in partial.chunks_exact(io.output.len()) {
            io.output.iter_mut().zip(sum).for_each(|(o, &s)| *o += s);
        }
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let (x, dy) = (graph.node(node).inputs[0], graph.node(node).inputs[1]);
        let (stride, dilation, padding) = (self.stride, self.dilation, self.padding);
        let input = graph.shape(x).clone();
        let dx = graph.push(Conv2dInputGrad { stride, dilation, padding, input }, &[dy, upstream])?;
        let ddy = graph.push(Conv2d { stride, dilation, padding }, &[x, upstream])?;
        Ok(vec![Some(dx), Some(ddy)])
    }

    fn scratch(&self, inputs: &[&Shape], output: &Shape) -> usize {
        self.geometry(inputs[0]).map_or(0, |g| (g.tile() + output.elements()) * CHUNKS)
    }
}
