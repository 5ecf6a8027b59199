//! Mean over windows.

use ackermann_core::blob::write::OperatorKind;
use rayon::prelude::*;

use super::conv::Geometry;
use super::{Io, Operator, Window, belongs, exactly};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::{Lowering, Scale, window};

/// Mean of each channel in each window of an image (NHWC); padding does not count.
#[derive(Debug, Clone, PartialEq)]
pub struct AvgPool {
    /// The window.
    pub window: Window,
}

/// Input `dy`: each element divided over its window; the transpose of [`AvgPool`].
#[derive(Debug, Clone, PartialEq)]
pub struct AvgPoolGrad {
    /// The window.
    pub window: Window,
    /// Shape of the pool's image, which is that of the result.
    pub input: Shape,
}

impl Operator for AvgPool {
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
                out.fill(T::ZERO);
                let share = for_each_tap(&g, pixel, |at| {
                    out.iter_mut().zip(&image[at..]).for_each(|(o, &x)| *o += x);
                });
                out.iter_mut().for_each(|o| *o = *o * T::of(share));
            }
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let input = graph.shape(graph.node(node).inputs[0]).clone();
        Ok(vec![Some(graph.push(AvgPoolGrad { window: self.window, input }, &[upstream])?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let window = window(self.window);
        lowering.operator(Scale::OfInputs, move |site| {
            Ok(OperatorKind::AveragePool { window, activation: site.activation })
        })
    }
}

impl Operator for AvgPoolGrad {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [dy] = exactly(inputs)?;
        let g = Geometry::of_pool(&self.input, self.window)?;
        belongs(dy, &g.output(g.c), &self.input)
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let dy = io.inputs[0];
        let Ok(g) = Geometry::new(&self.input, self.window) else { return };
        let upstream = dy.data.par_chunks(g.pixels() * g.c);
        io.output.par_chunks_mut(g.image()).zip(upstream).for_each(|(dx, dy)| {
            dx.fill(T::ZERO);
            for (pixel, dy) in dy.chunks_exact(g.c).enumerate() {
                let share = T::of(for_each_tap(&g, pixel, |_| {}));
                for_each_tap(&g, pixel, |at| {
                    dx[at..].iter_mut().zip(dy).for_each(|(x, &d)| *x += d * share);
                });
            }
        });
    }

    fn gradient(&self, graph: &mut Graph, _node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        Ok(vec![Some(graph.push(AvgPool { window: self.window }, &[upstream])?)])
    }
}

/// Calls `f` with the place of each input pixel in the window of an output pixel; returns 1 / their number.
fn for_each_tap(g: &Geometry, pixel: usize, mut f: impl FnMut(usize)) -> f64 {
    let (_, column, count) = g.window_cols(pixel % g.ow);
    let mut taps = 0;
    for (_, iy) in g.window_rows(pixel / g.ow) {
        (column..column + count).for_each(|ix| f((iy * g.w + ix) * g.c));
        taps += count;
    }
    1.0 / taps.max(1) as f64
}
