//! Products of a few rows with a matrix that is packed once and used often.

use super::columns::Columns;
use super::correlate::{Axis, Correlate, Places, Windows};
use super::dispatch::dispatch;
use super::pack::Pack;
use crate::graph::Real;

/// Two vectors of columns leave registers for eight rows: blocks that sixteen rows fill.
const FEW_ROWS: usize = 2;

/// Elements of a packed matrix.
pub fn packed_elements(rows: usize, columns: usize) -> usize {
    rows * Columns::padded(columns)
}

/// Packs the matrix `value(row, column)` for [`rows_times`].
pub fn pack_matrix<T: Real>(rows: usize, columns: usize, value: impl Fn(usize, usize) -> T, packed: &mut [T]) {
    dispatch(Pack { taps: rows, columns, vectors: FEW_ROWS, value, packed });
}

/// `out [rows, columns] += a [rows, depth] packed [depth, columns]`, or `=` without `accumulate`.
pub fn rows_times<T: Real>(out: &mut [T], a: &[T], [depth, columns]: [usize; 2], packed: &[T], accumulate: bool) {
    let rows = a.len() / depth;
    let axis = |outputs: usize| Axis { outputs, stride: 1, taps: 1, dilation: 1 };
    dispatch(Correlate {
        windows: Windows { rows: axis(1), cols: axis(rows), line: a.len(), channels: depth },
        columns,
        source: a,
        packed,
        bias: None,
        places: Places { first: 0, row: 0, col: columns },
        accumulate,
        vectors: FEW_ROWS,
        out,
    });
}
