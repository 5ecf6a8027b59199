//! The records of a blob, byte for byte, as `docs/blob-format.md` describes them.

use bytemuck::{Pod, Zeroable};

/// First four bytes of every blob.
pub const MAGIC: [u8; 4] = *b"ACKM";
/// The version of the format that this crate reads and writes.
pub const VERSION: u16 = 2;
/// Most tensors, and most operators, of one blob.
pub const MAX_RECORDS: usize = 256;
/// Largest dimension of a tensor.
pub const MAX_DIMENSION: u32 = 65_535;
/// Largest kernel, stride, dilation and padding.
pub const MAX_WINDOW: i32 = 4095;
/// Largest arena: 1 GiB.
pub const MAX_ARENA: u32 = 1 << 30;
/// Most tensors that one operator reads.
pub const MAX_INPUTS: usize = 8;
/// In a list of operands: no tensor.
pub const NO_TENSOR: u16 = u16::MAX;
/// Operator flag: every possible sum of every channel is below 2^29 in magnitude and every right shift is 1 to 22,
/// so the short requantization is exact.
pub const FLAG_BOUNDED: u8 = 1;
/// Operator flag of general convolutions: two weights share a byte.
pub const FLAG_INT4: u8 = 2;
/// Operator flag of general convolutions: transposed.
pub const FLAG_TRANSPOSED: u8 = 4;
/// Operator flag: no weight is -128.
pub const FLAG_NARROW: u8 = 8;

/// CRC-32 of a blob: CRC-32/ISO-HDLC (the one of zip and Ethernet) over the bytes from 16 to the end.
pub const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);

/// Kinds of sections, in the order they stand in a blob. The last is optional.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum SectionKind {
    /// [`Tensor`] records.
    Tensors = 1,
    /// [`OperatorRecord`]s, in the order they run.
    Operators = 2,
    /// Which tensors are the network's inputs and outputs.
    Endpoints = 3,
    /// Weights, channel records, tables.
    Constants = 4,
    /// UTF-8 keys and values.
    Metadata = 5,
    /// 64 bytes of Ed25519 signature.
    Signature = 6,
}

/// The first 32 bytes.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Header {
    /// [`MAGIC`].
    pub magic: [u8; 4],
    /// [`VERSION`].
    pub version: u16,
    /// None defined yet: 0.
    pub flags: u16,
    /// Length of the whole blob, a multiple of 16.
    pub total_bytes: u32,
    /// [`CRC`] of bytes 16 to the end.
    pub crc32: u32,
    /// Arena the network needs, a multiple of 16.
    pub arena_bytes: u32,
    /// Entries of the section table, which follows the header.
    pub sections: u32,
    /// 0.
    pub reserved: [u32; 2],
}

/// One entry of the section table.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Section {
    /// A [`SectionKind`].
    pub kind: u32,
    /// Start, from the beginning of the blob; a multiple of 16.
    pub offset: u32,
    /// Length without the padding.
    pub bytes: u32,
    /// 0.
    pub reserved: u32,
}

/// One tensor: what it looks like, what its numbers mean and where it lives while it is needed.
///
/// A value q stands for the real number `scale * (q - zero_point)`.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Tensor {
    /// An [`Element`].
    pub(crate) element: u8,
    pub(crate) rank: u8,
    /// A [`Place`].
    pub(crate) place: u8,
    pub(crate) reserved: u8,
    pub(crate) dimensions: [u32; 4],
    pub(crate) scale: f32,
    pub(crate) zero_point: i32,
    /// In the arena, or in the constants section.
    pub(crate) offset: u32,
}

/// What one element of a tensor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Element {
    /// Most tensors.
    #[default]
    Int8 = 1,
    /// Activations of 16-bit networks, cell states; zero point 0.
    Int16 = 2,
    /// Indices; zero point 0.
    Int32 = 3,
}

impl Element {
    /// Every type.
    pub const ALL: &[Self] = &[Self::Int8, Self::Int16, Self::Int32];

    /// The types of activations.
    pub const ACTIVATIONS: &[Self] = &[Self::Int8, Self::Int16];

