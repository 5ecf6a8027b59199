//! The input rows under one row of outputs, copied out of the input, so that outputs may be written over it.
//!
//! That is safe where both have one shape: the window of output row y reaches input row y, since the padding is smaller
//! than the window, so a row is copied before anything is written over it.

use crate::arch::mve::gather;
use crate::blob::Window;

/// Rows that are kept at a time: all from the first tap to the last.
pub fn rows(window: &Window, height: usize) -> usize {
    window.extent(0).unwrap_or(usize::MAX).min(height)
}

/// A ring of rows.
pub struct Ring<'s> {
    rows: &'s mut [i8],
    /// Bytes of one row.
    row: usize,
    /// Rows copied so far.
    copied: usize,
}

impl<'s> Ring<'s> {
    /// Of rows of `row` bytes in all of `rows`.
    pub fn new(rows: &'s mut [i8], row: usize) -> Self {
        Self { rows, row, copied: 0 }
    }

    /// Copies the rows of `image` that are not there yet, up to number `end` (not included).
    pub fn advance(&mut self, image: &[i8], end: usize) {
        for (y, source) in crate::ops::parts(image, self.row).enumerate().take(end).skip(self.copied) {
            let slot = y % self.slots();
            if let Some(slot) = crate::ops::parts_mut(self.rows, self.row).nth(slot) {
                gather::copy(source, slot);
            }
            self.copied = y + 1;
        }
    }

    /// Row number `y`, one of the last that were copied.
    pub fn get(&self, y: usize) -> &[i8] {
        crate::ops::parts(self.rows, self.row).nth(y % self.slots()).unwrap_or(&[])
    }

    /// Rows that there is room for, 1 at least.
    #[inline(always)]
    fn slots(&self) -> usize {
        self.rows.len().checked_div(self.row).unwrap_or(0).max(1)
    }
}
