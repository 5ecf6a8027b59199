//! Images among zeros, so that every window lies inside.

use crate::graph::Real;

/// Zeros around an image, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Margins {
    /// Rows above and below.
    pub rows: [usize; 2],
    /// Columns to the left and to the right.
    pub cols: [usize; 2],
}

impl Margins {
    /// Whether there are any.
    pub fn any(&self) -> bool {
        *self != Self::default()
    }

    /// Rows and columns of an image of `height x width` with its margins.
    pub fn around(&self, height: usize, width: usize) -> [usize; 2] {
        [self.rows[0] + height + self.rows[1], self.cols[0] + width + self.cols[1]]
    }

    /// Copies an image of rows of `line` numbers, `channels` per pixel, into `padded`.
    pub fn copy<T: Real>(&self, image: &[T], line: usize, channels: usize, padded: &mut [T]) {
        let (left, right) = (self.cols[0] * channels, self.cols[1] * channels);
        let whole = left + line + right;
        let (above, rest) = padded.split_at_mut(self.rows[0] * whole);
        above.fill(T::ZERO);
        let (rows, below) = rest.split_at_mut(image.len() / line * whole);
        below[..self.rows[1] * whole].fill(T::ZERO);
        for (to, from) in rows.chunks_exact_mut(whole).zip(image.chunks_exact(line)) {
            to[..left].fill(T::ZERO);
            to[left..left + line].copy_from_slice(from);
            to[left + line..].fill(T::ZERO);
        }
    }
}
