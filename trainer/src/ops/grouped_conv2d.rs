//! Convolution in groups of channels (Krizhevsky et al. 2012, Xie et al. 2017), and its two transposes.
//!
//! Each group is a convolution of its own; its channels are copied out of the image, since those of one pixel lie together.

use rayon::prelude::*;

use super::chunks::{CHUNKS, per_chunk};
use super::conv::Geometry;
use super::{Io, Operator, Padding, Window, belongs, exactly, misfit, weighted};
use crate::Result;
use crate::graph::{Graph, Matrix, NodeId, Real, Shape, product};
use crate::quant::program::Lowering;

/// Inputs `x [n, h, w, c]`, `w [o, kh, kw, c / groups]` and optionally `bias [o]`: output channels `g o / groups ..` are a
/// [`super::Conv2d`] of input channels `g c / groups ..`, for each group `g`.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupedConv2d {
    /// Parts of the channels of image and output.
    pub groups: usize,
    /// Steps down and right.
    pub stride: [usize; 2],
    /// Steps between the taps of a filter, 1 for a dense one.
    pub dilation: [usize; 2],
    /// Zeros around the image.
    pub padding: Padding,
}

/// Inputs `dy`, `w`: gradient of [`GroupedConv2d`] with respect to its image.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupedInputGrad {
    /// The convolution.
    pub conv: GroupedConv2d,
    /// Shape of the image, which is that of the result.
    pub input: Shape,
}

/// Inputs `x`, `dy`: gradient of [`GroupedConv2d`] with respect to its filters.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupedFilterGrad {
    /// The convolution.
    pub conv: GroupedConv2d,
    /// Shape of the filters, which is that of the result.
    pub filter: Shape,
}

/// Sizes of one group in one image, and of all.
#[derive(Clone, Copy)]
struct Sizes {
    images: usize,
    groups: usize,
    /// Of one group.
    filters: usize,
    /// Of one group in one image.
    geometry: Geometry,
}

impl GroupedConv2d {
    fn sizes(&self, x: &Shape, w: &Shape) -> Result<Sizes> {
        let (&[images, height, width, channels], &[outputs, kh, kw, depth]) = (x.dims(), w.dims()) else {
            return Err(misfit(format!("takes images (NHWC) and filters (OHWI), was given shapes {x} and {w}")));
        };
        let &Self { groups, stride, dilation, padding } = self;
        if groups == 0
            || outputs == 0
            || depth.saturating_mul(groups) != channels
            || outputs % groups != 0
            || images == 0
        {
            return Err(misfit(format!("{groups} groups of filters {w} on an image {x}")));
        }
        let window = Window { kernel: [kh, kw], stride, dilation, padding };
        let geometry = Geometry::new(&[1, height, width, depth].into(), window)?;
        Ok(Sizes { images, groups, filters: outputs / groups, geometry })
    }
}

impl Sizes {
    fn output(&self) -> [usize; 4] {
        [self.images, self.geometry.oh, self.geometry.ow, self.groups * self.filters]
    }

    /// Elements of one image, all groups.
    fn image(&self) -> usize {
        self.geometry.image() * self.groups
    }

    /// Elements of one output, all groups.
    fn result(&self) -> usize {
        self.geometry.pixels() * self.filters * self.groups
    }

    /// Elements of the filters of one group.
    fn weights(&self) -> usize {
        self.filters * self.geometry.taps()
    }

    /// Elements of a group's image, its output, and a tile.
    fn scratch(&self) -> usize {
        self.geometry.image() + self.geometry.pixels() * self.filters + self.geometry.tile()
    }

    /// Takes such scratch apart.
    fn parts<'s, T>(&self, scratch: &'s mut [T]) -> [&'s mut [T]; 3] {
        let (image, rest) = scratch.split_at_mut(self.geometry.image());
        let (result, tile) = rest.split_at_mut(self.geometry.pixels() * self.filters);
        [image, result, tile]
    }
}

