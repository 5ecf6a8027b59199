//! Copies of input into columns (im2col), 16 bytes at a time.

/// Rows `line` apart, of `row` bytes each, one after the other into `column`, as many as fit there. False, and nothing done,
/// when `source` does not hold them.
#[inline(always)]
pub fn rows(source: &[i8], line: usize, row: usize, column: &mut [i8]) -> bool {
    let Some(rows) = column.len().checked_div(row).filter(|rows| *rows > 0) else { return false };
    let reach = (rows - 1).checked_mul(line).and_then(|last| last.checked_add(row));
    if reach.is_none_or(|reach| reach > source.len()) {
        return false;
    }
    #[cfg(simd_mve)]
    super::gather_asm::rows(source, line, row, rows, column);
    #[cfg(not(simd_mve))]
    for (row, from) in column.chunks_exact_mut(row).zip(source.chunks(line.max(1))) {
        copy(from, row);
    }
    true
}

/// As many bytes as both have.
#[inline(always)]
pub fn copy(source: &[i8], to: &mut [i8]) {
    #[cfg(simd_mve)]
    super::gather_asm::copy(source, to);
    #[cfg(target_arch = "aarch64")]
    crate::arch::neon::copy::copy(source, to);
    #[cfg(not(any(simd_mve, target_arch = "aarch64")))]
    to.iter_mut().zip(source).for_each(|(to, from)| *to = *from);
}

/// `value` everywhere.
#[inline(always)]
pub fn fill(to: &mut [i8], value: i8) {
    #[cfg(simd_mve)]
    super::gather_asm::fill(to, value);
    #[cfg(not(simd_mve))]
    to.iter_mut().for_each(|to| *to = value);
}
