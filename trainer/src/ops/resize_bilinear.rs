//! Images of another size, interpolated.

use ackermann_core::blob::write::OperatorKind;
use ackermann_core::ops;

use super::resize::{self, image};
use super::{Io, Operator, belongs, exactly, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::{Lowering, Scale};

/// Each pixel interpolated between four.
#[derive(Debug, Clone, PartialEq)]
pub struct ResizeBilinear {
    /// Rows and columns of the result.
    pub size: [usize; 2],
    /// The corner pixels of both images lie upon each other.
    pub aligned: bool,
    /// Pixels are areas, whose centres correspond.
    pub half_pixel: bool,
}

/// Input `dy`: each pixel divided over the four that [`ResizeBilinear`] made it of.
#[derive(Debug, Clone, PartialEq)]
pub struct ResizeBilinearGrad {
    /// The operator.
    pub resize: ResizeBilinear,
    /// Shape of its image, which is that of the result.
    pub input: Shape,
}

impl ResizeBilinear {
    /// Neighbours of a position of the result on one axis, and the share of the second.
    fn place(&self, axis: usize, position: usize, length: usize) -> (usize, usize, f64) {
        let (from, to) = (length as f64, self.size[axis] as f64);
        let (from, to) = if self.aligned && to > 1.0 { (from - 1.0, to - 1.0) } else { (from, to) };
        let half = if self.half_pixel { 0.5 } else { 0.0 };
        let place = ((position as f64 + half) * (from / to) - half).clamp(0.0, (length - 1) as f64);
        let below = place.floor();
        (below as usize, (below as usize + 1).min(length - 1), place - below)
    }

    /// For each pixel of the result: the four of an image that it is made of, in pixels of that image, with their shares.
    fn sources(&self, height: usize, width: usize) -> impl Iterator<Item = [(usize, f64); 4]> + Clone + '_ {
        (0..self.size[0] * self.size[1]).map(move |position| {
            let (top, bottom, down) = self.place(0, position / self.size[1], height);
            let (left, right, across) = self.place(1, position % self.size[1], width);
            [
                (top * width + left, (1.0 - down) * (1.0 - across)),
                (top * width + right, (1.0 - down) * across),
                (bottom * width + left, down * (1.0 - across)),
                (bottom * width + right, down * across),
            ]
        })
    }
}

impl Operator for ResizeBilinear {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [n, _, _, channels] = image(exactly::<1>(inputs)?[0])?;
        let [rows, columns] = self.size;
        if self.size.contains(&0) {
            Err(misfit("gives an empty image"))
        } else {
            Ok([n, rows, columns, channels].into())
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let x = io.inputs[0];
        let Ok([_, height, width, channels]) = image(x.shape) else { return };
        resize::mix(x.data, io.output, [height * width, channels], self.sources(height, width));
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let input = graph.shape(graph.node(node).inputs[0]).clone();
        Ok(vec![Some(graph.push(ResizeBilinearGrad { resize: self.clone(), input }, &[upstream])?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let [_, height, width, _] = image(&lowering.input_shape())?;
        let [from, to] = [[height, width], self.size].map(|size| size.map(|d| u32::try_from(d).unwrap_or(u32::MAX)));
        let Some(resize) = ops::ResizeBilinear::for_sizes(from, to, self.aligned, self.half_pixel) else {
            return lowering.refuse(&format!("it resizes {from:?} to {to:?}, which is too much"));
        };
        lowering.operator(Scale::OfInputs, move |_| Ok(OperatorKind::ResizeBilinear(resize)))
    }
}

impl Operator for ResizeBilinearGrad {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [dy] = exactly(inputs)?;
        belongs(dy, &self.resize.shape(&[&self.input])?, &self.input)
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let Ok([_, height, width, channels]) = image(&self.input) else { return };
        resize::spread(io.inputs[0].data, io.output, [height * width, channels], self.resize.sources(height, width));
    }

    fn gradient(&self, graph: &mut Graph, _node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        Ok(vec![Some(graph.push(self.resize.clone(), &[upstream])?)])
    }
}