/// Copies the channels of a group, `part` lying in `whole` from channel `first` on: out of it, or back.
fn take<T: Copy>(whole: &[T], all: usize, first: usize, part: &mut [T], own: usize) {
    let pixels = part.chunks_exact_mut(own).zip(whole.chunks_exact(all));
    pixels.for_each(|(part, whole)| part.copy_from_slice(&whole[first..first + own]));
}

fn put<T: Copy>(part: &[T], own: usize, whole: &mut [T], all: usize, first: usize) {
    let pixels = whole.chunks_exact_mut(all).zip(part.chunks_exact(own));
    pixels.for_each(|(whole, part)| whole[first..first + own].copy_from_slice(part));
}

impl Operator for GroupedConv2d {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x, w] = weighted::operands(inputs, 0)?;
        Ok(self.sizes(x, w)?.output().into())
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [x, w] = [io.inputs[0], io.inputs[1]];
        let Ok(s) = self.sizes(x.shape, w.shape) else { return };
        let (g, images) = (s.geometry, per_chunk(s.images));
        let work = io.output.par_chunks_mut(images * s.result()).zip(x.data.par_chunks(images * s.image()));
        work.zip(io.scratch.par_chunks_mut(s.scratch())).for_each(|((y, x), scratch)| {
            let [image, result, tile] = s.parts(scratch);
            for (y, x) in y.chunks_exact_mut(s.result()).zip(x.chunks_exact(s.image())) {
                for (group, w) in w.data.chunks_exact(s.weights()).enumerate() {
                    take(x, g.c * s.groups, group * g.c, image, g.c);
                    let weights = Matrix::new(w, s.filters, g.taps()).t();
                    for lines in g.tiles(1) {
                        let pixels = lines.len() * g.ow;
                        let out = &mut result[lines.start * g.ow * s.filters..][..pixels * s.filters];
                        let tile = &mut tile[..pixels * g.taps()];
                        g.unfold(image, lines, tile);
                        product(out, Matrix::new(tile, pixels, g.taps()), weights, false);
                    }
                    put(result, s.filters, y, s.filters * s.groups, group * s.filters);
                }
                if let Some(bias) = io.inputs.get(2) {
                    weighted::add_bias(y, bias.data);
                }
            }
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let inputs = graph.node(node).inputs.clone();
        let input = graph.shape(inputs[0]).clone();
        let filter = graph.shape(inputs[1]).clone();
        let dx = graph.push(GroupedInputGrad { conv: self.clone(), input }, &[upstream, inputs[1]])?;
        let dw = graph.push(GroupedFilterGrad { conv: self.clone(), filter }, &[inputs[0], upstream])?;
        weighted::derivatives(graph, &inputs, upstream, [dx, dw])
    }

    fn scratch(&self, inputs: &[&Shape], _output: &Shape) -> usize {
        self.sizes(inputs[0], inputs[1]).map_or(0, |sizes| sizes.scratch() * CHUNKS)
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        lowering.grouped_conv2d(self.groups, self.stride, self.dilation, self.padding)
    }
}

