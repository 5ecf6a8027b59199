//! Transpose: dimensions in another order.
//!
//! Dimension d of the output is dimension `order[d]` of the input. Scale and zero point stay; any element type. Shapes get
//! ones in front up to four dimensions. Source: TFLite `reference_ops::Transpose`.

use super::record::Record;
use super::walk::{Walk, strides};
use super::{Kernels, Node, Sides};
use crate::LoadError;
use crate::blob::Element;
use crate::session::{Memory, Open};

/// A transposition, ready to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transpose {
    /// The numbers 0 to 3, each once.
    pub order: [usize; 4],
}

impl Transpose {
    /// What belongs to the input's dimensions, in the output's order.
    fn ordered<T: Copy + Default>(&self, of_input: [T; 4]) -> [T; 4] {
        self.order.map(|d| of_input.get(d).copied().unwrap_or_default())
    }
}

impl Node<'_> for Transpose {
    const ELEMENTS: &'static [Element] = Element::ALL;

    fn decode(record: &Record<'_, '_>) -> Result<Self, LoadError> {
        record.expect_no_options()?;
        record.expect_unused(0, 4)?;
        let order = [record.axis(0)?, record.axis(1)?, record.axis(2)?, record.axis(3)?];
        if (0..4).all(|d| order.contains(&d)) {
            Ok(Self { order })
        } else {
            Err(LoadError::BadParameter { operator: record.index })
        }
    }

    fn verify(&self, sides: Sides<'_>, operator: u16) -> Result<(), LoadError> {
        if self.ordered(sides.input.extended()) != sides.output.extended() {
            return Err(LoadError::ShapeMismatch { operator });
        }
        sides.same_quantization(operator)
    }

    fn run<K: Kernels>(&self, sides: Sides<'_>, memory: Memory<'_>) {
        let Some(Open { inputs: [input], output, .. }) = memory.open([sides.input], sides.output) else { return };
        let walk = Walk { start: 0, steps: self.ordered(strides(sides.input.extended())) };
        walk.copy(sides.output.extended(), sides.input.element().bytes(), input, output);
    }
}
