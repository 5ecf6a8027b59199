//! Copies of input into columns (im2col), 16 bytes at a time.

/// `rows` rows, `line` apart and of `row` bytes each, one after the other into `column`; what follows them there may be
/// overwritten. Does nothing when the slices do not hold them.
#[inline(always)]
pub fn rows(source: &[i8], line: usize, row: usize, rows: usize, column: &mut [i8]) {
    let Some(last) = rows.checked_sub(1) else { return };
    let reach = |step: usize, length: usize| last.saturating_mul(step).saturating_add(length);
    if row == 0 || reach(line, row) > source.len() || reach(row, row) > column.len() {
        return;
    }
    #[cfg(simd_mve)]
    if row <= 16 && reach(line, 16) <= source.len() && reach(row, 16) <= column.len() {
        super::gather_asm::short_rows(source, line, row, rows, column);
    } else {
        super::gather_asm::rows(source, line, row, rows, column);
    }
    #[cfg(not(simd_mve))]
    for (row, from) in column.chunks_exact_mut(row).zip(source.chunks(line.max(1))).take(rows) {
        copy(from, row);
    }
}

/// As many bytes as both have, in as many instructions wherever they begin (a `memcpy` looks at that).
#[inline(always)]
pub fn copy(source: &[i8], to: &mut [i8]) {
    #[cfg(simd_mve)]
    super::gather_asm::copy(source, to);
    #[cfg(target_arch = "aarch64")]
    crate::arch::neon::copy::copy(source, to);
    #[cfg(not(any(simd_mve, target_arch = "aarch64")))]
    crate::arch::dsp::blocks::copy(source, to);
}

/// `value` everywhere.
#[inline(always)]
pub fn fill(to: &mut [i8], value: i8) {
    #[cfg(simd_mve)]
    super::gather_asm::fill(to, value);
    #[cfg(not(simd_mve))]
    to.iter_mut().for_each(|to| *to = value);
}
