//! The orders in which weights are stored: one for every machine, others for the kernels of one instruction set.

use super::x86;

/// Order in which weights are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Layout {
    /// Row-major: OHWI for convolution, OI for fully connected.
    #[default]
    Natural = 0,
    /// For the Armv7E-M DSP kernels: pairs of output channels a and b, kernel rows padded with zeros to a multiple of
    /// 4 elements, each 4 as `a0 b0 a2 b2 a1 b1 a3 b3`; a missing last channel is zeros.
    Dsp = 1,
    /// For the Armv8.1-M MVE kernels: groups of four output channels, each 16 taps (all kernel rows, padded with zeros to a
    /// multiple of 16) of channel 0, then of 1, 2, 3; missing last channels are zeros.
    Helium = 2,
    /// For AVX2 and AVX-512 VNNI: groups of 16 output channels. A group begins with -128 times the sum of each channel's
    /// weights (i32); then come its kernel rows, padded with zeros to a multiple of 4 elements, each 4 as 16 channels x
    /// 4 bytes. Missing channels are zeros.
    X86 = 8,
}

impl Layout {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Natural, Self::Dsp, Self::Helium, Self::X86];

    /// Whether boards have kernels for it: arenas are planned with their scratch in mind. Hosts take what they need.
    pub fn is_for_boards(self) -> bool {
        self != Self::X86
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| *layout as u8 == code)
    }

    /// Bytes of the weights of `channels` output channels with `rows` kernel rows of `row` elements; `None` beyond `usize`.
    pub fn weight_bytes(self, channels: usize, rows: usize, row: usize) -> Option<usize> {
        match self {
            Self::Natural => channels.checked_mul(rows)?.checked_mul(row),
            Self::Dsp => {
                channels.checked_next_multiple_of(2)?.checked_mul(rows)?.checked_mul(row.checked_next_multiple_of(4)?)
            }
            Self::Helium => {
                let taps = rows.checked_mul(row)?.checked_next_multiple_of(16)?;
                channels.checked_next_multiple_of(4)?.checked_mul(taps)
            }
            Self::X86 => x86::group_bytes(rows, row)?.checked_mul(channels.div_ceil(x86::GROUP)),
        }
    }

    /// Where in the weights element `i` of kernel row `y` of output channel `o` is.
    pub fn index(self, rows: usize, row: usize, [o, y, i]: [usize; 3]) -> usize {
        match self {
            Self::Natural => (o * rows + y) * row + i,
            Self::Dsp => {
                let quad = ((o / 2) * rows + y) * row.div_ceil(4) + i / 4;
                quad * 8 + (i % 2) * 4 + (i % 4 / 2) * 2 + o % 2
            }
            Self::Helium => {
                let tap = y * row + i;
                ((o / 4 * (rows * row).div_ceil(16) + tap / 16) * 4 + o % 4) * 16 + tap % 16
            }
            Self::X86 => x86::index(rows, row, [o, y, i]),
        }
    }
}

/// What a blob is packed for.
#[cfg(feature = "writer")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The orders of weights that the machine's kernels like, best first; natural where none suits an operator.
    pub layouts: &'static [Layout],
    /// Bytes that the blob should not exceed. An operator's weights are in the best order that leaves room for those of
    /// all others in their last; earlier operators choose first, since in most networks they use each weight more often.
    pub bytes: usize,
}

#[cfg(feature = "writer")]
impl From<Layout> for Target {
    /// This order, at any size.
    fn from(layout: Layout) -> Self {
        let at = Layout::ALL.iter().position(|other| *other == layout).unwrap_or(0);
        Self { layouts: &Layout::ALL.as_slice()[at..=at], bytes: usize::MAX }
    }
}
