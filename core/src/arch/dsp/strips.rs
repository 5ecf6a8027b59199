//! Blocks of 3 x 3 depthwise convolution: four channels of NHWC become strips of int16, and a kernel slides down each of them.
//!
//! A strip lies under four neighbouring outputs (two at stride 2). Of each line it has three words of two elements for each of four
//! channels; the last word is the first of the next strip. With X01, X23, X45 the words of a line and W01, W12 pairs of the three weights,
//!
//! ```text
//! output 0 = X01 . W01 + x2 * w2          SMLAD, SMLABT
//! output 1 = x1 * w0 + X23 . W12          SMLATB, SMLAD
//! ```
//!
//! so that a line of the kernel costs four multiplications for two outputs, and its weights take two registers. At stride 2 each output
//! begins a word. Two lines of outputs are computed at a time, since they share lines of the input and the kernel's: 110 instructions
//! for eight outputs at stride 1 with requantization and stores, 64 for four at stride 2.

/// Words of a line of a strip.
pub const LINE: usize = 4 * WORDS;
/// Words of a line of one channel.
const WORDS: usize = 3;
/// Words that may be read behind the last line: of a single line of outputs those of one more.
pub const BEHIND: usize = 2 * LINE;

/// Per channel per kernel line (w0, w1) and (w1, w2); twice the bias, multiplier, rounding constant, right shift.
pub type Lane = [u32; 10];
/// Beside the right shift: outputs of sums below zero are cut off afterwards, so that their ties may be rounded either way.
pub const CUT: u32 = 1 << 8;

/// Strips under a line of outputs.
pub const fn strips(outputs: usize, stride: usize) -> usize {
    outputs.div_ceil(if stride == 1 { 4 } else { 2 })
}

/// Lines of pixels of which four channels are split.
#[derive(Debug, Clone, Copy)]
pub struct Pixels {
    /// Pixels of a line.
    pub count: usize,
    /// Bytes from pixel to pixel.
    pub step: usize,
    /// Whether the first pixel is the upper half of its word.
    pub odd: bool,
    /// What fills up the first word and the last.
    pub padding: i8,
    /// Lines.
    pub lines: usize,
    /// Bytes from line to line.
    pub line: usize,
    /// Strips, and lines of which each has room for.
    pub strips: [usize; 2],
}

impl Pixels {
    /// Bytes read and words written; `None` also where there is nothing to do, or not even one whole word.
    #[inline(never)]
    fn reach(&self) -> Option<[usize; 2]> {
        let elements = self.count.checked_add(self.odd.into()).filter(|elements| *elements > 1)?;
        let (last, bottom) = (self.count.checked_sub(1)?, self.lines.checked_sub(1)?);
        let bytes = last.checked_mul(self.step)?.checked_add(bottom.checked_mul(self.line)?)?.checked_add(4)?;
        let [strips, room] = self.strips;
        let words = strips.checked_sub(1)?.checked_mul(room)?.checked_add(self.lines)?.checked_mul(LINE)?;
        (elements.div_ceil(2) <= strips.checked_mul(2)?.checked_add(1)?).then_some([bytes, words])
    }
}

/// [`Pixels`], prepared.
#[derive(Debug, Clone, Copy)]
pub struct Split {
    bytes: usize,
    words: usize,
    how: machine::Split,
}

impl Split {
    /// `None` when there is nothing to do or the numbers do not fit together.
    pub fn new(pixels: &Pixels) -> Option<Self> {
        let [bytes, words] = pixels.reach()?;
        Some(Self { bytes, words, how: machine::Split::new(pixels) })
    }

    /// Splits the first four bytes of all pixels into strips. Does nothing when the slices are too short.
    #[inline]
    pub fn run(&self, source: &[i8], strips: &mut [u32]) {
        if self.bytes <= source.len() && self.words <= strips.len() {
            self.how.run(source, strips);
        }
    }
}

/// Lines of outputs over strips.
#[derive(Debug, Clone, Copy)]
pub struct Walk {
    /// Lines of which each strip has room for.
    pub room: usize,
    /// Elements from output to output, and from line to line of outputs, 1 or 2.
    pub stride: usize,
    /// Outputs of one line.
    pub outputs: usize,
    /// Bytes from output to output.
    pub step: usize,
    /// Lines of outputs.
    pub lines: usize,
    /// Bytes from a line of outputs to the next.
    pub next_output: usize,
}

impl Walk {
    /// Words read and bytes written of one channel; `None` also where there is nothing to do.
    fn reach(&self) -> Option<[usize; 2]> {
        if !(1..=2).contains(&self.stride) {
            return None;
        }
        let others = strips(self.outputs, self.stride).checked_sub(1)?;
        let last = self.lines.checked_sub(1)?;
        let lines = last.max(1).checked_mul(self.stride)?.checked_add(3)?;
        let words = others.checked_mul(self.room)?.checked_add(lines)?.checked_mul(LINE)?;
        let bytes = last.checked_mul(self.next_output)?.checked_add((self.outputs - 1).checked_mul(self.step)?)?;
        Some([words, bytes.checked_add(1)?])
    }
}

