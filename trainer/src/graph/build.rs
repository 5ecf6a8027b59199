//! Shorthands for the operators that other formulas are made of.

use super::{Graph, NodeId, Shape};
use crate::Result;
use crate::ops::{Add, Affine, Broadcast, Mul, Reshape, Sub, SumTo};

impl Graph {
    /// `a + b`, one of them broadcast where the shapes differ.
    pub fn add(&mut self, a: NodeId, b: NodeId) -> Result<NodeId> {
        let (a, b) = self.matched(a, b)?;
        self.push(Add, &[a, b])
    }

    /// `a - b`, one of them broadcast where the shapes differ.
    pub fn sub(&mut self, a: NodeId, b: NodeId) -> Result<NodeId> {
        let (a, b) = self.matched(a, b)?;
        self.push(Sub, &[a, b])
    }

    /// `a * b` element by element, one of them broadcast where the shapes differ.
    pub fn mul(&mut self, a: NodeId, b: NodeId) -> Result<NodeId> {
        let (a, b) = self.matched(a, b)?;
        self.push(Mul, &[a, b])
    }

    /// `scale * x + offset`.
    pub fn affine(&mut self, x: NodeId, scale: f64, offset: f64) -> Result<NodeId> {
        self.push(Affine { scale, offset }, &[x])
    }

    /// `x` repeated to `shape` (NumPy's rule: shapes are aligned at their last dimension).
    pub fn broadcast(&mut self, x: NodeId, shape: &Shape) -> Result<NodeId> {
        if self.shape(x) == shape { Ok(x) } else { self.push(Broadcast { shape: shape.clone() }, &[x]) }
    }

    /// `x` summed over the dimensions in which `shape` is 1 or shorter; the transpose of [`Graph::broadcast`].
    pub fn sum_to(&mut self, x: NodeId, shape: &Shape) -> Result<NodeId> {
        if self.shape(x) == shape { Ok(x) } else { self.push(SumTo { shape: shape.clone() }, &[x]) }
    }

    /// Sum of all elements.
    pub fn sum(&mut self, x: NodeId) -> Result<NodeId> {
        self.sum_to(x, &Shape::scalar())
    }

    /// Mean of all elements.
    pub fn mean(&mut self, x: NodeId) -> Result<NodeId> {
        let count = self.shape(x).elements() as f64;
        let sum = self.sum(x)?;
        self.affine(sum, 1.0 / count, 0.0)
    }

    /// The same elements in another shape.
    pub fn reshape(&mut self, x: NodeId, shape: impl Into<Shape>) -> Result<NodeId> {
        self.push(Reshape { shape: shape.into() }, &[x])
    }

    fn matched(&mut self, a: NodeId, b: NodeId) -> Result<(NodeId, NodeId)> {
        let (left, right) = (self.shape(a).clone(), self.shape(b).clone());
        if left.len() > right.len() || (left.len() == right.len() && left.elements() > right.elements()) {
            Ok((a, self.broadcast(b, &left)?))
        } else {
            Ok((self.broadcast(a, &right)?, b))
        }
    }
}
