//! Gradient of a convolution with respect to its filters.

use rayon::prelude::*;

use super::chunks::{CHUNKS, per_chunk};
use super::conv::Geometry;
use super::kernels::{BLOCK, Columns, Outer, Unpack, dispatch, room};
use super::{Conv2d, Conv2dInputGrad, Io, Operator, belongs, exactly};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};

/// Inputs `x` and `dy` (NHWC): for each filter the sum of all windows of `x`, times `dy` there.
#[derive(Debug, Clone, PartialEq)]
pub struct Conv2dFilterGrad {
    /// The convolution.
    pub conv: Conv2d,
    /// Shape of the filters (OHWI), which is that of the result.
    pub filter: Shape,
}

impl Conv2dFilterGrad {
    /// Whether images are copied: into their margins, or to have numbers to spare.
    fn copies(&self, g: &Geometry) -> bool {
        g.margins().any() || g.windows().segments().2 < BLOCK
    }
}

impl Operator for Conv2dFilterGrad {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x, dy] = exactly(inputs)?;
        belongs(dy, &self.conv.geometry(x, &self.filter)?.output(self.filter[0]), &self.filter)
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [x, dy] = [io.inputs[0], io.inputs[1]];
        let Ok(g) = self.conv.geometry(x.shape, &self.filter) else { return };
        let (filters, images, taps) = (self.filter[0], per_chunk(g.n), g.taps());
        let part = taps * Columns::padded(filters);
        let (sums, rest) = io.scratch.split_at_mut(part * CHUNKS);
        let (rooms, padded) = rest.split_at_mut(room(&g.windows(), filters) * CHUNKS);
        let (image, gradient) = (g.image(), g.pixels() * filters);
        let pieces = x.data.par_chunks(images * image).zip(dy.data.par_chunks(images * gradient));
        let rooms = rooms.par_chunks_mut(room(&g.windows(), filters));
        let work = pieces.zip(rooms).zip(padded.par_chunks_mut(g.padded_image() + BLOCK));
        let used = sums.par_chunks_mut(part).zip(work).map(|(sums, (((x, dy), room), padded))| {
            sums.fill(T::ZERO);
            for (at, dy) in dy.chunks_exact(gradient).enumerate() {
                let x = &x[at * image..][..image];
                let source = if self.copies(&g) {
                    g.margins().copy(x, g.w * g.c, g.c, padded);
                    &*padded
                } else {
                    x
                };
                dispatch(Outer { windows: g.windows(), columns: filters, source, dy, room, sums });
            }
        });
        let used = used.count();
        let (total, others) = sums[..part * used].split_at_mut(part);
        for sums in others.chunks_exact(part) {
            total.iter_mut().zip(sums).for_each(|(t, &s)| *t += s);
        }
        let output = io.output;
        dispatch(Unpack {
            taps,
            columns: filters,
            packed: total,
            give: |tap, filter, v| output[filter * taps + tap] = v,
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let (x, dy) = (graph.node(node).inputs[0], graph.node(node).inputs[1]);
        let input = graph.shape(x).clone();
        let dx = graph.push(Conv2dInputGrad { conv: self.conv.clone(), input }, &[dy, upstream])?;
        let ddy = graph.push(self.conv.clone(), &[x, upstream])?;
        Ok(vec![Some(dx), Some(ddy)])
    }

    fn scratch(&self, inputs: &[&Shape], _output: &Shape) -> usize {
        let filters = self.filter[0];
        let piece =
            |g: Geometry| g.taps() * Columns::padded(filters) + room(&g.windows(), filters) + g.padded_image() + BLOCK;
        self.conv.geometry(inputs[0], &self.filter).map_or(0, |g| piece(g) * CHUNKS)
    }
}
