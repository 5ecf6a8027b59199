//! Products of matrices, one for each place of the leading dimensions, which are repeated where they are 1.
//!
//! ```text
//! sum(y, x)    = sum over i of (a(y, i) - a's zero point) * (b(i, x) - b's zero point)
//! output(y, x) = saturate(sum * multiplier + zero point)      rounded twice; multiplier = a's scale * b's scale / output scale
//! ```
//!
//! Either matrix may be stored transposed (adjoint), and either may be constant. Shapes get ones in front up to four
//! dimensions. Source: TFLite `reference_ops::BatchMatMul` for int8.

use super::record::Record;
use super::walk::{Walk, rows, strides};
use super::{Kernels, Node, Sides};
use crate::LoadError;
use crate::blob::{Activation, Tensor};
use crate::quantized::Multiplier;
use crate::session::{Memory, Open};

/// Products of matrices, ready to run; the inputs are a and b.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchMatmul {
    /// Which of them is stored with rows and columns exchanged.
    pub adjoint: [bool; 2],
    /// From sums to the output's scale.
    pub scale: Multiplier,
}

/// A matrix of each place: dimensions (places, rows, columns) and elements from one index to the next.
#[derive(Clone, Copy)]
struct Matrices {
    shape: [usize; 4],
    walk: Walk,
}

impl Matrices {
    fn new(tensor: &Tensor, adjoint: bool) -> Self {
        let ([a, b, c, d], [_, _, k, l]) = (tensor.extended(), strides(tensor.extended()));
        let Walk { start, steps: [i, j, ..] } = Walk::broadcast(tensor.extended());
        if adjoint {
            Self { shape: [a, b, d, c], walk: Walk { start, steps: [i, j, l, k] } }
        } else {
            Self { shape: [a, b, c, d], walk: Walk { start, steps: [i, j, k, l] } }
        }
    }
}

impl BatchMatmul {
    /// The multiplier for these scales, combined as TFLite does it. For hosts.
    #[cfg(any(test, feature = "writer"))]
    pub fn for_scales(adjoint: [bool; 2], inputs: [f32; 2], output: f32) -> Self {
        let real = f64::from(inputs[0] * inputs[1]) / f64::from(output);
        let (multiplier, shift) = crate::quantized::quantize_multiplier(real);
        Self { adjoint, scale: Multiplier { multiplier, shift } }
    }

    fn sides(&self, sides: &Sides<'_>) -> Option<[Matrices; 2]> {
        let [first, second] = self.adjoint;
        Some([Matrices::new(sides.input, first), Matrices::new(sides.others[0]?, second)])
    }
}

impl Node<'_> for BatchMatmul {
    fn decode(record: &Record<'_, '_>) -> Result<Self, LoadError> {
        record.expect_unused(0, 4)?;
        record.expect_no_options()?;
        let adjoint = [record.flag(0)?, record.flag(1)?];
        Ok(Self { adjoint, scale: record.multiplier(2, -31..=14)? })
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        let error = LoadError::ShapeMismatch { operator };
        let [Matrices { shape: [a, b, m, k], .. }, Matrices { shape: [c, d, inner, n], .. }] =
            self.sides(&sides).ok_or(error)?;
        let repeated = |left: usize, right: usize| (left == right || left == 1 || right == 1).then(|| left.max(right));
        let whole = (|| Some([repeated(a, c)?, repeated(b, d)?, m, n]))().ok_or(error)?;
        if k != inner || sides.output.extended() != whole {
            return Err(error);
        }
        let bound = (k as i64 * 255 * 255) << self.scale.shift.max(0);
        if bound <= i64::from(i32::MAX) { Ok(()) } else { Err(LoadError::AccumulatorOverflow { operator }) }
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        let (Some(second), Some([left, right])) = (sides.others[0], self.sides(&sides)) else { return };
        let Some(Open { inputs: [a, b], output, .. }) = memory.open([sides.input, second], sides.output) else {
            return;
        };
        let (zero_a, zero_b, zero_point) = (sides.input.zero_point(), second.zero_point(), sides.output.zero_point());
        let [_, _, _, length] = left.shape;
        let read = |values: &[i8], at: isize| values.get(at as usize).map_or(0, |q| i32::from(*q));
        rows(sides.output.extended(), 1, output, |[i, j, y], row| {
            let (from_a, mut from_b) = (left.walk.row([i, j, y]), right.walk.row([i, j, 0]));
            for value in row {
                let (mut at_a, mut at_b, mut sum) = (from_a, from_b, 0i32);
                for _ in 0..length {
                    let product = (read(a, at_a) - zero_a).wrapping_mul(read(b, at_b) - zero_b);
                    sum = sum.wrapping_add(product);
                    (at_a, at_b) = (at_a + left.walk.steps[3], at_b + right.walk.steps[2]);
                }
                *value = Activation::NONE.clamp(self.scale.apply(sum).saturating_add(zero_point));
                from_b += right.walk.steps[3];
            }
        });
    }

    fn inputs(&self) -> core::ops::RangeInclusive<usize> {
        2..=2
    }

    fn macs(&self, sides: &Sides<'_>) -> u64 {
        let length = self.sides(sides).map_or(0, |[left, _]| left.shape[3]);
        sides.output.elements() as u64 * length as u64
    }
}
