//! Matrix products: the one door to the `gemm` crate.
//!
//! Always on the calling thread; parallel operators split their work into pieces that do not depend on the number of
//! threads and call this from each, so results are the same bytes for any number of threads.

use super::Real;

/// A matrix as a strided view of a slice: element (r, c) is `data[r * row_stride + c * col_stride]`.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a, T> {
    data: &'a [T],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// A row-major matrix: the first `rows * cols` elements of `data`.
    pub fn new(data: &'a [T], rows: usize, cols: usize) -> Self {
        Self { data, rows, cols, row_stride: cols, col_stride: 1 }
    }

    /// The same numbers, transposed.
    pub fn t(self) -> Self {
        Self { rows: self.cols, cols: self.rows, row_stride: self.col_stride, col_stride: self.row_stride, ..self }
    }

    /// Rows `first .. first + count`.
    ///
    /// # Panics
    /// When there are not that many.
    pub fn rows(self, first: usize, count: usize) -> Self {
        assert!(first + count <= self.rows, "rows of a matrix");
        Self { data: &self.data[first * self.row_stride..], rows: count, ..self }
    }

    /// Elements from the first to the last one this view can touch, both included.
    fn extent(&self) -> usize {
        if self.rows == 0 || self.cols == 0 {
            return 0;
        }
        (self.rows - 1) * self.row_stride + (self.cols - 1) * self.col_stride + 1
    }
}

/// `out = a b`, or `out += a b` with `accumulate`; `out` is row-major `a.rows x b.cols`.
///
/// # Panics
/// When the inner dimensions differ or a slice is shorter than its matrix.
pub fn product<T: Real>(out: &mut [T], a: Matrix<'_, T>, b: Matrix<'_, T>, accumulate: bool) {
    let (m, k, n) = (a.rows, a.cols, b.cols);
    assert_eq!(k, b.rows, "inner dimensions of a matrix product");
    assert!(a.extent() <= a.data.len() && b.extent() <= b.data.len(), "operand of a matrix product too short");
    assert_eq!(out.len(), m * n, "result of a matrix product");
    if m == 0 || n == 0 {
        return;
    }
    let alpha = if accumulate { T::ONE } else { T::ZERO };
    // SAFETY: the three pointers come from live slices, and the asserts above bound every element that the strides can
    // reach (an extent is the largest index plus one, strides are not negative). `out` is a unique borrow and
    // row-major without overlap. `Real` is implemented for `f32` and `f64` only, which `gemm` supports.
    #[allow(unsafe_code)]
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            accumulate,
            a.data.as_ptr(),
            a.col_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.col_stride as isize,
            b.row_stride as isize,
            alpha,
            T::ONE,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