    /// Size of one.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Int8 => 1,
            Self::Int16 => 2,
            Self::Int32 => 4,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|element| *element as u8 == code)
    }

    /// The cargo feature without which tensors of this type are refused; int8 needs none.
    pub const fn feature(self) -> &'static str {
        match self {
            Self::Int8 => "",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
        }
    }

    /// This type, where it is built.
    #[inline(always)]
    pub(crate) const fn built(self) -> Option<Self> {
        match self {
            Self::Int16 if !cfg!(feature = "int16") => None,
            Self::Int32 if !cfg!(feature = "int32") => None,
            built => Some(built),
        }
    }
}

/// Where a tensor lives, and so how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Place {
    /// In the arena from the operator that writes it to the last that reads it.
    #[default]
    Arena = 0,
    /// In the blob: read only.
    Constant = 1,
    /// In the arena for good: kept from run to run, the zero point at first. Operators with memory read and write it.
    State = 2,
}

impl Place {
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Arena),
            1 => Some(Self::Constant),
            2 => Some(Self::State),
            _ => None,
        }
    }
}

impl Tensor {
    /// The dimensions, outermost first; images are NHWC.
    pub fn shape(&self) -> &[u32] {
        self.dimensions.get(..usize::from(self.rank)).unwrap_or(&[])
    }

    /// Number of elements. Exact for every tensor of a loaded model, whose unused dimensions are 1.
    pub fn elements(&self) -> usize {
        self.dimensions.iter().fold(1usize, |product, &d| product.wrapping_mul(d as usize))
    }

    /// What one element is (int8 for codes that the loader refuses).
    pub fn element(&self) -> Element {
        Element::from_code(self.element).and_then(Element::built).unwrap_or_default()
    }

    /// Where it lives (the arena for codes that the loader refuses).
    pub fn place(&self) -> Place {
        Place::from_code(self.place).unwrap_or_default()
    }

    /// Number of bytes.
    pub fn bytes(&self) -> usize {
        self.elements().wrapping_mul(self.element().bytes())
    }

    /// The real number of one step, > 0.
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// The int8 value that stands for 0.0.
    pub fn zero_point(&self) -> i32 {
        self.zero_point
    }

    /// Whether both have one scale and zero point.
    pub(crate) fn same_quantization(&self, other: &Self) -> bool {
        self.scale.to_bits() == other.scale.to_bits() && self.zero_point == other.zero_point
    }

    /// First byte in the arena; of a constant, in the constants section.
    pub fn offset(&self) -> usize {
        self.offset as usize
    }

    /// Batch, height, width and channels, if there are four dimensions. None is 0 (the loader refuses such shapes; said
    /// again here so that the compiler sees that divisions cannot fail).
    #[inline(always)]
    pub(crate) fn nhwc(&self) -> Option<[usize; 4]> {
        let [n, h, w, c] = self.dimensions;
        // Not by `map`: at level s it is not inlined, and nothing is seen.
        if self.rank == 4 {
            Some([n.max(1) as usize, h.max(1) as usize, w.max(1) as usize, c.max(1) as usize])
        } else {
            None
        }
    }

    /// The bytes in the arena (of a constant, in the constants section), `start..end`.
    pub(crate) fn range(&self) -> core::ops::Range<usize> {
        let start = self.offset as usize;
        start..start.wrapping_add(self.bytes())
    }
}

/// A reference into the constants section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub struct ConstantRef {
    /// Start, from the beginning of the section; a multiple of 16.
    pub offset: u32,
    /// Length.
    pub bytes: u32,
}

/// One operator, 96 bytes. What `parameters` and `constants` mean is the operator's own affair ([`crate::ops`]).
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct OperatorRecord {
    /// An [`Opcode`](crate::ops::Opcode).
    pub opcode: u8,
    /// A [`Layout`](super::Layout).
    pub layout: u8,
    /// A [`Rounding`].
    pub rounding: u8,
    /// [`FLAG_BOUNDED`] or 0.
    pub flags: u8,
    /// Tensors read, the rest [`NO_TENSOR`].
    pub inputs: [u16; MAX_INPUTS],
    /// Tensors written, the rest [`NO_TENSOR`].
    pub outputs: [u16; 2],
    /// Numbers.
    pub parameters: [i32; 12],
    /// Weights and the like.
    pub constants: [ConstantRef; 2],
    /// First byte of scratch in the arena.
    pub scratch_offset: u32,
    /// Length of scratch.
    pub scratch_bytes: u32,
}

impl OperatorRecord {
    /// The tensors read: those before the first [`NO_TENSOR`].
    #[inline(never)]
    pub(crate) fn reads(&self) -> &[u16] {
        let count = self.inputs.iter().take_while(|t| **t != NO_TENSOR).count();
        self.inputs.get(..count).unwrap_or(&[])
    }

