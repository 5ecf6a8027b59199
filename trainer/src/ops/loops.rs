//! Index arithmetic of NumPy broadcasting, shared by broadcast and its transpose.

use crate::graph::Shape;

/// Strides that read a tensor of shape `small` as if it had shape `big` (0 where it is repeated), or `None` when the
/// one does not broadcast to the other.
pub fn broadcast_strides(small: &Shape, big: &Shape) -> Option<Vec<usize>> {
    let missing = big.len().checked_sub(small.len())?;
    let mut strides = vec![0; big.len()];
    let mut stride = 1;
    for at in (0..small.len()).rev() {
        match (small[at], big[at + missing]) {
            (s, b) if s == b => strides[at + missing] = stride,
            (1, _) => {}
            _ => return None,
        }
        stride *= small[at];
    }
    Some(strides)
}

/// Whether `small` is `big` without some leading dimensions: the case of biases, which is fast.
pub fn is_suffix(small: &Shape, big: &Shape) -> bool {
    big.dims().ends_with(small.dims())
}

/// For each element of a tensor of shape `big`, in order, the element of the smaller one that belongs to it.
pub fn for_each_pair(big: &Shape, strides: &[usize], mut f: impl FnMut(usize, usize)) {
    let inner = big.last().copied().unwrap_or(1);
    let inner_stride = strides.last().copied().unwrap_or(0);
    for row in 0..big.elements() / inner.max(1) {
        let (mut rest, mut base) = (row, 0);
        for (dim, stride) in big.iter().zip(strides).rev().skip(1) {
            base += rest % dim * stride;
            rest /= dim;
        }
        for i in 0..inner {
            f(row * inner + i, base + i * inner_stride);
        }
    }
}

/// Distance in memory of neighbours in each dimension.
pub fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}
