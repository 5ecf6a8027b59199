//! What lies where the maxima of another image are: the derivative of the gradient of max pooling.

use rayon::prelude::*;

use super::conv::Geometry;
use super::max_pool::maximum;
use super::{Io, MaxPoolGrad, Operator, Window, exactly, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};

/// Inputs `x, v` (NHWC, of one shape): for each window the value of `v` where [`super::MaxPool`] finds the (first) maximum of `x`.
#[derive(Debug, Clone, PartialEq)]
pub struct MaxPoolPick {
    /// The window.
    pub window: Window,
}

impl Operator for MaxPoolPick {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x, v] = exactly(inputs)?;
        let g = Geometry::new(x, self.window)?;
        if x == v { Ok(g.output(g.c).into()) } else { Err(misfit(format!("shapes {x} and {v} differ"))) }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [x, v] = [io.inputs[0], io.inputs[1]];
        let Ok(g) = Geometry::new(x.shape, self.window) else { return };
        let images = x.data.par_chunks(g.image()).zip(v.data.par_chunks(g.image()));
        io.output.par_chunks_mut(g.pixels() * g.c).zip(images).for_each(|(out, (x, v))| {
            for (at, out) in out.iter_mut().enumerate() {
                *out = v[maximum(&g, x, at / g.c, at % g.c)];
            }
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let x = graph.node(node).inputs[0];
        Ok(vec![None, Some(graph.push(MaxPoolGrad { window: self.window }, &[x, upstream])?)])
    }
}
