//! The orders in which weights are stored: one for every machine, others for the kernels of one instruction set.

use super::{Channel, Quads, x86};
use crate::{Feature, LoadError};

/// Order in which weights are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Layout {
    /// Row-major: OHWI for convolution, OI for fully connected.
    #[default]
    Natural = 0,
    /// For Armv7E-M DSP: pairs of output channels a and b, and of each their taps in quads ([`Quads`]). A quad of the pair
    /// is 8 bytes, two words of `a0 b0 a1 b1`; a missing last channel is zeros.
    Dsp = 1,
    /// For the Armv8.1-M MVE kernels: groups of four output channels, each 16 taps (kernel column x kernel row x input channel,
    /// padded with zeros to a multiple of 16) of channel 0, then of 1, 2, 3; missing last channels are zeros.
    Helium = 2,
    /// The quads of `Dsp` in int16, each word `a0 a1 b0 b1`, with weights and biases doubled, so that a sum needs no shift
    /// before its multiplication. For bounded operators only; shifts of the channels are to the right.
    DspWide = 3,
    /// For AVX2 and AVX-512 VNNI: groups of 16 output channels. A group begins with -128 times the sum of each channel's
    /// weights (i32); then come its kernel rows, padded with zeros to a multiple of 4 elements, each 4 as 16 channels x
    /// 4 bytes. Missing channels are zeros.
    X86 = 8,
}

/// The table of cargo features, each of which builds the kernels of one order.
macro_rules! features {
    ($($name:ident = $feature:tt),*) => {
        impl Layout {
            /// The cargo feature that builds its kernels.
            pub const fn feature(self) -> &'static str {
                match self { $(Self::$name => $feature,)* }
            }

            /// This order, where its kernels are built: the loader refuses any other.
            #[inline(always)]
            pub(crate) const fn built(self) -> Option<Self> {
                match self { $(Self::$name if cfg!(feature = $feature) => Some(Self::$name),)* _ => None }
            }
        }
    };
}

features! { Natural = "natural", Dsp = "dsp", Helium = "helium", DspWide = "dsp_wide", X86 = "x86" }

