//! Parts of this crate that an image can do without, each with a cargo feature.

use core::fmt;

use crate::blob::{Element, Layout};
use crate::ops::Opcode;

/// A part that has its own cargo feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// An operator.
    Operator(Opcode),
    /// The kernels of an order of weights.
    Layout(Layout),
    /// Tensors of an element type.
    Element(Element),
    /// Operators whose sums or factors are beyond the short requantization.
    Unbounded,
    /// Depthwise convolutions in planes, for windows that strips are not made for.
    Planes,
}

impl Feature {
    /// The cargo feature.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operator(opcode) => opcode.name(),
            Self::Layout(layout) => layout.feature(),
            Self::Element(element) => element.feature(),
            Self::Unbounded => "unbounded",
            Self::Planes => "planes",
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Feature {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=str}", self.name());
    }
}
