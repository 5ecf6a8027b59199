//! Requantize: the same numbers in another scale or element type.
//!
//! `output = clamp((input - zero point) * multiplier + zero point)`, multiplier = `input scale / output scale`, rounded twice.
//! Between int16 tensors it is ReLU and any clamp as well. Between int8 tensors a table ([`super::Lut`]) does it. Source: TFLite `reference_ops::Requantize`.

use super::record::Record;
use super::{Kernels, Node, Sides, parts, parts_mut};
use crate::LoadError;
use crate::blob::Element;
use crate::quantized::Multiplier;
use crate::session::{Memory, Open};

/// A change of scale, ready to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requantize {
    /// `input scale / output scale`.
    pub scale: Multiplier,
    /// Smallest and largest output; beyond the output's element it does not matter.
    pub range: [i32; 2],
}

impl Requantize {
    /// The range of no activation.
    pub const ALL: [i32; 2] = [i32::MIN, i32::MAX];

    /// The multiplier for these scales; the loader refuses what would overflow. For hosts.
    #[cfg(any(test, feature = "writer"))]
    pub fn for_scales(input: f32, output: f32) -> Self {
        let (multiplier, shift) = crate::quantized::quantize_multiplier(f64::from(input) / f64::from(output));
        Self { scale: Multiplier { multiplier, shift }, range: Self::ALL }
    }
}

/// Largest shift to the left that no difference from a zero point overflows.
const fn max_shift(element: Element) -> i32 {
    match element {
        Element::Int8 => 22,
        Element::Int16 => 14,
        Element::Int32 => 0,
    }
}

impl Node<'_> for Requantize {
    const ELEMENTS: &'static [Element] = Element::ALL;

    fn decode(record: &Record<'_, '_>) -> Result<Self, LoadError> {
        record.expect_no_options()?;
        record.expect_unused(0, 4)?;
        let &[_, _, low, high, ..] = &record.raw.parameters;
        if low > high {
            return Err(LoadError::BadParameter { operator: record.index });
        }
        Ok(Self { scale: record.multiplier(0, -31..=22)?, range: [low, high] })
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        if sides.input.shape() != sides.output.shape() {
            return Err(LoadError::ShapeMismatch { operator });
        }
        let fits = self.scale.shift <= max_shift(sides.input.element());
        if fits { Ok(()) } else { Err(LoadError::BadMultiplier { operator }) }
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        let Some(Open { inputs: [input], output, .. }) = memory.open([sides.input], sides.output) else { return };
        let (from, to) = (sides.input.element(), sides.output.element());
        let (zero_x, zero_y) = (sides.input.zero_point(), sides.output.zero_point());
        for (x, y) in parts(input, from.bytes()).zip(parts_mut(output, to.bytes())) {
            let scaled = self.scale.apply(read(x) - zero_x).saturating_add(zero_y);
            write(y, scaled.min(self.range[1]).max(self.range[0]));
        }
    }

    fn accepts(&self, _: &Sides<'_>) -> bool {
        true
    }
}

/// A little-endian element.
fn read(bytes: &[i8]) -> i32 {
    match *bytes {
        [a] => i32::from(a),
        [a, b] => i32::from(i16::from_le_bytes([a as u8, b as u8])),
        [a, b, c, d] => i32::from_le_bytes([a as u8, b as u8, c as u8, d as u8]),
        _ => 0,
    }
}

/// The nearest value of the element's type, little-endian.
fn write(bytes: &mut [i8], value: i32) {
    let bits = 8 * bytes.len().min(4) as u32;
    let largest = (1i64 << (bits.max(1) - 1)) - 1;
    let value = i64::from(value).min(largest).max(-largest - 1) as i32;
    for (byte, from) in bytes.iter_mut().zip(value.to_le_bytes()) {
        *byte = from as i8;
    }
}