impl Operator for GroupedInputGrad {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [dy, w] = exactly(inputs)?;
        belongs(dy, &self.conv.sizes(&self.input, w)?.output(), &self.input)
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [dy, w] = [io.inputs[0], io.inputs[1]];
        let Ok(s) = self.conv.sizes(&self.input, w.shape) else { return };
        let (g, images) = (s.geometry, per_chunk(s.images));
        let work = io.output.par_chunks_mut(images * s.image()).zip(dy.data.par_chunks(images * s.result()));
        work.zip(io.scratch.par_chunks_mut(s.scratch())).for_each(|((dx, dy), scratch)| {
            let [image, result, tile] = s.parts(scratch);
            for (dx, dy) in dx.chunks_exact_mut(s.image()).zip(dy.chunks_exact(s.result())) {
                for (group, w) in w.data.chunks_exact(s.weights()).enumerate() {
                    take(dy, s.filters * s.groups, group * s.filters, result, s.filters);
                    image.fill(T::ZERO);
                    for lines in g.tiles(1) {
                        let pixels = lines.len() * g.ow;
                        let out = &result[lines.start * g.ow * s.filters..][..pixels * s.filters];
                        let tile = &mut tile[..pixels * g.taps()];
                        product(tile, Matrix::new(out, pixels, s.filters), Matrix::new(w, s.filters, g.taps()), false);
                        g.fold(tile, lines, image);
                    }
                    put(image, g.c, dx, g.c * s.groups, group * g.c);
                }
            }
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let (dy, w) = (graph.node(node).inputs[0], graph.node(node).inputs[1]);
        let filter = graph.shape(w).clone();
        let ddy = graph.push(self.conv.clone(), &[upstream, w])?;
        let dw = graph.push(GroupedFilterGrad { conv: self.conv.clone(), filter }, &[upstream, dy])?;
        Ok(vec![Some(ddy), Some(dw)])
    }

    fn scratch(&self, inputs: &[&Shape], _output: &Shape) -> usize {
        self.conv.sizes(&self.input, inputs[1]).map_or(0, |sizes| sizes.scratch() * CHUNKS)
    }
}

impl Operator for GroupedFilterGrad {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x, dy] = exactly(inputs)?;
        belongs(dy, &self.conv.sizes(x, &self.filter)?.output(), &self.filter)
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let [x, dy] = [io.inputs[0], io.inputs[1]];
        let Ok(s) = self.conv.sizes(x.shape, &self.filter) else { return };
        let (g, images, whole) = (s.geometry, per_chunk(s.images), io.output.len());
        let (scratch, partial) = io.scratch.split_at_mut(s.scratch() * CHUNKS);
        let partial = &mut partial[..whole * CHUNKS];
        partial.fill(T::ZERO);
        let work = x.data.par_chunks(images * s.image()).zip(dy.data.par_chunks(images * s.result()));
        let places = partial.par_chunks_mut(whole).zip(scratch.par_chunks_mut(s.scratch()));
        work.zip(places).for_each(|((x, dy), (sum, scratch))| {
            let [image, result, tile] = s.parts(scratch);
            for (x, dy) in x.chunks_exact(s.image()).zip(dy.chunks_exact(s.result())) {
                for (group, sum) in sum.chunks_exact_mut(s.weights()).enumerate() {
                    take(x, g.c * s.groups, group * g.c, image, g.c);
                    take(dy, s.filters * s.groups, group * s.filters, result, s.filters);
                    for lines in g.tiles(1) {
                        let pixels = lines.len() * g.ow;
                        let out = &result[lines.start * g.ow * s.filters..][..pixels * s.filters];
                        let tile = &mut tile[..pixels * g.taps()];
                        g.unfold(image, lines, tile);
                        let taps = Matrix::new(tile, pixels, g.taps());
                        product(sum, Matrix::new(out, pixels, s.filters).t(), taps, true);
                    }
                }
            }
        });
        io.output.fill(T::ZERO);
        for sum in partial.chunks_exact(whole) {
            io.output.iter_mut().zip(sum).for_each(|(o, &s)| *o += s);
        }
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let (x, dy) = (graph.node(node).inputs[0], graph.node(node).inputs[1]);
        let input = graph.shape(x).clone();
        let dx = graph.push(GroupedInputGrad { conv: self.conv.clone(), input }, &[dy, upstream])?;
        let ddy = graph.push(self.conv.clone(), &[x, upstream])?;
        Ok(vec![Some(dx), Some(ddy)])
    }

    fn scratch(&self, inputs: &[&Shape], output: &Shape) -> usize {
        self.conv.sizes(inputs[0], &self.filter).map_or(0, |s| (s.scratch() + output.elements()) * CHUNKS)
    }
}
