//! Convolution of each channel on its own (MobileNet, Howard et al. 2017), and its two transposes.
//!
//! All three are one loop over triples (image, filter, output) that meet in a product; which of the three is the sum differs.

use rayon::prelude::*;

use super::conv::Geometry;
use super::{Io, Operator, Padding, Window, exactly, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::Lowering;

/// Inputs `x [n, h, w, c]`, `w [c m, kh, kw]` and optionally `bias [c m]`; output channel `o` convolves channel `o / m`:
/// `y[n, i, j, o] = sum over a, b of x[n, i sy + a dy - top, j sx + b dx - left, o / m] w[o, a, b] + bias[o]`.
#[derive(Debug, Clone, PartialEq)]
pub struct DepthwiseConv2d {
    /// Steps down and right.
    pub stride: [usize; 2],
    /// Steps between the taps of a filter, 1 for a dense one.
    pub dilation: [usize; 2],
    /// Zeros around the image.
    pub padding: Padding,
}

/// Inputs `dy`, `w`: gradient of [`DepthwiseConv2d`] with respect to its image.
#[derive(Debug, Clone, PartialEq)]
pub struct DepthwiseInputGrad {
    /// The convolution.
    pub conv: DepthwiseConv2d,
    /// Shape of the image, which is that of the result.
    pub input: Shape,
}

/// Inputs `x`, `dy`: gradient of [`DepthwiseConv2d`] with respect to its filters.
#[derive(Debug, Clone, PartialEq)]
pub struct DepthwiseFilterGrad {
    /// The convolution.
    pub conv: DepthwiseConv2d,
    /// Shape of the filters, which is that of the result.
    pub filter: Shape,
}

/// Sizes, and output channels per input channel.
struct Sizes {
    geometry: Geometry,
    multiplier: usize,
}

impl DepthwiseConv2d {
    fn sizes(&self, x: &Shape, w: &Shape) -> Result<Sizes> {
        let &[outputs, kh, kw] = w.dims() else {
            return Err(misfit(format!("takes filters (outputs x height x width), was given shape {w}")));
        };
        let &Self { stride, dilation, padding } = self;
        let geometry = Geometry::new(x, Window { kernel: [kh, kw], stride, dilation, padding })?;
        if geometry.c == 0 || outputs == 0 || outputs % geometry.c != 0 {
            return Err(misfit(format!("{outputs} filters on an image of {} channels", geometry.c)));
        }
        Ok(Sizes { geometry, multiplier: outputs / geometry.c })
    }
}

impl Sizes {
    fn outputs(&self) -> usize {
        self.geometry.c * self.multiplier
    }

    fn output(&self) -> [usize; 4] {
        [self.geometry.n, self.geometry.oh, self.geometry.ow, self.outputs()]
    }

    /// Places in one image, in the filters and in one output that belong together.
    fn each(&self, mut f: impl FnMut(usize, usize, usize)) {
        let (g, taps) = (&self.geometry, self.geometry.window.kernel[0] * self.geometry.window.kernel[1]);
        for pixel in 0..g.pixels() {
            let (first, column, count) = g.window_cols(pixel % g.ow);
            for (ky, iy) in g.window_rows(pixel / g.ow) {
                for at in 0..count {
                    let x = (iy * g.w + column + at * g.window.dilation[1]) * g.c;
                    let tap = ky * g.window.kernel[1] + first + at;
                    for output in 0..self.outputs() {
                        f(x + output / self.multiplier, output * taps + tap, pixel * self.outputs() + output);
                    }
                }
            }
        }
    }
}

impl Operator for DepthwiseConv2d {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let (&[x, w, ..], 2..=3) = (inputs, inputs.len()) else {
            return Err(misfit(format!("takes x, filters and perhaps a bias, was given {} inputs", inputs.len())));
        };
        let sizes = self.sizes(x, w)?;
        match inputs.get(2) {
            Some(bias) if bias.dims() != [sizes.outputs()] => Err(misfit(format!("bias {bias} for filters {w}"))),
            _ => Ok(sizes.output().into()),
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [x, w] = [io.inputs[0], io.inputs[1]];
        let Ok(sizes) = self.sizes(x.shape, w.shape) else { return };
        let outputs = io.output.par_chunks_mut(sizes.geometry.pixels() * sizes.outputs());
        outputs.zip(x.data.par_chunks(sizes.geometry.image())).for_each(|(y, x)| {
            for pixel in y.chunks_exact_mut(sizes.outputs()) {
                match io.inputs.get(2) {
                    Some(bias) => pixel.copy_from_slice(bias.data),
                    None => pixel.fill(T::ZERO),
                }
            }
            sizes.each(|at_x, at_w, at_y| y[at_y] += x[at_x] * w.data[at_w]);
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let inputs = graph.node(node).inputs.clone();
        let input = graph.shape(inputs[0]).clone();
        let filter = graph.shape(inputs[1]).clone();
        let dx = graph.push(DepthwiseInputGrad { conv: self.clone(), input }, &[upstream, inputs[1]])?;
        let dw = graph.push(DepthwiseFilterGrad { conv: self.clone(), filter }, &[inputs[0], upstream])?;
        let mut parts = vec![Some(dx), Some(dw)];
        if let Some(&bias) = inputs.get(2) {
            let shape = graph.shape(bias).clone();
            parts.push(Some(graph.sum_to(upstream, &shape)?));
        }
        Ok(parts)
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        lowering.depthwise_conv2d(self.stride, self.dilation, self.padding)
    }
}

impl Operator for DepthwiseInputGrad {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [dy, w] = exactly(inputs)?;
        let sizes = self.conv.sizes(&self.input, w)?;
        if dy.dims() == sizes.output() {
            Ok(self.input.clone())
        } else {
            Err(misfit(format!("gradient {dy} and filters {w} do not belong to an image {}", self.input)))
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [dy, w] = [io.inputs[0], io.inputs[1]];
        let Ok(sizes) = self.conv.sizes(&self.input, w.shape) else { return };
        let upstream = dy.data.par_chunks(sizes.geometry.pixels() * sizes.outputs());
        io.output.par_chunks_mut(sizes.geometry.image()).zip(upstream).for_each(|(dx, dy)| {
            dx.fill(T::ZERO);
            sizes.each(|at_x, at_w, at_y| dx[at_x] += dy[at_y] * w.data[at_w]);
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let (dy, w) = (graph.node(node).inputs[0], graph.node(node).inputs[1]);
        let filter = graph.shape(w).clone();
        let ddy = graph.push(self.conv.clone(), &[upstream, w])?;
        let dw = graph.push(DepthwiseFilterGrad { conv: self.conv.clone(), filter }, &[upstream, dy])?;
        Ok(vec![Some(ddy), Some(dw)])
    }
}

impl Operator for DepthwiseFilterGrad {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x, dy] = exactly(inputs)?;
        let sizes = self.conv.sizes(x, &self.filter)?;
        if dy.dims() == sizes.output() {
            Ok(self.filter.clone())
        } else {
            Err(misfit(format!("image {x} and gradient {dy} do not belong to filters {}", self.filter)))
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [x, dy] = [io.inputs[0], io.inputs[1]];
        let Ok(sizes) = self.conv.sizes(x.shape, &self.filter) else { return };
        io.output.fill(T::ZERO);
        let upstream = dy.data.chunks(sizes.geometry.pixels() * sizes.outputs());
        for (x, dy) in x.data.chunks(sizes.geometry.image()).zip(upstream) {
            sizes.each(|at_x, at_w, at_y| io.output[at_w] += x[at_x] * dy[at_y]);
        }
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let (x, dy) = (graph.node(node).inputs[0], graph.node(node).inputs[1]);
        let input = graph.shape(x).clone();
        let dx = graph.push(DepthwiseInputGrad { conv: self.conv.clone(), input }, &[dy, upstream])?;
        let ddy = graph.push(self.conv.clone(), &[x, upstream])?;
        Ok(vec![Some(dx), Some(ddy)])
    }
}
