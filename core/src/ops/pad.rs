//! Padding with one value around a tensor.
//!
//! `output(i) = input(i - before)` inside, `value` outside; what comes after follows from the output's shape. Scale and zero
//! point stay. Source: TFLite `reference_ops::Pad` (value = zero point) and `PadV2`.

use super::record::Record;
use super::walk::{rows, strides};
use super::{Kernels, Node, Sides};
use crate::LoadError;
use crate::blob::format::MAX_DIMENSION;
use crate::session::{Memory, Open};

/// A padding, ready to run; dimensions are of four (shapes get ones in front).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pad {
    /// Elements before the input's first, 0 to 65,534 in each dimension.
    pub before: [usize; 4],
    /// What stands outside.
    pub value: i8,
}

impl Pad {
    /// Index of the input at index `at` of the output, in dimension `axis` of `length`.
    fn inside(&self, axis: usize, at: usize, length: usize) -> Option<usize> {
        at.checked_sub(*self.before.get(axis)?).filter(|i| *i < length)
    }
}

impl Node<'_> for Pad {
    fn decode(record: &Record<'_, '_>) -> Result<Self, LoadError> {
        record.expect_no_options()?;
        record.expect_unused(0, 5)?;
        let error = LoadError::BadParameter { operator: record.index };
        let &[a, b, c, d, value, ..] = &record.raw.parameters;
        if ![a, b, c, d].iter().all(|v| (0..MAX_DIMENSION as i32).contains(v)) {
            return Err(error);
        }
        Ok(Self { before: [a, b, c, d].map(|v| v as usize), value: i8::try_from(value).map_err(|_| error)? })
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        let (input, output) = (sides.input.extended(), sides.output.extended());
        let fits = self.before.iter().zip(input).zip(output).all(|((before, length), whole)| before + length <= whole);
        if fits { sides.same_quantization(operator) } else { Err(LoadError::ShapeMismatch { operator }) }
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        let Some(Open { inputs: [input], output, .. }) = memory.open([sides.input], sides.output) else { return };
        let shape = sides.input.extended();
        let ([n, h, w, c], [by_n, by_h, by_w, _]) = (shape, strides(shape).map(|s| s as usize));
        let left = self.before[3];
        rows(sides.output.extended(), 1, output, |[i, j, k], row| {
            row.fill(self.value);
            let source = || Some((self.inside(0, i, n)?, self.inside(1, j, h)?, self.inside(2, k, w)?));
            let Some((i, j, k)) = source() else { return };
            let source = input.get(i * by_n + j * by_h + k * by_w..).unwrap_or(&[]);
            row.iter_mut().skip(left).zip(source).take(c).for_each(|(to, from)| *to = *from);
        });
    }
}
