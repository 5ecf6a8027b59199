//! Gradient of a convolution with respect to its image; also the transposed convolution.

use rayon::prelude::*;

use super::chunks::{CHUNKS, per_chunk};
use super::conv::Geometry;
use super::{Conv2d, Conv2dFilterGrad, Io, Operator, Padding, Window, exactly, misfit};
use crate::Result;
use crate::graph::{Graph, Matrix, NodeId, Real, Shape, product};
use crate::quant::program::Lowering;

/// Inputs `dy` (NHWC) and `w` (OHWI): the sum of `w[o]` laid at every window, times `dy` there.
#[derive(Debug, Clone, PartialEq)]
pub struct Conv2dInputGrad {
    /// Of the convolution.
    pub stride: [usize; 2],
    /// Of the convolution.
    pub dilation: [usize; 2],
    /// Of the convolution.
    pub padding: Padding,
    /// Shape of the convolution's image, which is that of the result.
    pub input: Shape,
}

impl Conv2dInputGrad {
    fn geometry(&self, w: &Shape) -> Result<Geometry> {
        let &[_, kh, kw, _] = w.dims() else {
            return Err(misfit(format!("takes filters (OHWI), was given shape {w}")));
        };
        Geometry::new(
            &self.input,
            Window { kernel: [kh, kw], stride: self.stride, dilation: self.dilation, padding: self.padding },
        )
    }
}

impl Operator for Conv2dInputGrad {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [dy, w] = exactly(inputs)?;
        let g = self.geometry(w)?;
        if dy.dims() == [g.n, g.oh, g.ow, w[0]] && g.c == w[3] {
            Ok(self.input.clone())
        } else {
            Err(misfit(format!("gradient {dy} and filters {w} do not belong to an image {}", self.input)))
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [dy, w] = [io.inputs[0], io.inputs[1]];
        let Ok(g) = self.geometry(w.shape) else { return };
        let (filters, images) = (w.shape[0], per_chunk(g.n));
        let weights = Matrix::new(w.data, filters, g.taps());
        let line = g.ow * filters;
        let upstream = dy.data.par_chunks(images * g.pixels() * filters);
        let outputs = io.output.par_chunks_mut(images * g.image());
        outputs.zip(upstream).zip(io.scratch.par_chunks_mut(g.tile())).for_each(|((dx, dy), tile)| {
            dx.fill(T::ZERO);
            for lines in g.tiles(dx.len() / g.image()) {
                let dy = &dy[lines.start * line..lines.end * line];
                let pixels = lines.len() * g.ow;
                let tile = &mut tile[..pixels * g.taps()];
                product(tile, Matrix::new(dy, pixels, filters), weights, false);
                g.fold(tile, lines, dx);
            }
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let (dy, w) = (graph.node(node).inputs[0], graph.node(node).inputs[1]);
        let (stride, dilation, padding) = (self.stride, self.dilation, self.padding);
        let filter = graph.shape(w).clone();
        let ddy = graph.push(Conv2d { stride, dilation, padding }, &[upstream, w])?;
        let dw = graph.push(Conv2dFilterGrad { stride, dilation, padding, filter }, &[upstream, dy])?;
        Ok(vec![Some(ddy), Some(dw)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        lowering.transposed_conv2d(self.stride, self.dilation, self.padding)
    }

    fn scratch(&self, inputs: &[&Shape], _output: &Shape) -> usize {
        self.geometry(inputs[1]).map_or(0, |g| g.tile() * CHUNKS)
    }
}