impl Layout {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Natural, Self::Dsp, Self::Helium, Self::DspWide, Self::X86];

    /// Whether boards have kernels for it: arenas are planned with their scratch in mind. Hosts take what they need.
    pub fn is_for_boards(self) -> bool {
        self != Self::X86
    }

    /// The order that a record of operator number `operator` states.
    pub(crate) fn decode(code: u8, operator: u16) -> Result<Self, LoadError> {
        let layout = Self::ALL.into_iter().find(|layout| *layout as u8 == code);
        let layout = layout.ok_or(LoadError::UnknownOption { operator })?;
        layout.built().ok_or(LoadError::LeftOut { operator, feature: Feature::Layout(layout) })
    }

    /// Bytes of the weights of `channels` output channels with `rows` kernel rows of `row` elements; `None` beyond `usize`.
    pub fn weight_bytes(self, channels: usize, rows: usize, row: usize) -> Option<usize> {
        let element = if self == Self::DspWide { 2 } else { 1 };
        // Depthwise convolutions have the natural order always.
        match self.built().unwrap_or_default() {
            Self::Natural => channels.checked_mul(rows)?.checked_mul(row),
            Self::Dsp | Self::DspWide => {
                let quads = Quads { rows, row }.checked_count()?;
                quads.checked_mul(4 * element)?.checked_mul(channels.checked_next_multiple_of(2)?)
            }
            Self::Helium => {
                let taps = rows.checked_mul(row)?.checked_next_multiple_of(16)?;
                channels.checked_next_multiple_of(4)?.checked_mul(taps)
            }
            Self::X86 => x86::group_bytes(rows, row)?.checked_mul(channels.div_ceil(x86::GROUP)),
        }
    }

    /// Where in the weights element `i` of kernel row `y` of output channel `o` is, counted in elements.
    pub fn index(self, rows: usize, row: usize, [o, y, i]: [usize; 3]) -> usize {
        let quads = Quads { rows, row };
        let (pair, channel) = (o / 2, o % 2);
        match self {
            Self::Natural => (o * rows + y) * row + i,
            Self::Dsp => {
                let [quad, word, half] = quads.place(y, i);
                (pair * quads.count() + quad) * 8 + word * 4 + half * 2 + channel
            }
            Self::DspWide => {
                let [quad, word, half] = quads.place(y, i);
                (pair * quads.count() + quad) * 8 + word * 4 + channel * 2 + half
            }
            Self::Helium => {
                let tap = y * row + i;
                ((o / 4 * (rows * row).div_ceil(16) + tap / 16) * 4 + o % 4) * 16 + tap % 16
            }
            Self::X86 => x86::index(rows, row, [o, y, i]),
        }
    }

    /// What number tap `tap` of a channel has in this layout; `tap` counts kernel rows, columns and `channels` input channels,
    /// the last fastest.
    pub fn tap(self, [height, width]: [usize; 2], channels: usize, tap: usize) -> usize {
        if self != Self::Helium {
            return tap;
        }
        let (width, channels) = (width.max(1), channels.max(1));
        let (place, channel) = (tap / channels, tap % channels);
        (place % width * height + place / width) * channels + channel
    }

    /// The weight at `index`, as it is stored; 0 where there is none.
    #[inline]
    pub fn weight(self, weights: &[i8], index: usize) -> i32 {
        if self == Self::DspWide {
            let halves = weights.as_chunks::<2>().0;
            return halves.get(index).map_or(0, |[low, high]| i32::from(*high) << 8 | i32::from(*low as u8));
        }
        weights.get(index).map_or(0, |weight| i32::from(*weight))
    }

    /// How many stored elements are not 0, filler included; `None` where one is no int8.
    pub(crate) fn set(self, weights: &[i8], Quads { rows, row }: Quads) -> Option<usize> {
        match self.built().unwrap_or_default() {
            Self::DspWide => {
                let halves =
                    weights.as_chunks::<2>().0.iter().map(|half| i16::from_le_bytes(half.map(|byte| byte as u8)));
                let doubled = |half: i16| half % 2 == 0 && i8::try_from(half / 2).is_ok();
                halves.clone().all(doubled).then(|| halves.filter(|half| *half != 0).count())
            }
            Self::X86 => {
                let groups = crate::ops::parts(weights, x86::group_bytes(rows, row)?);
                Some(groups.flat_map(|group| group.iter().skip(x86::BLOCK)).filter(|weight| **weight != 0).count())
            }
            _ => Some(weights.iter().filter(|weight| **weight != 0).count()),
        }
    }

    /// A channel as it is stored.
    #[cfg(feature = "writer")]
    pub(crate) fn stored(self, channel: Channel) -> Channel {
        let Channel { bias, shift, .. } = channel;
        if self == Self::DspWide { Channel { bias: bias * 2, shift: -shift, ..channel } } else { channel }
    }

    /// The channel that is stored as `stored`; `None` where no channel is.
    pub(crate) fn channel(self, stored: Channel) -> Option<Channel> {
        let Channel { bias, shift, .. } = stored;
        match self {
            Self::DspWide if bias % 2 != 0 => None,
            Self::DspWide => Some(Channel { bias: bias / 2, shift: shift.checked_neg()?, ..stored }),
            _ => Some(stored),
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
impl Target {
    /// The machine that this program runs on.
    pub fn this_machine() -> Self {
        #[cfg(target_arch = "x86_64")]
        let fast = crate::arch::x86::Isa::best().map(|_| Layout::X86);
        #[cfg(target_arch = "aarch64")]
        let fast = Some(Layout::Helium);
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        let fast = None;
        Self::from(fast.unwrap_or_default())
    }
}

#[cfg(feature = "writer")]
impl From<Layout> for Target {
    /// This order where it suits, at any size.
    fn from(layout: Layout) -> Self {
        let at = Layout::ALL.iter().position(|other| *other == layout).unwrap_or(0);
        Self { layouts: &Layout::ALL.as_slice()[at..=at], bytes: usize::MAX }
    }
}
