//! Shorthands for the operators that other formulas are made of.

use super::{Graph, NodeId, Shape};
use crate::ops::{
    Add, Affine, Broadcast, Concat, Constant, Div, Function, MAX_INPUTS, Mask, Maximum, Mean, Minimum, Mul, OneHot,
    Pow, ReduceMax, Reshape, Slice, Sub, SumTo, Unary,
};
use crate::{Error, ErrorKind, Result};

impl Graph {
    /// A tensor with one value everywhere.
    pub fn full(&mut self, value: f64, shape: impl Into<Shape>) -> Result<NodeId> {
        self.push(Constant { value, shape: shape.into() }, &[])
    }

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

    /// `a / b` element by element, one of them broadcast where the shapes differ.
    pub fn div(&mut self, a: NodeId, b: NodeId) -> Result<NodeId> {
        let (a, b) = self.matched(a, b)?;
        self.push(Div, &[a, b])
    }

    /// `a` to the power of `b` element by element, one of them broadcast where the shapes differ.
    pub fn pow(&mut self, a: NodeId, b: NodeId) -> Result<NodeId> {
        let (a, b) = self.matched(a, b)?;
        self.push(Pow, &[a, b])
    }

    /// The larger of `a` and `b` element by element, one of them broadcast where the shapes differ.
    pub fn max(&mut self, a: NodeId, b: NodeId) -> Result<NodeId> {
        let (a, b) = self.matched(a, b)?;
        self.push(Maximum, &[a, b])
    }

    /// The smaller of `a` and `b` element by element, one of them broadcast where the shapes differ.
    pub fn min(&mut self, a: NodeId, b: NodeId) -> Result<NodeId> {
        let (a, b) = self.matched(a, b)?;
        self.push(Minimum, &[a, b])
    }

    /// `scale * x + offset`.
    pub fn affine(&mut self, x: NodeId, scale: f64, offset: f64) -> Result<NodeId> {
        self.push(Affine { scale, offset }, &[x])
    }

    /// `-x`.
    pub fn neg(&mut self, x: NodeId) -> Result<NodeId> {
        self.affine(x, -1.0, 0.0)
    }

    /// `x^2`.
    pub fn square(&mut self, x: NodeId) -> Result<NodeId> {
        self.mul(x, x)
    }

    /// `function(x)` element by element.
    pub fn apply(&mut self, function: Function, x: NodeId) -> Result<NodeId> {
        self.push(Unary { function }, &[x])
    }

    /// `v` where `x` is above zero, else 0.
    pub fn where_positive(&mut self, x: NodeId, v: NodeId) -> Result<NodeId> {
        self.push(Mask { low: 0.0, high: f64::INFINITY }, &[x, v])
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

    /// Sum over the dimensions `axes`, which stay as 1.
    pub fn sum_over(&mut self, x: NodeId, axes: &[usize]) -> Result<NodeId> {
        let kept = self.shape(x).reduced(axes).map_err(|e| Error { place: "SumTo".into(), ..e })?;
        self.sum_to(x, &kept)
    }

    /// Mean over the dimensions `axes`, which stay as 1.
    pub fn mean_over(&mut self, x: NodeId, axes: &[usize]) -> Result<NodeId> {
        self.push(Mean { axes: axes.to_vec() }, &[x])
    }

    /// Largest element over the dimensions `axes`, which stay as 1.
    pub fn max_over(&mut self, x: NodeId, axes: &[usize]) -> Result<NodeId> {
        self.push(ReduceMax { axes: axes.to_vec(), smallest: false }, &[x])
    }

    /// Smallest element over the dimensions `axes`, which stay as 1.
    pub fn min_over(&mut self, x: NodeId, axes: &[usize]) -> Result<NodeId> {
        self.push(ReduceMax { axes: axes.to_vec(), smallest: true }, &[x])
    }

    /// The same elements in another shape.
    pub fn reshape(&mut self, x: NodeId, shape: impl Into<Shape>) -> Result<NodeId> {
        self.push(Reshape { shape: shape.into() }, &[x])
    }

    /// Tensors one after another along `axis`, however many.
    pub fn concat(&mut self, parts: &[NodeId], axis: usize) -> Result<NodeId> {
        let mut parts = parts.to_vec();
        while parts.len() > MAX_INPUTS {
            let first = self.push(Concat { axis }, &parts[..MAX_INPUTS])?;
            parts.splice(..MAX_INPUTS, [first]);
        }
        self.push(Concat { axis }, &parts)
    }

    /// Elements `start .. start + length` along `axis`.
    pub fn slice(&mut self, x: NodeId, axis: usize, start: usize, length: usize) -> Result<NodeId> {
        let mut size = self.shape(x).to_vec();
        let mut begin = vec![0; size.len()];
        match size.get_mut(axis) {
            Some(size) => (*size, begin[axis]) = (length, start),
            None => {
                return Err(Error::new(
                    ErrorKind::Shape,
                    "Slice",
                    format!("shape {} has no dimension {axis}", self.shape(x)),
                ));
            }
        }
        self.push(Slice::dense(begin, size.into()), &[x])
    }

    /// Parts of these lengths one after another along `axis`.
    pub fn split(&mut self, x: NodeId, axis: usize, lengths: &[usize]) -> Result<Vec<NodeId>> {
        let starts = lengths.iter().scan(0, |next, length| Some(std::mem::replace(next, *next + length)));
        starts.zip(lengths).map(|(start, length)| self.slice(x, axis, start, *length)).collect()
    }

    /// For each row `x[.., :]` the element at the index that `indices [..]` gives: the logarithm of an action's probability, for one.
    pub fn pick(&mut self, x: NodeId, indices: NodeId) -> Result<NodeId> {
        let (rows, shape) = (self.shape(indices).clone(), self.shape(x).clone());
        let places = self.push(OneHot { classes: shape.last().copied().unwrap_or(0) }, &[indices])?;
        let picked = self.mul(x, places)?;
        let sum = self.sum_to(picked, &shape.of_rows())?;
        self.reshape(sum, rows)
    }

    fn matched(&mut self, a: NodeId, b: NodeId) -> Result<(NodeId, NodeId)> {
        let (left, right) = (self.shape(a).clone(), self.shape(b).clone());
        if left == right {
            return Ok((a, b));
        }
        let whole = left.joined(&right);
        Ok((self.broadcast(a, &whole)?, self.broadcast(b, &whole)?))
    }
}