/// [`Walk`], prepared.
#[derive(Debug, Clone, Copy)]
pub struct Sweep {
    words: usize,
    bytes: usize,
    how: machine::Sweep,
}

impl Sweep {
    /// `None` when there is nothing to do or the numbers do not fit together.
    pub fn new(walk: &Walk) -> Option<Self> {
        let [words, bytes] = walk.reach()?;
        Some(Self { words, bytes, how: machine::Sweep::new(walk) })
    }

    /// Requantized outputs of as many channels as there are lanes (four at most), side by side, of a bounded operator, clamped to int8.
    /// Nothing where the slices are too short.
    #[inline(never)]
    pub fn run(&self, strips: &[u32], lanes: &[Lane], output: &mut [i8]) {
        if strips.len() < self.words {
            return;
        }
        for (p, lane) in lanes.iter().take(4).enumerate() {
            let (Some(strips), Some(output)) = (strips.get(p * WORDS..), output.get_mut(p..)) else { return };
            if output.len() >= self.bytes {
                self.how.run(strips, lane, output);
            }
        }
    }
}

#[cfg(simd_dsp)]
mod machine {
    pub use super::super::split_asm::Split;
    pub use super::super::sweep_asm::Sweep;
}
#[cfg(not(simd_dsp))]
use emulated as machine;

#[cfg(not(simd_dsp))]
mod emulated {
    use super::super::{halves, smlad, smmlar};
    use super::{CUT, LINE, Lane, Pixels, WORDS, Walk};

    pub type Split = Pixels;
    pub type Sweep = Walk;

    impl Pixels {
        pub(super) fn new(pixels: &Self) -> Self {
            *pixels
        }

        pub(super) fn run(&self, source: &[i8], strips: &mut [u32]) {
            split(self, source, strips);
        }
    }

    impl Walk {
        pub(super) fn new(walk: &Self) -> Self {
            *walk
        }

        pub(super) fn run(&self, strips: &[u32], lane: &Lane, output: &mut [i8]) {
            convolve(self, strips, lane, output);
        }
    }

    fn split(pixels: &Pixels, source: &[i8], strips: &mut [u32]) {
        let odd = usize::from(pixels.odd);
        let [count, room] = pixels.strips;
        for (lane, line) in (0..4).flat_map(|lane| (0..pixels.lines).map(move |line| (lane, line))) {
            let pixel = |at: usize| {
                let inside = at.checked_sub(odd).filter(|at| *at < pixels.count);
                let q = inside.and_then(|at| source.get(line * pixels.line + at * pixels.step + lane));
                q.map_or(pixels.padding, |q| *q).into()
            };
            let words = (pixels.count + odd).div_ceil(2);
            for (strip, part) in (0..count).flat_map(|strip| (0..WORDS).map(move |part| (strip, part))) {
                let at = (strip * room + line) * LINE + lane * WORDS + part;
                let first = 2 * strip + part;
                if let Some(word) = strips.get_mut(at).filter(|_| first < words) {
                    *word = halves(pixel(2 * first), pixel(2 * first + 1));
                }
            }
        }
    }

    fn convolve(walk: &Walk, strips: &[u32], lane: &Lane, output: &mut [i8]) {
        let width = 4 / walk.stride;
        let [.., bias, multiplier, rounding, right] = *lane;
        for (line, at) in (0..walk.lines).flat_map(|line| (0..walk.outputs).map(move |at| (line, at))) {
            let first = ((at / width) * walk.room + line * walk.stride) * LINE;
            let element = at % width * walk.stride;
            let x = |ky: usize, kx: usize| {
                let word = strips.get(first + ky * LINE + (element + kx) / 2).copied().unwrap_or(0);
                word >> ((element + kx) % 2 * 16) & 0xffff
            };
            let mut sum = bias as i32;
            for (ky, [w01, w12]) in lane.as_chunks::<2>().0.iter().take(3).enumerate() {
                sum = smlad(x(ky, 0) | x(ky, 1) << 16, *w01, smlad(x(ky, 2), w12 >> 16, sum));
            }
            let sign = if right & CUT == 0 { sum >> 31 } else { 0 };
            let scaled = smmlar(sum, multiplier as i32, (rounding as i32).wrapping_add(sign));
            if let Some(output) = output.get_mut(line * walk.next_output + at * walk.step) {
                *output = scaled.wrapping_shr(right).clamp(-128, 127) as i8;
            }
        }
    }
}