    /// The bytes of scratch in the arena, `start..end`.
    pub(crate) fn scratch(&self) -> core::ops::Range<usize> {
        let start = self.scratch_offset as usize;
        start..start.saturating_add(self.scratch_bytes as usize)
    }
}

/// How one output channel becomes int8 again: see [`crate::quantized`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Channel {
    /// Bias with the input's zero point folded in: `bias - input_zero_point * sum(weights)`.
    pub bias: i32,
    /// Multiplier, 31 fractional bits, >= 0.
    pub multiplier: i32,
    /// `(1 << (r - 1)) + (output_zero_point << r)` with `r = -shift` in 1 to 22; 0 for other shifts.
    pub rounding: i32,
    /// Power of two, > 0 to the left (as TFLite has it), -31 to 30.
    pub shift: i32,
}

/// How an output channel of a general convolution becomes int8 or int16 again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Pod, Zeroable)]
#[repr(C)]
pub struct WideChannel {
    /// Bias with the input's zero point folded in: `bias - input_zero_point * sum(weights)`.
    pub bias: i64,
    /// Multiplier, 31 fractional bits, >= 0.
    pub multiplier: i32,
    /// Power of two, > 0 to the left: -31 to 30, -31 to 7 for wide scaling.
    pub shift: i32,
}

/// How the sums of a general convolution are scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Scaling {
    /// As [`Rounding::Double`]; sums have 32 bits.
    #[default]
    Double = 0,
    /// As [`Rounding::Single`]; sums have 32 bits.
    Single = 1,
    /// Sums of 48 bits, the multiplier rounded to 15 bits, one rounding: int16 activations with int64 biases.
    Wide = 2,
}

impl Scaling {
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        [Self::Double, Self::Single, Self::Wide].into_iter().find(|scaling| *scaling as u8 == code)
    }
}

/// Which of TFLite's two roundings an operator uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Rounding {
    /// gemmlowp's: a rounding doubling high multiplication, then a rounding division by a power of two.
    #[default]
    Double = 0,
    /// One 64-bit product, rounded once (LiteRT's reference kernel of fully connected).
    Single = 1,
}

impl Rounding {
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Double),
            1 => Some(Self::Single),
            _ => None,
        }
    }
}

/// A fused activation: the output is clamped to this range of int8 values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Activation {
    /// Smallest output.
    pub min: i8,
    /// Largest output, >= `min`.
    pub max: i8,
}

impl Activation {
    /// No activation: all of int8.
    pub const NONE: Self = Self { min: i8::MIN, max: i8::MAX };

    /// `value`, clamped.
    #[inline(always)]
    pub fn clamp(self, value: i32) -> i8 {
        // Spelled as min/max: `Ord::clamp` would assert min <= max at run time.
        value.min(i32::from(self.max)).max(i32::from(self.min)) as i8
    }
}

/// A sliding window over height and width: output (y, x) reads input rows
/// `y * stride[0] - padding[0] + ky * dilation[0]`, columns likewise. Each pair is height, width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Taps, 1 to 4095.
    pub kernel: [usize; 2],
    /// Step from one output to the next, 1 to 4095.
    pub stride: [usize; 2],
    /// Distance between taps, 1 to 4095.
    pub dilation: [usize; 2],
    /// Rows above and columns left of the input, 0 to 4095; below and right follow from the output's shape.
    pub padding: [usize; 2],
}

impl Window {
    /// Rows of the weights in `layout`, and taps of each: kernel rows or, where columns are dilated and the layout is for DSP,
    /// single taps, so that what a row reads lies together in memory.
    pub(crate) fn runs(&self, layout: super::Layout) -> [usize; 2] {
        let [height, width] = self.kernel;
        let apart = self.dilation[1] != 1 && matches!(layout, super::Layout::Dsp | super::Layout::DspWide);
        if apart { [height.saturating_mul(width), 1] } else { [height, width] }
    }
}

const _: () = assert!(size_of::<Header>() == 32 && size_of::<Section>() == 16);
const _: () = assert!(size_of::<Tensor>() == 32 && size_of::<OperatorRecord>() == 96 && size_of::<Channel>() == 16);
const _: () = assert!(size_of::<WideChannel>() == 16);
