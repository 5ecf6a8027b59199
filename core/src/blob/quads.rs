//! The order of taps in the layouts for Armv7E-M DSP.

/// The order of a channel's taps in the DSP layouts: four at a time, in two words of two halves. Within a kernel row quads
/// follow each other, the halves of their first word being elements 0 and 2 and those of the second 1 and 3, as SXTB16
/// leaves them. Three elements at the end of a row make a quad with a zero. One or two are put behind all rows and fill quads
/// in order: word by word, half by half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quads {
    /// Kernel rows: runs of elements that lie together in memory.
    pub rows: usize,
    /// Elements of each.
    pub row: usize,
}

impl Quads {
    /// Quads of all rows, rest included.
    pub fn count(self) -> usize {
        self.checked_count().unwrap_or(usize::MAX)
    }

    pub(super) fn checked_count(self) -> Option<usize> {
        let behind = self.rows.checked_mul(self.behind())?.div_ceil(4);
        self.rows.checked_mul(self.inside())?.checked_add(behind)
    }

    /// Quads of one row.
    pub fn inside(self) -> usize {
        self.row / 4 + usize::from(self.row % 4 == 3)
    }

    /// Elements of one row that stand behind all rows: 0, 1 or 2.
    pub fn behind(self) -> usize {
        if self.row % 4 == 3 { 0 } else { self.row % 4 }
    }

    /// Quad, word and half of element `i` of row `y`.
    pub(super) fn place(self, y: usize, i: usize) -> [usize; 3] {
        match i.checked_sub(self.inside() * 4) {
            None => [y * self.inside() + i / 4, i % 2, i % 4 / 2],
            Some(rest) => {
                let at = y * self.behind() + rest;
                [self.rows * self.inside() + at / 4, at % 4 / 2, at % 2]
            }
        }
    }
}
