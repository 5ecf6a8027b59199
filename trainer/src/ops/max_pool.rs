//! Maximum over windows.

use ackermann_core::blob::write::OperatorKind;
use rayon::prelude::*;

use super::conv::Geometry;
use super::{Io, MaxPoolPick, Operator, Window, belongs, exactly};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::{Lowering, Scale, window};

/// Largest value of each channel in each window of an image (NHWC); padding never wins.
#[derive(Debug, Clone, PartialEq)]
pub struct MaxPool {
    /// The window.
    pub window: Window,
}

/// Inputs `x, dy`: `dy` of each window added where [`MaxPool`] found the (first) maximum.
#[derive(Debug, Clone, PartialEq)]
pub struct MaxPoolGrad {
    /// The window.
    pub window: Window,
}

impl Operator for MaxPool {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x] = exactly(inputs)?;
        Geometry::of_pool(x, self.window).map(|g| g.output(g.c).into())
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let x = io.inputs[0];
        let Ok(g) = Geometry::new(x.shape, self.window) else { return };
        let images = x.data.par_chunks(g.image());
        io.output.par_chunks_mut(g.pixels() * g.c).zip(images).for_each(|(out, image)| {
            for (pixel, out) in out.chunks_exact_mut(g.c).enumerate() {
                for (channel, out) in out.iter_mut().enumerate() {
                    *out = image[maximum(&g, image, pixel, channel)];
                }
            }
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let x = graph.node(node).inputs[0];
        Ok(vec![Some(graph.push(MaxPoolGrad { window: self.window }, &[x, upstream])?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let window = window(self.window);
        lowering
            .operator(Scale::OfInputs, move |site| Ok(OperatorKind::MaxPool { window, activation: site.activation }))
    }
}

impl Operator for MaxPoolGrad {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x, dy] = exactly(inputs)?;
        let g = Geometry::of_pool(x, self.window)?;
        belongs(dy, &g.output(g.c), x)
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [x, dy] = [io.inputs[0], io.inputs[1]];
        let Ok(g) = Geometry::new(x.shape, self.window) else { return };
        let work = x.data.par_chunks(g.image()).zip(dy.data.par_chunks(g.pixels() * g.c));
        io.output.par_chunks_mut(g.image()).zip(work).for_each(|(dx, (image, dy))| {
            dx.fill(T::ZERO);
            for (pixel, dy) in dy.chunks_exact(g.c).enumerate() {
                for (channel, &dy) in dy.iter().enumerate() {
                    dx[maximum(&g, image, pixel, channel)] += dy;
                }
            }
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let x = graph.node(node).inputs[0];
        Ok(vec![None, Some(graph.push(MaxPoolPick { window: self.window }, &[x, upstream])?)])
    }
}

/// Where in `image` the first maximum of a channel in the window of an output pixel is.
pub(super) fn maximum<T: Real>(g: &Geometry, image: &[T], pixel: usize, channel: usize) -> usize {
    let (_, column, count) = g.window_cols(pixel % g.ow);
    let mut best = None;
    for (_, iy) in g.window_rows(pixel / g.ow) {
        for ix in column..column + count {
            let at = (iy * g.w + ix) * g.c + channel;
            if best.is_none_or(|best: usize| image[at] > image[best]) {
                best = Some(at);
            }
        }
    }
    best.unwrap_or(channel)
}
