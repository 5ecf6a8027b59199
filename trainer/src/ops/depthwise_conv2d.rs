//! Convolution of each channel on its own (MobileNet, Howard et al. 2017), and its two transposes.
//!
//! All three are one loop over triples (image, filter, output) that meet in a product; which of the three is the sum differs.

use rayon::prelude::*;

use super::chunks::{CHUNKS, per_chunk, vectorized};
use super::conv::Geometry;
use super::{Io, Operator, Padding, Window, belongs, exactly, misfit, weighted};
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
        self.geometry.output(self.outputs())
    }

    /// Taps of one filter.
    fn taps(&self) -> usize {
        self.geometry.window.kernel[0] * self.geometry.window.kernel[1]
    }

    /// For each output pixel of an image and each tap inside: where the channels of the input pixel, of the tap (filters tap after tap) and of the
    /// output begin.
    #[inline(always)]
    fn each(&self, mut f: impl FnMut(usize, usize, usize)) {
        let (g, outputs) = (&self.geometry, self.outputs());
        for pixel in 0..g.pixels() {
            let (first, column, count) = g.window_cols(pixel % g.ow);
            for (ky, iy) in g.window_rows(pixel / g.ow) {
                for at in 0..count {
                    let x = (iy * g.w + column + at * g.window.dilation[1]) * g.c;
                    let tap = ky * g.window.kernel[1] + first + at;
                    f(x, tap * outputs, pixel * outputs);
                }
            }
        }
    }

    /// Filters tap after tap, as the loops read them.
    fn by_taps<T: Real>(&self, filters: &[T], by_taps: &mut [T]) {
        let (outputs, taps) = (self.outputs(), self.taps());
        for (tap, row) in by_taps.chunks_exact_mut(outputs).enumerate() {
            row.iter_mut().zip(filters.chunks_exact(taps)).for_each(|(to, from)| *to = from[tap]);
        }
    }
}

/// `sum[i] += a[i] b[i]`, where each element of `a` stands for `of_a` neighbours.
#[inline(always)]
fn add_products<T: Real>(sum: &mut [T], a: &[T], of_a: usize, b: &[T]) {
    if of_a == 1 {
        return sum.iter_mut().zip(a.iter().zip(b)).for_each(|(s, (&a, &b))| *s += a * b);
    }
    for ((sum, b), &a) in sum.chunks_exact_mut(of_a).zip(b.chunks_exact(of_a)).zip(a) {
        sum.iter_mut().zip(b).for_each(|(s, &b)| *s += a * b);
    }
}

/// `sum[i] += a b` over the `of_sum` neighbours in `a` and `b` that each element stands for.
#[inline(always)]
fn add_dots<T: Real>(sum: &mut [T], of_sum: usize, a: &[T], b: &[T]) {
    if of_sum == 1 {
        return sum.iter_mut().zip(a.iter().zip(b)).for_each(|(s, (&a, &b))| *s += a * b);
    }
    for ((sum, a), b) in sum.iter_mut().zip(a.chunks_exact(of_sum)).zip(b.chunks_exact(of_sum)) {
        a.iter().zip(b).for_each(|(&a, &b)| *sum += a * b);
    }
}

impl Operator for DepthwiseConv2d {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x, w] = weighted::operands(inputs, 0)?;
        Ok(self.sizes(x, w)?.output().into())
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [x, w] = [io.inputs[0], io.inputs[1]];
        let Ok(sizes) = self.sizes(x.shape, w.shape) else { return };
        let (channels, outputs, m) = (sizes.geometry.c, sizes.outputs(), sizes.multiplier);
        let filters = &mut io.scratch[..sizes.taps() * outputs];
        sizes.by_taps(w.data, filters);
        let filters = &*filters;
        let images = io.output.par_chunks_mut(sizes.geometry.pixels() * outputs);
        images.zip(x.data.par_chunks(sizes.geometry.image())).for_each(|(y, x)| {
            for pixel in y.chunks_exact_mut(outputs) {
                match io.inputs.get(2) {
                    Some(bias) => pixel.copy_from_slice(bias.data),
                    None => pixel.fill(T::ZERO),
                }
            }
            vectorized(
                #[inline(always)]
                || {
                    sizes.each(|at_x, at_w, at_y| {
                        let (x, w) = (&x[at_x..at_x + channels], &filters[at_w..at_w + outputs]);
                        add_products(&mut y[at_y..at_y + outputs], x, m, w);
                    });
                },
            );
        });
    }

    fn scratch(&self, inputs: &[&Shape], _output: &Shape) -> usize {
        inputs[1].elements()
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let inputs = graph.node(node).inputs.clone();
        let input = graph.shape(inputs[0]).clone();
        let filter = graph.shape(inputs[1]).clone();
        let dx = graph.push(DepthwiseInputGrad { conv: self.clone(), input }, &[upstream, inputs[1]])?;
        let dw = graph.push(DepthwiseFilterGrad { conv: self.clone(), filter }, &[inputs[0], upstream])?;
        weighted::derivatives(graph, &inputs, upstream, [dx, dw])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        lowering.depthwise_conv2d(self.stride, self.dilation, self.padding)
    }
}

