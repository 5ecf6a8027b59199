//! The cell in few instructions, for double rounding and the usual scales.

use super::{Cell, GATES};
use crate::arch::dsp::cell::scaled_sums;
use crate::blob::{Activation, Rounding};
use crate::quantized::{halved_twice, scale_bounded, table16};

/// Whether [`step`] is right for these numbers: at least three integer bits, and outputs whose zero point fits beside the
/// product of two int16 in its last division.
pub fn suits(cell: &Cell) -> bool {
    cell.rounding == Rounding::Double && cell.integer_bits >= 3 && (-23..=-1).contains(&cell.output.shift)
}

/// One step of all units: gates in, hidden and cell state out.
pub fn step(cell: &Cell, zero_point: i32) -> impl FnMut([&[i16]; 2], &mut [i8], &mut [i16]) {
    let (factor, _) = table16::tanh_scale(cell.integer_bits);
    let most = if cell.clip > 0 { i32::from(cell.clip) } else { i32::from(i16::MAX) };
    let least = -most - i32::from(cell.clip == 0);
    let (bits, multiplier, right) = (15 + cell.integer_bits, cell.output.multiplier, (-cell.output.shift) as u32);
    let rounding = (1i32.wrapping_shl(right) >> 1).wrapping_add(zero_point.wrapping_shl(right));
    let numbers = Numbers { factor, range: [least, most], bits, multiplier, rounding, right };
    move |from, hidden, memory| numbers.step(from, hidden, memory)
}

/// What is the same in every step.
struct Numbers {
    factor: i32,
    range: [i32; 2],
    bits: u32,
    multiplier: i32,
    rounding: i32,
    right: u32,
}

impl Numbers {
    /// Not inlined: between the products, the compiler has too few registers for it.
    #[inline(never)]
    fn step(&self, [from_input, from_hidden]: [&[i16]; 2], hidden: &mut [i8], memory: &mut [i16]) {
        let Self { factor, range: [least, most], bits, multiplier, rounding, right } = *self;
        let gates = from_input.as_chunks::<GATES>().0.iter().zip(from_hidden.as_chunks::<GATES>().0);
        for (((x, h), hidden), c) in gates.zip(hidden).zip(memory) {
            let [i, f, g, o] = scaled_sums(*x, *h, 3);
            let (i, f) = (i32::from(table16::logistic_of(i)), i32::from(table16::logistic_of(f)));
            let (g, o) = (i32::from(table16::tanh_of(g)), i32::from(table16::logistic_of(o)));
            let new = halved_twice(f * i32::from(*c), 15).wrapping_add(halved_twice(i * g, bits));
            let new = new.min(most).max(least);
            *c = new as i16;
            let product = o * i32::from(table16::tanh_of(new.wrapping_mul(factor)));
            *hidden = Activation::NONE.clamp(scale_bounded(product, multiplier, rounding, right));
        }
    }
}
