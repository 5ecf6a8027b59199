//! Tensors laid side by side.

use ackermann_core::blob::write::OperatorKind;
use ackermann_core::ops;

use super::{Io, MAX_INPUTS, Operator, Slice, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};
use crate::quant::program::{Lowering, Scale};

/// 1 to 8 inputs, one after another along `axis`; all other dimensions are equal.
#[derive(Debug, Clone, PartialEq)]
pub struct Concat {
    /// The dimension that grows.
    pub axis: usize,
}

impl Operator for Concat {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        let Some((first, rest)) = inputs.split_first() else { return Err(misfit("takes at least one input")) };
        let mut shape = first.to_vec();
        if self.axis >= shape.len() {
            return Err(misfit(format!("shape {first} has no dimension {}", self.axis)));
        }
        for other in rest {
            let mut fitting = other.to_vec();
            if fitting.len() == shape.len() {
                fitting[self.axis] = shape[self.axis];
            }
            if fitting != shape {
                return Err(misfit(format!("shapes {first} and {other} differ beside dimension {}", self.axis)));
            }
            shape[self.axis] += other[self.axis];
        }
        Ok(shape.into())
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let row = |shape: &Shape| shape[self.axis..].iter().product::<usize>();
        let (whole, mut at) = (row(io.shape), 0);
        for input in io.inputs {
            let part = row(input.shape);
            if part == 0 {
                continue;
            }
            let rows = io.output.chunks_exact_mut(whole).zip(input.data.chunks_exact(part));
            rows.for_each(|(out, x)| out[at..at + part].copy_from_slice(x));
            at += part;
        }
    }

    fn gradient(&self, graph: &mut Graph, node: NodeId, upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        let whole = graph.shape(node).clone();
        let (mut parts, mut at) = (Vec::new(), 0);
        for input in graph.node(node).inputs.clone() {
            let size = graph.shape(input).clone();
            let mut begin = vec![0; whole.len()];
            begin[self.axis] = at;
            at += size[self.axis];
            parts.push(Some(graph.push(Slice::dense(begin, size), &[upstream])?));
        }
        Ok(parts)
    }

    fn lower(&self, lowering: &mut Lowering<'_>) -> Result<()> {
        if (0..MAX_INPUTS).any(|at| lowering.is_param(at)) {
            return lowering.refuse("one of its inputs is a parameter");
        }
        let axis = lowering.axis(self.axis)?;
        lowering.operator(Scale::OfInputs, move |_| Ok(OperatorKind::Concat(ops::Concat { axis })))
    }
}