impl Operator for DepthwiseInputGrad {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [dy, w] = exactly(inputs)?;
        belongs(dy, &self.conv.sizes(&self.input, w)?.output(), &self.input)
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [dy, w] = [io.inputs[0], io.inputs[1]];
        let Ok(sizes) = self.conv.sizes(&self.input, w.shape) else { return };
        let (channels, outputs, m) = (sizes.geometry.c, sizes.outputs(), sizes.multiplier);
        let filters = &mut io.scratch[..sizes.taps() * outputs];
        sizes.by_taps(w.data, filters);
        let filters = &*filters;
        let upstream = dy.data.par_chunks(sizes.geometry.pixels() * outputs);
        io.output.par_chunks_mut(sizes.geometry.image()).zip(upstream).for_each(|(dx, dy)| {
            dx.fill(T::ZERO);
            vectorized(
                #[inline(always)]
                || {
                    sizes.each(|at_x, at_w, at_y| {
                        let (dy, w) = (&dy[at_y..at_y + outputs], &filters[at_w..at_w + outputs]);
                        add_dots(&mut dx[at_x..at_x + channels], m, dy, w);
                    });
                },
            );
        });
    }

    fn scratch(&self, inputs: &[&Shape], _output: &Shape) -> usize {
        inputs[1].elements()
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
        belongs(dy, &self.conv.sizes(x, &self.filter)?.output(), &self.filter)
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [x, dy] = [io.inputs[0], io.inputs[1]];
        let Ok(sizes) = self.conv.sizes(x.shape, &self.filter) else { return };
        let (channels, outputs, m) = (sizes.geometry.c, sizes.outputs(), sizes.multiplier);
        let (image, gradient) = (sizes.geometry.image(), sizes.geometry.pixels() * outputs);
        let (images, filters) = (per_chunk(sizes.geometry.n), sizes.taps() * outputs);
        let partial = &mut io.scratch[..filters * CHUNKS];
        let work = x.data.par_chunks(images * image).zip(dy.data.par_chunks(images * gradient));
        let used = partial.par_chunks_mut(filters).zip(work).map(|(sums, (x, dy))| {
            sums.fill(T::ZERO);
            for (x, dy) in x.chunks_exact(image).zip(dy.chunks_exact(gradient)) {
                vectorized(
                    #[inline(always)]
                    || {
                        sizes.each(|at_x, at_w, at_y| {
                            let (x, dy) = (&x[at_x..at_x + channels], &dy[at_y..at_y + outputs]);
                            add_products(&mut sums[at_w..at_w + outputs], x, m, dy);
                        });
                    },
                );
            }
        });
        let used = used.count();
        io.output.fill(T::ZERO);
        for sums in partial[..filters * used].chunks_exact(filters) {
            for (at, &sum) in sums.iter().enumerate() {
                io.output[at % outputs * sizes.taps() + at / outputs] += sum;
            }
        }
    }

    fn scratch(&self, _inputs: &[&Shape], output: &Shape) -> usize {
        output.elements() * CHUNKS
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let (x, dy) = (graph.node(node).inputs[0], graph.node(node).inputs[1]);
        let input = graph.shape(x).clone();
        let dx = graph.push(DepthwiseInputGrad { conv: self.conv.clone(), input }, &[dy, upstream])?;
        let ddy = graph.push(self.conv.clone(), &[x, upstream])?;
        Ok(vec![Some(dx), Some(ddy)])
    }
}
