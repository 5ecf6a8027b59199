//! Nodes without inputs: what is fed, what is trained, what is fixed.

use super::{Io, Operator, exactly, misfit};
use crate::Result;
use crate::graph::{Graph, NodeId, Real, Shape};

/// A tensor fed by the caller at each run; made by [`Graph::input`].
#[derive(Debug, Clone, PartialEq)]
pub struct Input;

/// A tensor read from the parameters by the node's name; made by [`Graph::param`].
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter;

/// A tensor with one value everywhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Constant {
    /// The value.
    pub value: f64,
    /// Its shape.
    pub shape: Shape,
}

/// The index along one dimension of its shape, at every place.
#[derive(Debug, Clone, PartialEq)]
pub struct Positions {
    /// The dimension.
    pub axis: usize,
    /// Its shape.
    pub shape: Shape,
}

impl Operator for Input {
    fn shape(&self, _inputs: &[&Shape]) -> Result<Shape> {
        Err(misfit("inputs are declared with a name and a shape (Graph::input)"))
    }

    fn forward<T: Real>(&self, _io: Io<'_, T>) {}

    fn gradient(&self, _graph: &mut Graph, _node: NodeId, _upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        Ok(Vec::new())
    }
}

impl Operator for Parameter {
    fn shape(&self, _inputs: &[&Shape]) -> Result<Shape> {
        Err(misfit("parameters are declared with a name and a shape (Graph::param)"))
    }

    fn forward<T: Real>(&self, _io: Io<'_, T>) {}

    fn gradient(&self, _graph: &mut Graph, _node: NodeId, _upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        Ok(Vec::new())
    }
}

impl Operator for Constant {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        exactly::<0>(inputs).map(|_| self.shape.clone())
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        io.output.fill(T::of(self.value));
    }

    fn gradient(&self, _graph: &mut Graph, _node: NodeId, _upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        Ok(Vec::new())
    }
}

impl Operator for Positions {
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape> {
        exactly::<0>(inputs)?;
        if self.axis < self.shape.len() {
            Ok(self.shape.clone())
        } else {
            Err(misfit(format!("shape {} has no dimension {}", self.shape, self.axis)))
        }
    }

    fn forward<T: Real>(&self, io: Io<'_, T>) {
        let length = self.shape[self.axis].max(1);
        let inner = self.shape[self.axis + 1..].iter().product::<usize>().max(1);
        io.output.iter_mut().enumerate().for_each(|(at, y)| *y = T::of((at / inner % length) as f64));
    }

    fn gradient(&self, _graph: &mut Graph, _node: NodeId, _upstream: NodeId) -> Result<Vec<Option<NodeId>>> {
        Ok(Vec::new())
    }
}
