//! The cell in few instructions, for double rounding.

use super::{Cell, GATES};
use crate::blob::Activation;
use crate::ops::recurrent::{matrix::clamp, sum};
use crate::quantized::{halved_twice, table16};

/// One step of all units: gates in, hidden and cell state out.
pub fn step(cell: &Cell, zero_point: i32) -> impl FnMut([&[i16]; 2], &mut [i8], &mut [i16]) {
    let (factor, right) = table16::tanh_scale(cell.integer_bits);
    let most = if cell.clip > 0 { cell.clip } else { i16::MAX };
    let least = if cell.clip > 0 { -cell.clip } else { i16::MIN };
    let (bits, output) = (15 + cell.integer_bits, cell.output.apply_short());
    move |[from_input, from_hidden], hidden, memory| {
        let gates = from_input.as_chunks::<GATES>().0.iter().zip(from_hidden.as_chunks::<GATES>().0);
        let logistic = |x, h| i32::from(table16::logistic(sum(x, h)));
        for (((&[xi, xf, xg, xo], &[hi, hf, hg, ho]), hidden), c) in gates.zip(hidden).zip(memory) {
            let (i, f, o) = (logistic(xi, hi), logistic(xf, hf), logistic(xo, ho));
            let g = i32::from(table16::tanh(sum(xg, hg), 3, 0));
            let new = halved_twice(f * i32::from(*c), 15).wrapping_add(halved_twice(i * g, bits));
            *c = clamp(new).min(most).max(least);
            let product = o * i32::from(table16::tanh(*c, factor, right));
            *hidden = Activation::NONE.clamp(output(product).wrapping_add(zero_point));
        }
    }
}
