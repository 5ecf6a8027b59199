//! Padding made real: a band of input rows, copied with the padding around them, in which every window lies inside.
//!
//! It costs a copy of each row once or twice, where a test of every tap of every window at the border would cost more.

use crate::arch::dsp::blocks;
use crate::blob::Window;

/// Geometry of the band of a convolution, in *padded* coordinates: row 0 and column 0 are the first of the padding.
#[derive(Debug, Clone, Copy)]
pub struct Band {
    /// Whether no window leaves the input, so that it serves as its own band.
    pub inside: bool,
    /// Bytes from one row to the next.
    pub line: usize,
    /// Rows that the band holds, padding included.
    pub rows: usize,
    /// Rows of one window.
    pub above: usize,
    /// Rows of all windows together.
    height: usize,
    input: [usize; 3],
    padding: [usize; 2],
}

/// Bytes that a band may have for free: a small input is copied whole, once.
const SMALL: usize = 1024;

impl Band {
    /// For all windows of `output`, of which four neighbours (in reading order) are looked at together.
    pub fn new(window: &Window, input: [usize; 4], output: [usize; 4]) -> Self {
        let ([_, h, w, c], [_, oh, ow, _]) = (input, output);
        let extent = |axis: usize| window.extent(axis).unwrap_or(1);
        let (above, across) = (extent(0), extent(1));
        let reach = |last: usize, stride: usize, extent: usize| last.saturating_mul(stride).saturating_add(extent);
        let height = reach(oh.saturating_sub(1), window.stride[0], above);
        let width = reach(ow.saturating_sub(1), window.stride[1], across);
        let inside = window.padding == [0, 0] && height <= h && width <= w;
        let line = if inside { w } else { width }.saturating_mul(c).max(1);
        // Four neighbours begin in one row of windows and end in this many below.
        let below = ow.saturating_add(2) / ow.max(1);
        let needed = reach(below, window.stride[0], above);
        let rows = if inside { height } else { needed.max(SMALL / line).min(height) };
        Self { inside, line, rows, above, height, input: [h, w, c], padding: window.padding }
    }

    /// Bytes of scratch it takes.
    pub fn bytes(&self) -> usize {
        if self.inside { 0 } else { self.rows.saturating_mul(self.line) }
    }

    /// Copies the rows from padded row `first` on into `band`; elements outside of the image become `zero`.
    pub fn fill(&self, image: &[i8], first: usize, zero: i8, band: &mut [i8]) {
        let [h, w, c] = self.input;
        let left = self.padding[1].saturating_mul(c);
        let rows = first..first.saturating_add(self.rows).min(self.height);
        for (row, y) in band.chunks_exact_mut(self.line.max(1)).zip(rows) {
            let source = y.checked_sub(self.padding[0]).filter(|y| *y < h).and_then(|y| image.get(y * w * c..));
            let Some(source) = source.and_then(|from| from.get(..w * c)) else {
                row.fill(zero);
                continue;
            };
            let Some((before, rest)) = row.split_at_mut_checked(left) else { continue };
            let (inside, after) = rest.split_at_mut(rest.len().min(source.len()));
            before.fill(zero);
            blocks::copy(source, inside);
            after.fill(zero);
        }
    }
}
