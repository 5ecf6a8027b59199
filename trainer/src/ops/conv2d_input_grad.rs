//! Gradient of a convolution with respect to its image, which the transposed convolution computes, too.

use rayon::prelude::*;

use super::chunks::{CHUNKS, per_chunk};
use super::conv::Geometry;
use super::kernels::Columns;
use super::phases::Phases;
use super::{Conv2d, Conv2dFilterGrad, Io, Operator, belongs, exactly};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};

/// Inputs `dy` (NHWC) and `w` (OHWI): the sum of `w[o]` laid at every window, times `dy` there.
#[derive(Debug, Clone, PartialEq)]
pub struct Conv2dInputGrad {
    /// The convolution.
    pub conv: Conv2d,
    /// Shape of its image, which is that of the result.
    pub input: Shape,
}

impl Operator for Conv2dInputGrad {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [dy, w] = exactly(inputs)?;
        belongs(dy, &self.conv.geometry(&self.input, w)?.output(w[0]), &self.input)
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [dy, w] = [io.inputs[0], io.inputs[1]];
        let Ok(g) = self.conv.geometry(&self.input, w.shape) else { return };
        let (filters, images) = (w.shape[0], per_chunk(g.n));
        let phases = Phases::new(&g, filters);
        let (packed, padded) = io.scratch.split_at_mut(g.taps() / g.c * filters * Columns::padded(g.c));
        phases.pack(w.data, packed);
        let (packed, places) = (&*packed, phases.padded());
        let (gradient, image) = (g.pixels() * filters, g.image());
        let work = dy.data.par_chunks(images * gradient).zip(padded.par_chunks_mut(places));
        io.output.par_chunks_mut(images * image).zip(work).for_each(|(dx, (dy, padded))| {
            for (dy, dx) in dy.chunks_exact(gradient).zip(dx.chunks_exact_mut(image)) {
                phases.run(dy, packed, padded, dx);
            }
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let (dy, w) = (graph.node(node).inputs[0], graph.node(node).inputs[1]);
        let filter = graph.shape(w).clone();
        let ddy = graph.push(self.conv.clone(), &[upstream, w])?;
        let dw = graph.push(Conv2dFilterGrad { conv: self.conv.clone(), filter }, &[upstream, dy])?;
        Ok(vec![Some(ddy), Some(dw)])
    }

    fn scratch(&self, inputs: &[&Shape], _output: &Shape) -> usize {
        let filters = inputs[1][0];
        let piece =
            |g: Geometry| g.taps() / g.c * filters * Columns::padded(g.c) + Phases::new(&g, filters).padded() * CHUNKS;
        self.conv.geometry(&self.input, inputs[1]).map_or(0, piece)
    }
}
