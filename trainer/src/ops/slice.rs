//! A part of a tensor, and its transpose: a tensor among zeros.

use ackermann_core::blob::write::OperatorKind;
use ackermann_core::ops;

use super::{Io, Operator, exactly, loops, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::{Lowering, Scale};

/// `y[i] = x[begin + i step]` in every dimension.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    /// First element in each dimension.
    pub begin: Vec<usize>,
    /// Distance between elements in each dimension, at least 1.
    pub step: Vec<usize>,
    /// Shape of the part.
    pub size: Shape,
}

/// `y[begin + i step] = x[i]`, 0 elsewhere: padding with zeros (step 1), the transpose of [`Slice`].
#[derive(Debug, Clone, PartialEq)]
pub struct Pad {
    /// Place of the first element in each dimension.
    pub begin: Vec<usize>,
    /// Distance between elements in each dimension, at least 1.
    pub step: Vec<usize>,
    /// Shape of the whole.
    pub whole: Shape,
}

impl Slice {
    /// Every element of a part.
    pub fn dense(begin: Vec<usize>, size: Shape) -> Self {
        Self { step: vec![1; begin.len()], begin, size }
    }
}

impl Pad {
    /// `before` and `after` zeros around a tensor of shape `x`.
    pub fn around(x: &Shape, before: Vec<usize>, after: &[usize]) -> Self {
        let whole: Vec<usize> = x.iter().zip(&before).zip(after).map(|((x, b), a)| x + b + a).collect();
        Self { step: vec![1; before.len()], begin: before, whole: whole.into() }
    }
}

/// Errors unless `part`, spread by `step` from `begin`, lies in `whole`.
fn check(part: &Shape, begin: &[usize], step: &[usize], whole: &Shape) -> Result<()> {
    let inside = |axis: usize| {
        let last = part[axis].checked_sub(1).and_then(|last| last.checked_mul(step[axis])?.checked_add(begin[axis]));
        step[axis] > 0 && part[axis] > 0 && last.is_some_and(|last| last < whole[axis])
    };
    let ranks = [begin.len(), step.len(), whole.len()];
    if ranks == [part.len(); 3] && (0..part.len()).all(inside) {
        Ok(())
    } else {
        Err(misfit(format!("a part of shape {part} from {begin:?} by {step:?} does not lie in {whole}")))
    }
}

/// Goes through a part of `whole`: `f(element of the part, element of the whole)`.
fn for_each(part: &Shape, [begin, step]: [&[usize]; 2], whole: &Shape, mut f: impl FnMut(usize, usize)) {
    let first: usize = begin.iter().enumerate().map(|(axis, begin)| begin * loops::stride(whole, axis)).sum();
    let stride = |axis: usize| step[axis] * loops::stride(whole, axis);
    loops::for_each_pair(part, stride, |at, place| f(at, first + place));
}

impl Operator for Slice {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x] = exactly(inputs)?;
        check(&self.size, &self.begin, &self.step, x).map(|()| self.size.clone())
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let x = io.inputs[0];
        for_each(io.shape, [&self.begin, &self.step], x.shape, |part, whole| io.output[part] = x.data[whole]);
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let whole = graph.shape(graph.node(node).inputs[0]).clone();
        let pad = Pad { begin: self.begin.clone(), step: self.step.clone(), whole };
        Ok(vec![Some(graph.push(pad, &[upstream])?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        let (mut begin, mut step) = ([0; 4], [1; 4]);
        for (at, (from, by)) in self.begin.iter().zip(&self.step).enumerate() {
            let axis = lowering.axis(at)?;
            (begin[axis], step[axis]) = (*from, *by as isize);
        }
        let slice = ops::StridedSlice { begin, step };
        lowering.operator(Scale::OfInputs, move |_| Ok(OperatorKind::StridedSlice(slice)))
    }
}

impl Operator for Pad {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let [x] = exactly(inputs)?;
        check(x, &self.begin, &self.step, &self.whole).map(|()| self.whole.clone())
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let x = io.inputs[0];
        io.output.fill(T::ZERO);
        for_each(x.shape, [&self.begin, &self.step], io.shape, |part, whole| io.output[whole] = x.data[part]);
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let size = graph.shape(graph.node(node).inputs[0]).clone();
        let slice = Slice { begin: self.begin.clone(), step: self.step.clone(), size };
        Ok(vec![Some(graph.push(slice, &[upstream])?)])
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        if self.step.iter().any(|step| *step != 1) {
            return lowering.refuse("zeros between elements");
        }
        let mut before = [0; 4];
        for (at, zeros) in self.begin.iter().enumerate() {
            before[lowering.axis(at)?] = *zeros;
        }
        lowering.operator(Scale::OfInputs, move |site| {
            Ok(OperatorKind::Pad(ops::Pad { before, value: site.output.zero_point }))
        })
    }
}
