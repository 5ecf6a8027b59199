//! Blocks on int8 as it lies in memory: sums by table, windows of four channels, clamps.

use crate::Pair;
use crate::blob::{Activation, Channel};

/// Two functions of one int8 each: the results for 0 to 127, then for -128 to -1.
pub type Tables = [[i32; 256]; 2];

/// `output = first(a) + second(b)`, requantized as a doubled sum ([`crate::quantized::requantize_doubled_bounded`]), clamped to int8;
/// perhaps in place. 10.5 instructions per element.
#[inline]
pub fn add(data: &mut Pair<'_>, tables: &Tables, channel: &Channel) {
    #[cfg(simd_dsp)]
    super::bytes_asm::add(data, tables, channel);
    #[cfg(not(simd_dsp))]
    data.pieces(|[a, b], output| {
        for ((a, b), y) in a.iter().zip(b).zip(output) {
            let sum = tables[0][usize::from(*a as u8)].wrapping_add(tables[1][usize::from(*b as u8)]);
            *y = Activation::NONE.clamp(crate::quantized::requantize_doubled_bounded(sum, channel));
        }
    });
}

/// Clamps all values: 8 instructions for four.
#[inline]
pub fn clamp(activation: Activation, values: &mut [i8]) {
    let rest = values.len() & !3;
    #[cfg(simd_dsp)]
    super::bytes_asm::clamp(activation, values.get_mut(..rest).unwrap_or(&mut []));
    #[cfg(not(simd_dsp))]
    values.iter_mut().take(rest).for_each(|value| *value = activation.clamp(i32::from(*value)));
    for value in values.iter_mut().skip(rest) {
        *value = activation.clamp(i32::from(*value));
    }
}

/// A window over pixels.
#[derive(Debug, Clone, Copy)]
pub struct Taps {
    /// Pixels of a row, 1 or more.
    pub columns: usize,
    /// Bytes from pixel to pixel.
    pub step: usize,
    /// Rows, 1 or more.
    pub rows: usize,
    /// Bytes from row to row.
    pub line: usize,
}

/// Most taps whose sum fits into 16 bits.
const MAX_TAPS: usize = 256;

impl Taps {
    /// Whether four bytes can be read at all taps.
    fn fits(&self, source: &[i8]) -> bool {
        let reach = || {
            let last = self.columns.checked_sub(1)?.checked_mul(self.step)?;
            self.rows.checked_sub(1)?.checked_mul(self.line)?.checked_add(last)?.checked_add(4)
        };
        reach().is_some_and(|reach| reach <= source.len())
    }

    /// Rows that lie one behind the other as one.
    fn joined(self) -> Self {
        let whole = self.columns.checked_mul(self.step) == Some(self.line);
        if whole { Self { columns: self.columns.saturating_mul(self.rows), rows: 1, ..self } } else { self }
    }
}

/// Sums of the first four bytes at all taps; zeros when `source` is too short. 1.5 instructions per byte.
#[inline]
pub fn sums(source: &[i8], taps: &Taps) -> [i32; 4] {
    let mut sums = [0; 4];
    if !taps.fits(source) {
        return sums;
    }
    let taps = taps.joined();
    let (columns, rows) = (taps.columns.min(MAX_TAPS), (MAX_TAPS / taps.columns.clamp(1, MAX_TAPS)).max(1));
    for y in (0..taps.rows).step_by(rows) {
        for x in (0..taps.columns).step_by(columns.max(1)) {
            let part = Taps { columns: columns.min(taps.columns - x), rows: rows.min(taps.rows - y), ..taps };
            let Some(source) = source.get(y * taps.line + x * taps.step..) else { return sums };
            let [even, odd] = short_sums(source, &part);
            let part = [even as i16, odd as i16, (even >> 16) as i16, (odd >> 16) as i16];
            sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += i32::from(part));
        }
    }
    sums
}

/// Sums of at most [`MAX_TAPS`] taps: bytes 0 and 2, then 1 and 3.
#[inline(always)]
fn short_sums(source: &[i8], taps: &Taps) -> [u32; 2] {
    #[cfg(simd_dsp)]
    return super::bytes_asm::sums(source, taps);
    #[cfg(not(simd_dsp))]
    {
        let sums = emulated(source, taps, 0i16, |sum, q| sum.wrapping_add(i16::from(q)));
        [super::halves(sums[0], sums[2]), super::halves(sums[1], sums[3])]
    }
}

/// Largest of the first four bytes at all taps; -128 when `source` is too short. 1.5 instructions per byte.
#[inline]
pub fn maxima(source: &[i8], taps: &Taps) -> [i8; 4] {
    if !taps.fits(source) {
        return [i8::MIN; 4];
    }
    #[cfg(simd_dsp)]
    return super::bytes_asm::maxima(source, &taps.joined());
    #[cfg(not(simd_dsp))]
    return emulated(source, &taps.joined(), i8::MIN, i8::max);
}

#[cfg(not(simd_dsp))]
fn emulated<T: Copy>(source: &[i8], taps: &Taps, start: T, f: impl Fn(T, i8) -> T) -> [T; 4] {
    let mut folded = [start; 4];
    for at in (0..taps.rows).flat_map(|y| (0..taps.columns).map(move |x| y * taps.line + x * taps.step)) {
        let bytes = source.get(at..).and_then(|rest| rest.first_chunk::<4>()).unwrap_or(&[0; 4]);
        folded.iter_mut().zip(bytes).for_each(|(folded, q)| *folded = f(*folded, *q));
    }
    folded
}
