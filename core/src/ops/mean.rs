//! Mean over some dimensions; over height and width it is global average pooling.
//!
//! `output = clamp((sum of input - count * zero point) * multiplier + zero point)`, with the division by the count in the
//! multiplier, `input scale / (output scale * count)`, rounded twice. Source: TFLite `reference_ops::QuantizedMeanOrSum`.

use super::record::Record;
use super::walk::strides;
use super::{Kernels, Node, Sides, parts, parts_mut, pool};
use crate::LoadError;
use crate::arch::dsp::bytes::Taps;
use crate::blob::Activation;
use crate::quantized::Multiplier;
use crate::session::{Memory, Open};

/// Most elements of one mean: sums stay below 2^30.
const MAX_COUNT: usize = 1 << 22;

/// A mean, ready to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mean {
    /// Which of four dimensions (shapes get ones in front) are averaged.
    pub over: [bool; 4],
    /// From sums to the output's scale; its shift is -31 to 0.
    pub scale: Multiplier,
}

impl Mean {
    /// The multiplier for these scales and `count` elements per mean, as TFLite folds the division into it; `None` where
    /// it is not below one. For hosts.
    #[cfg(any(test, feature = "writer"))]
    pub fn for_scales(over: [bool; 4], input: f32, output: f32, count: usize) -> Option<Self> {
        let (multiplier, shift) = crate::quantized::quantize_multiplier(f64::from(input) / f64::from(output));
        let count = count as i64;
        let up = (63 - i64::from(count.leading_zeros()) as i32).min(32).min(31 + shift);
        let multiplier = ((i64::from(multiplier) << up) / count) as i32;
        let shift = shift - up;
        (shift <= 0 && count <= MAX_COUNT as i64).then_some(Self { over, scale: Multiplier { multiplier, shift } })
    }

    /// The input's shape with 1 for the averaged dimensions, and with 1 for all others.
    fn split(&self, shape: [usize; 4]) -> [[usize; 4]; 2] {
        let [mut kept, mut averaged] = [shape, shape];
        for ((kept, averaged), over) in kept.iter_mut().zip(&mut averaged).zip(self.over) {
            *(if over { kept } else { averaged }) = 1;
        }
        [kept, averaged]
    }
}

impl Node<'_> for Mean {
    fn decode(record: &Record<'_, '_>) -> Result<Self, LoadError> {
        record.expect_no_options()?;
        record.expect_unused(0, 6)?;
        let over = [record.flag(0)?, record.flag(1)?, record.flag(2)?, record.flag(3)?];
        Ok(Self { over, scale: record.multiplier(4, -31..=0)? })
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        let [kept, averaged] = self.split(sides.input.extended());
        let fits = kept.iter().product::<usize>() == sides.output.elements();
        if fits && averaged.iter().product::<usize>() <= MAX_COUNT {
            Ok(())
        } else {
            Err(LoadError::ShapeMismatch { operator })
        }
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        let Some(Open { inputs: [input], output, .. }) = memory.open([sides.input], sides.output) else { return };
        let steps = strides(sides.input.extended()).map(|step| step as usize);
        let [kept, averaged] = self.split(sides.input.extended());
        let zeros = averaged.iter().product::<usize>() as i32 * sides.input.zero_point();
        let finish =
            |sum: i32| Activation::NONE.clamp(self.scale.apply(sum - zeros).saturating_add(sides.output.zero_point()));
        if let ([_, h, w, c], [false, true, true, false]) = (sides.input.extended(), self.over) {
            let taps = Taps { columns: w, step: c, rows: h, line: w * c };
            let single = |source: &[i8], taps: &_| pool::fold(source, taps, 0, |sum, q| sum + q);
            for (image, pixel) in parts(input, h * w * c).zip(parts_mut(output, c)) {
                pool::each_channel(image, &taps, pixel, K::window_sums, single, finish);
            }
            return;
        }
        let mut outputs = output.iter_mut();
        places(kept, steps, |start| {
            let mut sum = 0i32;
            places(averaged, steps, |at| sum += input.get(start + at).map_or(0, |q| i32::from(*q)));
            if let Some(output) = outputs.next() {
                *output = finish(sum);
            }
        });
    }
}

/// The places of a box of `shape` in a tensor with these steps, outermost dimension first.
fn places([a, b, c, d]: [usize; 4], steps: [usize; 4], mut f: impl FnMut(usize)) {
    for i in 0..a {
        for j in 0..b {
            for k in 0..c {
                for l in 0..d {
                    f(i * steps[0] + j * steps[1] + k * steps[2] + l * steps[3]);
                }
            }
        }
    }
}
