//! What can be wrong with a blob (found once, at load) and with a session's memory (found once, at the start).

use core::fmt;

use crate::Feature;

macro_rules! errors {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident $({ $($(#[$fdoc:meta])* $field:ident: $type:ty),* })? => $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[non_exhaustive]
        pub enum $name { $(#[doc = $text] $(#[$doc])* $variant $({ $($(#[$fdoc])* $field: $type),* })?,)* }

        impl $name {
            /// The variant's name, for messages that have no room for sentences.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => stringify!($variant),)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant $({ $($field),* })? => {
                        f.write_str($text)?;
                        $($(write!(f, concat!(" (", stringify!($field), " {})"), $field)?;)*)?
                        Ok(())
                    })*
                }
            }
        }

        impl core::error::Error for $name {}
    };
}

errors! {
    /// Why a blob was refused.
    LoadError {
        Misaligned => "the blob does not start at a 16-byte boundary",
        TooShort => "the blob is shorter than its own header and section table",
        BadMagic => "the blob does not start with the letters ACKM",
        UnsupportedVersion { /// What the header states.
            version: u16 } => "the blob has a format version that this program does not read",
        UnknownFlags => "the blob's header has flags or reserved bits that this version does not define",
        WrongLength { /// What the header states.
            stated: u32 } => "the blob's length is not the one its header states",
        BadChecksum => "the blob's CRC-32 does not match its content: it was damaged or cut",
        BadSections => "the section table does not list the known sections in order, adjacent and 16-byte aligned",
        NonZeroPadding => "the padding between sections is not zero",
        TooManyTensors => "the blob has no tensors or more than 256",
        TooManyOperators => "the blob has no operators or more than 256",
        BadRecordSize => "a section's length is not a whole number of its records",
        BadMetadata => "the metadata is not a sequence of UTF-8 keys and values",
        BadEndpoints => "the lists of inputs and outputs are empty, repeated or name no tensor",
        UnknownType { /// Index of the tensor.
            tensor: u16 } => "a tensor has an element type that this version does not know",
        TypeLeftOut { /// Index of the tensor.
            tensor: u16, /// Which.
            feature: Feature } => "an element type was left out of this program when it was built (switch its feature on)",
        BadShape { /// Index of the tensor.
            tensor: u16 } => "a tensor's shape has a wrong rank, a zero or a too large dimension",
        BadQuantization { /// Index of the tensor.
            tensor: u16 } => "a tensor's scale is not positive and finite or its zero point is not an int8",
        OutsideConstants { /// Index of the tensor.
            tensor: u16 } => "a constant tensor is misaligned or reaches beyond the constants",
        OutsideArena { /// Index of the tensor.
            tensor: u16 } => "a tensor is misaligned in the arena or reaches beyond its end",
        NotProduced { /// Index of the tensor.
            tensor: u16 } => "a tensor is neither an input nor produced by an operator",
        ProducedTwice { /// Index of the tensor.
            tensor: u16 } => "a tensor is produced twice, or is an input and produced too",
        LiveOverlap { /// Index of the tensor.
            tensor: u16 } => "a tensor overlaps another that is live at the same time",
        ArenaTooLarge => "the stated arena is beyond 1 GiB or not a multiple of 16 bytes",
        UnknownOperator { /// Index of the operator.
            operator: u16 } => "an operator has a code that this version does not know",
        LeftOut { /// Index of the operator.
            operator: u16, /// Which.
            feature: Feature } => "an operator, or a form of it, was left out of this program when it was built (switch its feature on)",
        BadElementType { /// Index of the operator.
            operator: u16 } => "an operator has a tensor of an element type, or in a place, that it does not work on",
        UnknownOption { /// Index of the operator.
            operator: u16 } => "an operator has a rounding, layout, flag or reserved field that this version does not know",
        BadOperands { /// Index of the operator.
            operator: u16 } => "an operator's inputs and outputs are missing, superfluous or name no tensor",
        OutOfOrder { /// Index of the operator.
            operator: u16 } => "an operator reads a tensor that is produced only later",
        BadParameter { /// Index of the operator.
            operator: u16 } => "an operator's kernel, stride, dilation, padding, group or activation parameter is out of range",
        ShapeMismatch { /// Index of the operator.
            operator: u16 } => "an operator's shapes do not follow from its parameters",
        QuantizationMismatch { /// Index of the operator.
            operator: u16 } => "an operator that keeps values as they are has different scales on its two sides",
        BadConstant { /// Index of the operator.
            operator: u16 } => "an operator's constant is misaligned, out of bounds or of the wrong size",
        BadWeights { /// Index of the operator.
            operator: u16 } => "an operator's weights are no int8, or are not zeros where there are none",
        BadMultiplier { /// Index of the operator.
            operator: u16 } => "a channel's multiplier, shift or rounding constant is out of range",
        AccumulatorOverflow { /// Index of the operator.
            operator: u16 } => "a channel's sum could leave 32 bits",
        NotBounded { /// Index of the operator.
            operator: u16 } => "an operator claims sums below 2^29 and right shifts of 1 to 22, and does not keep to it",
        BadScratch { /// Index of the operator.
            operator: u16 } => "an operator's scratch is too small, misaligned, outside of the arena or over a live tensor",
    }
}

errors! {
    /// Why a session could not start.
    SessionError {
        ArenaTooSmall { /// Bytes the model needs.
            needed: usize, /// Bytes that were given.
            given: usize } => "the arena is smaller than the model needs",
        ArenaMisaligned => "the arena does not start at a 16-byte boundary",
    }
}
