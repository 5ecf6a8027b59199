//! Two-dimensional convolution.

use rayon::prelude::*;

use super::chunks::{CHUNKS, per_chunk};
use super::conv::Geometry;
use super::kernels::{Columns, Correlate, Pack, Places, VECTORS, dispatch};
use super::{Conv2dFilterGrad, Conv2dInputGrad, Io, Operator, Padding, Window, misfit, weighted};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::Lowering;

/// Inputs `x` (NHWC), `w` (OHWI) and optionally `bias [O]`:
/// `y[n, i, j, o] = sum over a, b, c of x[n, i sy + a dy - top, j sx + b dx - left, c] w[o, a, b, c] + bias[o]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Conv2d {
    /// Steps down and right.
    pub stride: [usize; 2],
    /// Steps between the taps of a filter, 1 for a dense one.
    pub dilation: [usize; 2],
    /// Zeros around the image.
    pub padding: Padding,
}

impl Conv2d {
    /// Sizes for images `x` and filters `w`.
    pub(super) fn geometry(&self, x: &Shape, w: &Shape) -> Result<Geometry> {
        let &[_, kh, kw, channels] = w.dims() else {
            return Err(misfit(format!("takes filters (OHWI), was given shape {w}")));
        };
        let &Self { stride, dilation, padding } = self;
        let geometry = Geometry::new(x, Window { kernel: [kh, kw], stride, dilation, padding })?;
        if geometry.c == channels {
            Ok(geometry)
        } else {
            Err(misfit(format!("image has {} channels, filters expect {channels}", geometry.c)))
        }
    }
}

impl Operator for Conv2d {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x, w] = weighted::operands(inputs, 0)?;
        Ok(self.geometry(x, w)?.output(w[0]).into())
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [x, w] = [io.inputs[0], io.inputs[1]];
        let Ok(g) = self.geometry(x.shape, w.shape) else { return };
        let (filters, images, taps) = (w.shape[0], per_chunk(g.n), g.taps());
        let (packed, rest) = io.scratch.split_at_mut(taps * Columns::padded(filters));
        let (bias, padded) = rest.split_at_mut(Columns::padded(filters));
        dispatch(Pack {
            taps,
            columns: filters,
            vectors: VECTORS,
            value: |tap, filter| w.data[filter * taps + tap],
            packed,
        });
        bias.fill(T::ZERO);
        if let Some(values) = io.inputs.get(2) {
            bias[..filters].copy_from_slice(values.data);
        }
        let (packed, bias) = (&*packed, &*bias);
        let places = Places { first: 0, row: g.ow * filters, col: filters };
        let (image, out) = (g.image(), g.pixels() * filters);
        let work = x.data.par_chunks(images * image).zip(padded.par_chunks_mut(g.padded_image()));
        io.output.par_chunks_mut(images * out).zip(work).for_each(|(out_images, (x, padded))| {
            for (x, out) in x.chunks_exact(image).zip(out_images.chunks_exact_mut(out)) {
                let source = if g.margins().any() {
                    g.margins().copy(x, g.w * g.c, g.c, padded);
                    &*padded
                } else {
                    x
                };
                dispatch(Correlate {
                    windows: g.windows(),
                    columns: filters,
                    source,
                    packed,
                    bias: Some(bias),
                    places,
                    accumulate: false,
                    vectors: VECTORS,
                    out,
                });
            }
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let inputs = graph.node(node).inputs.clone();
        let input = graph.shape(inputs[0]).clone();
        let filter = graph.shape(inputs[1]).clone();
        let dx = graph.push(Conv2dInputGrad { conv: self.clone(), input }, &[upstream, inputs[1]])?;
        let dw = graph.push(Conv2dFilterGrad { conv: self.clone(), filter }, &[inputs[0], upstream])?;
        weighted::derivatives(graph, &inputs, upstream, [dx, dw])
    }

    fn scratch(&self, inputs: &[&Shape], _output: &Shape) -> usize {
        let filters = Columns::padded(inputs[1][0]);
        self.geometry(inputs[0], inputs[1]).map_or(0, |g| (g.taps() + 1) * filters + g.padded_image() * CHUNKS)
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        lowering.conv2d(self.stride, self.dilation, self.padding)
    }
}
