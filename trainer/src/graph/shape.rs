//! Shapes of tensors: row-major, channels last, batch first.

use std::fmt;
use std::ops::Deref;

use crate::{Error, ErrorKind, Result};

/// Dimensions of a tensor, outermost first: images are NHWC, a scalar has none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// The shape of a single number.
    pub fn scalar() -> Self {
        Self::default()
    }

    /// Dimensions, outermost first.
    pub fn dims(&self) -> &[usize] {
        &self.0
    }

    /// How many numbers a tensor of this shape holds (1 for a scalar); saturates.
    pub fn elements(&self) -> usize {
        self.0.iter().fold(1, |product: usize, dim| product.saturating_mul(*dim))
    }

    /// The shape that both broadcast to by NumPy's rule, if there is one: aligned at the last dimension, the larger of each two.
    pub fn joined(&self, other: &Self) -> Self {
        let rank = self.len().max(other.len());
        let at = |shape: &Self, axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis]);
        Self((0..rank).map(|axis| at(self, axis).max(at(other, axis))).collect())
    }

    /// This shape with 1 for each of the dimensions `axes`. Errors when it lacks one, or one is given twice.
    pub fn reduced(&self, axes: &[usize]) -> Result<Self> {
        let mut dims = self.0.clone();
        for (at, axis) in axes.iter().enumerate() {
            match dims.get_mut(*axis).filter(|_| !axes[..at].contains(axis)) {
                Some(dim) => *dim = 1,
                None => {
                    let message = format!(
                        "a tensor {self} cannot be reduced along {axes:?}; give dimensions that it has, each once"
                    );
                    return Err(Error::new(ErrorKind::Shape, "", message));
                }
            }
        }
        Ok(Self(dims))
    }

    /// This shape with 1 for the last dimension.
    pub fn of_rows(&self) -> Self {
        let mut dims = self.0.clone();
        dims.last_mut().into_iter().for_each(|last| *last = 1);
        Self(dims)
    }
}

impl Deref for Shape {
    type Target = [usize];

    fn deref(&self) -> &[usize] {
        &self.0
    }
}

impl From<&[usize]> for Shape {
    fn from(dims: &[usize]) -> Self {
        Self(dims.to_vec())
    }
}

impl From<Vec<usize>> for Shape {
    fn from(dims: Vec<usize>) -> Self {
        Self(dims)
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(dims: [usize; N]) -> Self {
        Self(dims.to_vec())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return write!(f, "scalar");
        }
        let dims: Vec<String> = self.0.iter().map(usize::to_string).collect();
        write!(f, "{}", dims.join("x"))
    }
}
