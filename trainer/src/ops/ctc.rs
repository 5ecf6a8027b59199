//! Connectionist temporal classification (Graves et al. 2006): the loss of a sequence of labels that is not aligned with the frames.

use rayon::prelude::*;

use super::ctc_paths::{Dual, Paths};
use super::{Io, Operator, View, exactly, misfit};
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::{Error, Result};

/// Inputs `y [n, t, c]` (logarithms of the classes' probabilities in each frame), `labels [n, l]` (whole numbers; a sequence ends before the
/// first that is no class, such as -1) and `lengths [n]` (how many frames count, 0 to t): `[n]`, for each sequence
/// `-ln(sum over all paths of e^(sum of y along the path))`.
///
/// A path gives each frame a class; merging equal neighbours and then leaving out the blanks must give the labels. Infinite where the
/// frames are too few for any path.
#[derive(Debug, Clone, PartialEq)]
pub struct Ctc {
    /// The class that stands for no label.
    pub blank: usize,
}

/// Inputs as [`Ctc`] and `v [n]`: `v` times the gradient with respect to `y`, which is the negative probability that a path of the labels
/// passes the class in the frame.
#[derive(Debug, Clone, PartialEq)]
pub struct CtcGrad {
    /// As in [`Ctc`].
    pub blank: usize,
}

/// Inputs as [`Ctc`] and `u [n, t, c]`: the second derivative of each loss with respect to its `y`, times `u`.
#[derive(Debug, Clone, PartialEq)]
pub struct CtcCurvature {
    /// As in [`Ctc`].
    pub blank: usize,
}

/// Batch, frames and classes, when the first three inputs belong together.
fn sizes(blank: usize, y: &Shape, labels: &Shape, lengths: &Shape) -> Result<[usize; 3]> {
    match (y.dims(), labels.dims()) {
        (&[n, t, c], &[sequences, _]) if sequences == n && lengths.dims() == [n] && blank < c && t > 0 => Ok([n, t, c]),
        _ => Err(misfit(format!("frames {y}, labels {labels} and lengths {lengths} with blank {blank}"))),
    }
}

/// The paths of each sequence of a batch, with the logarithms of its frames.
fn sequences<'a, T: Real>(
    blank: usize,
    [y, labels, lengths]: [View<'a, T>; 3],
) -> impl IndexedParallelIterator<Item = (Paths, &'a [T])> {
    let (frames, classes) = (y.shape[1], y.shape[2]);
    let sequences = y.data.par_chunks_exact(frames * classes).zip(lengths.data).enumerate();
    sequences.map(move |(at, (y, length))| {
        let length = (length.to_f64().max(0.0) as usize).min(frames);
        let labels = &labels.data[at * labels.shape[1]..][..labels.shape[1]];
        (Paths::new(labels, length, classes, blank), y)
    })
}

impl Operator for Ctc {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [y, labels, lengths] = exactly(inputs)?;
        sizes(self.blank, y, labels, lengths).map(|[n, ..]| [n].into())
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let classes = io.inputs[0].shape[2];
        let sequences = sequences(self.blank, [io.inputs[0], io.inputs[1], io.inputs[2]]);
        io.output.par_iter_mut().zip(sequences).for_each(|(loss, (paths, y))| {
            *loss = T::of(-paths.total(|frame, class| y[frame * classes + class].to_f64()));
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let inputs = [&graph.node(node).inputs[..], &[upstream]].concat();
        Ok(vec![Some(graph.push(CtcGrad { blank: self.blank }, &inputs)?), None, None])
    }
}

impl Operator for CtcGrad {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [y, labels, lengths, v] = exactly(inputs)?;
        let [n, ..] = sizes(self.blank, y, labels, lengths)?;
        if v.dims() == [n] { Ok(y.clone()) } else { Err(misfit(format!("gradient {v} of {n} losses"))) }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let classes = io.shape[2];
        let sequences = sequences(self.blank, [io.inputs[0], io.inputs[1], io.inputs[2]]).zip(io.inputs[3].data);
        io.output.par_chunks_exact_mut(io.shape[1] * classes).zip(sequences).for_each(|(dy, ((paths, y), &v))| {
            dy.fill(T::ZERO);
            let score = |frame: usize, class: usize| y[frame * classes + class].to_f64();
            paths.passages(score, |frame, class, share| dy[frame * classes + class] += T::of(-share) * v);
        });
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        // The second derivative is symmetric: dy = v H u, and dv = the gradient of the loss times u, summed.
        let (inputs, shape) = (graph.node(node).inputs.clone(), graph.shape(node).clone());
        let v = graph.reshape(inputs[3], [shape[0], 1, 1])?;
        let weighted = graph.mul(upstream, v)?;
        let dy = graph.push(CtcCurvature { blank: self.blank }, &[inputs[0], inputs[1], inputs[2], weighted])?;
        let one = graph.full(1.0, [shape[0]])?;
        let slope = graph.push(self.clone(), &[inputs[0], inputs[1], inputs[2], one])?;
        let product = graph.mul(slope, upstream)?;
        let sum = graph.sum_over(product, &[1, 2])?;
        let dv = graph.reshape(sum, [shape[0]])?;
        Ok(vec![Some(dy), None, None, Some(dv)])
    }
}

impl Operator for CtcCurvature {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [y, labels, lengths, u] = exactly(inputs)?;
        sizes(self.blank, y, labels, lengths)?;
        if u == y { Ok(y.clone()) } else { Err(misfit(format!("direction {u} of frames {y}"))) }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let (classes, size) = (io.shape[2], io.shape[1] * io.shape[2]);
        let sequences = sequences(self.blank, [io.inputs[0], io.inputs[1], io.inputs[2]]);
        let sequences = sequences.zip(io.inputs[3].data.par_chunks_exact(size));
        io.output.par_chunks_exact_mut(size).zip(sequences).for_each(|(dy, ((paths, y), u))| {
            dy.fill(T::ZERO);
            let score = |frame: usize, class: usize| {
                let at = frame * classes + class;
                Dual { value: y[at].to_f64(), slope: u[at].to_f64() }
            };
            paths.passages(score, |frame, class, share| dy[frame * classes + class] += T::of(-share.slope));
        });
    }

    fn gradient(&self, _graph: &mut Graph, _node: NodeId, _upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        Err(Error::usage("Ctc", "has no third derivative here"))
    }
}
