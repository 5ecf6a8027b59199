//! Sums of two tensors.

use super::{Isa, Level, avx2, vnni};
use crate::ops::Add;

/// `output = a + b`, each with its zero point: of the inputs, then of the output. All three have one length.
pub fn run(isa: Isa, add: &Add, zero_points: [i32; 3], [a, b]: [&[i8]; 2], output: &mut [i8]) {
    match isa.0 {
        // SAFETY: an `Isa` of this level exists only where the CPU has the instructions.
        #[allow(unsafe_code)]
        Level::Vnni => unsafe { vnni::add::run(add, zero_points, [a, b], output) },
        // SAFETY: as above.
        #[allow(unsafe_code)]
        Level::Avx2 => unsafe { avx2::add::run(add, zero_points, [a, b], output) },
    }
}
