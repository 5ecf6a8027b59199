//! A matrix times a vector, int8 to int16: what the gates of a recurrent operator are made of.

use crate::LoadError;
use crate::arch::dsp::rows;
use crate::blob::Layout;
use crate::quantized::{self, BOUND};

/// Constants of four rows, 64 bytes: what one pass over the vector needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Rows {
    /// Biases with the vector's zero point folded in: `bias - zero point * sum(weights)`; twice that in a bounded matrix of
    /// the DSP layout.
    pub bias: [i32; 4],
    /// From sums to int16.
    pub scale: [RowScale; 4],
}

/// How the sum of one row becomes int16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct RowScale {
    /// 31 fractional bits, >= 0.
    pub multiplier: i32,
    /// `1 << (right - 1)` with `right` in 1 to 22, else 0.
    pub rounding: i32,
    /// Power of two by which is divided, -30 to 31.
    pub right: i32,
}

impl RowScale {
    /// `multiplier * 2^(shift - 31)`.
    pub const fn new(multiplier: i32, shift: i32) -> Self {
        Self { multiplier, rounding: quantized::rounding_constant(shift, 0), right: -shift }
    }

    /// `sum` to int16 by the specification.
    #[inline]
    pub fn apply(&self, sum: i32) -> i16 {
        clamp(quantized::multiply_by_quantized_multiplier(sum, self.multiplier, self.right.wrapping_neg()))
    }

    /// The same in few instructions, for a bounded matrix.
    #[inline(always)]
    pub(crate) fn apply_short(&self, sum: i32) -> i16 {
        clamp(quantized::scale_bounded(sum, self.multiplier, self.rounding, self.right as u32))
    }

    fn verify(&self, bias: i32, columns: usize, bounded: bool, operator: u16) -> Result<(), LoadError> {
        let Self { multiplier, rounding, right } = *self;
        let in_range = multiplier >= 0 && (-30..=31).contains(&right);
        if !in_range || rounding != quantized::rounding_constant(-right, 0) {
            return Err(LoadError::BadMultiplier { operator });
        }
        let bound = quantized::sum_bound(bias, columns);
        if bound.checked_mul(1 << (-right).max(0)).is_none_or(|shifted| shifted > i64::from(i32::MAX)) {
            return Err(LoadError::AccumulatorOverflow { operator });
        }
        if bounded && (bound >= BOUND || !quantized::is_bounded_shift(-right)) {
            return Err(LoadError::NotBounded { operator });
        }
        Ok(())
    }
}

/// The nearest int16.
#[inline(always)]
pub(crate) fn clamp(value: i32) -> i16 {
    value.min(i32::from(i16::MAX)).max(i32::from(i16::MIN)) as i16
}

/// A matrix, ready to run. It has a multiple of four rows; those that an operator has no use for are zeros.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'m> {
    /// Length of the vector.
    pub columns: usize,
    /// Weights: int8 row by row, or int16 in the order of the DSP layout (`index`).
    pub weights: &'m [i8],
    /// Four rows each.
    pub rows: &'m [Rows],
    /// Order of the weights.
    pub layout: Layout,
    /// Whether the short requantization is exact for every row and vector.
    pub bounded: bool,
}

impl Matrix<'_> {
    /// Sizes were checked by the operator; checks the numbers.
    pub(crate) fn verify(&self, operator: u16) -> Result<(), LoadError> {
        let each = |rows: &Rows| {
            let mut pairs = rows.bias.iter().zip(&rows.scale);
            let even = !self.doubled() || rows.bias.iter().all(|bias| bias % 2 == 0);
            if !even {
                return Err(LoadError::BadConstant { operator });
            }
            pairs.try_for_each(|(bias, scale)| scale.verify(self.bias(*bias), self.columns, self.bounded, operator))
        };
        let narrow = || bytemuck::try_cast_slice(self.weights).is_ok_and(rows::are_int8);
        if self.layout == Layout::Dsp && !narrow() {
            return Err(LoadError::BadConstant { operator });
        }
        self.rows.iter().try_for_each(each)
    }

    /// [`Matrix::bounded`], known to the compiler where the image has no operators that are not.
    #[inline(always)]
    pub(crate) fn is_bounded(&self) -> bool {
        self.bounded || !cfg!(feature = "unbounded")
    }

    fn doubled(&self) -> bool {
        self.bounded && self.layout == Layout::Dsp
    }

    /// The bias that a row's record stands for.
    pub(crate) fn bias(&self, recorded: i32) -> i32 {
        if self.doubled() { recorded >> 1 } else { recorded }
    }

    /// The weight of `row` and `column`.
    pub(crate) fn weight(&self, row: usize, column: usize) -> i8 {
        self.weights.get(index(self.layout, self.columns, row, column)).copied().unwrap_or(0)
    }

    /// Whether no weight but those of the first `rows` rows is set; that all are int8 is known.
    pub(crate) fn is_clean(&self, rows: usize) -> bool {
        let step = if self.layout == Layout::Dsp { 2 } else { 1 };
        let set = self.weights.iter().step_by(step).filter(|weight| **weight != 0).count();
        let places = (0..rows).flat_map(|row| (0..self.columns).map(move |column| (row, column)));
        set == places.filter(|(row, column)| self.weight(*row, *column) != 0).count()
    }

    /// A sum to int16, by the short form where it is exact.
    #[inline(always)]
    pub(crate) fn finish(&self, scale: &RowScale, sum: i32) -> i16 {
        if self.is_bounded() { scale.apply_short(sum) } else { scale.apply(sum) }
    }
}

/// Bytes of the weights of `blocks` blocks of four rows.
pub(crate) fn weight_bytes(layout: Layout, blocks: usize, columns: usize) -> Option<usize> {
    match layout {
        Layout::Dsp => blocks.checked_mul(4)?.checked_mul(columns.checked_next_multiple_of(4)?)?.checked_mul(2),
        _ => blocks.checked_mul(4)?.checked_mul(columns),
    }
}

/// Where the (low) byte of a weight is. DSP layout: blocks of four rows; per block and four columns (padded with zeros) columns 0
/// and 2 of each row, then 1 and 3 of each, as int16.
pub(crate) fn index(layout: Layout, columns: usize, row: usize, column: usize) -> usize {
    match layout {
        Layout::Dsp => {
            let quad = row / 4 * columns.div_ceil(4) + column / 4;
            ((quad * 2 + column % 2) * 4 + row % 4) * 4 + column % 4 / 2 * 2
        }
        _ => row * columns + column,
    }
}
