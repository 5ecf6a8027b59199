//! The formula as it is written, in both roundings.

use super::{Cell, GATES};
use crate::blob::{Activation, Rounding};
use crate::ops::recurrent::{matrix::clamp, sum};
use crate::quantized::{Multiplier, fixed16, rounding_divide_by_pot, table16};

/// One step of all units: gates in, hidden and cell state out.
pub fn step(cell: &Cell, zero_point: i32) -> impl FnMut([&[i16]; 2], &mut [i8], &mut [i16]) {
    move |[from_input, from_hidden], hidden, memory| {
        let gates = from_input.as_chunks::<GATES>().0.iter().zip(from_hidden.as_chunks::<GATES>().0);
        for (((x, h), hidden), c) in gates.zip(hidden).zip(memory) {
            let mut gates = [0; GATES];
            gates.iter_mut().zip(x.iter().zip(h)).for_each(|(gate, (x, h))| *gate = sum(*x, *h));
            (*hidden, *c) = unit(cell, zero_point, gates, *c);
        }
    }
}

fn unit(cell: &Cell, zero_point: i32, [i, f, g, o]: [i16; GATES], c: i16) -> (i8, i16) {
    let [i, f, o] = [i, f, o].map(|gate| logistic(cell.rounding, gate));
    let g = tanh(cell.rounding, g, 3);
    let kept = scaled(cell.rounding, i32::from(f) * i32::from(c), 15);
    let added = scaled(cell.rounding, i32::from(i) * i32::from(g), 15 + cell.integer_bits);
    let c = clip(cell.clip, clamp(kept).saturating_add(clamp(added)));
    let product = i32::from(o) * i32::from(tanh(cell.rounding, c, cell.integer_bits));
    (Activation::NONE.clamp(cell.output.apply(product).saturating_add(zero_point)), c)
}

fn clip(most: i16, c: i16) -> i16 {
    if most > 0 { c.min(most).max(-most) } else { c }
}

/// `product / 2^bits`: twice rounded it is a product with 2^(31 - 1) and a division by the rest.
fn scaled(rounding: Rounding, product: i32, bits: u32) -> i32 {
    match rounding {
        Rounding::Double => Multiplier { multiplier: 1 << 30, shift: 1 - bits as i32 }.apply(product),
        Rounding::Single => rounding_divide_by_pot(product, bits),
    }
}

fn logistic(rounding: Rounding, x: i16) -> i16 {
    match rounding {
        Rounding::Double => table16::logistic(x),
        Rounding::Single => fixed16::logistic(x),
    }
}

fn tanh(rounding: Rounding, x: i16, integer_bits: u32) -> i16 {
    let (factor, right) = table16::tanh_scale(integer_bits);
    match rounding {
        Rounding::Double => table16::tanh(x, factor, right),
        Rounding::Single => fixed16::tanh(x, integer_bits),
    }
}
