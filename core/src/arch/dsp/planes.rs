//! Blocks of depthwise convolution with any kernel ([`super::strips`] for 3 x 3 taps): four channels of NHWC become planes of int16, and the
//! kernel slides over one plane.
//!
//! A plane holds lines of words of two elements. Two neighbouring outputs at stride 1 share their words, and the weights come in pairs for
//! each of them. Four outputs are computed at a time.

/// Words of a lane before its weights: four times twice the bias, multiplier, rounding constant, right shift.
pub const LANE_HEAD: usize = 7;

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
    /// Words from line to line.
    pub line_words: usize,
    /// Words from plane to plane.
    pub plane_words: usize,
}

impl Pixels {
    /// Bytes read and words written; `None` also where there is nothing to do.
    fn reach(&self) -> Option<[usize; 2]> {
        let (last, bottom) = (self.count.checked_sub(1)?, self.lines.checked_sub(1)?);
        let bytes = last.checked_mul(self.step)?.checked_add(bottom.checked_mul(self.line)?)?.checked_add(4)?;
        let words = self.plane_words.checked_mul(3)?.checked_add(bottom.checked_mul(self.line_words)?)?;
        Some([bytes, words.checked_add(self.count.checked_add(self.odd.into())?.div_ceil(2))?])
    }
}

/// Splits the first four bytes of all pixels into four planes. Does nothing when the slices are too short.
#[inline]
pub fn split(pixels: &Pixels, source: &[i8], planes: &mut [u32]) {
    if pixels.reach().is_none_or(|[bytes, words]| bytes > source.len() || words > planes.len()) {
        return;
    }
    #[cfg(simd_dsp)]
    super::planes_asm::split(pixels, source, planes);
    #[cfg(not(simd_dsp))]
    emulated::split(pixels, source, planes);
}

/// The weights of a lane, behind its head: per line `taps` times the pairs (w0, w1) and (0, w0), then (w2, w3) and (w1, w2), ..
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kernel {
    /// Lines of the kernel, 1 or more.
    pub lines: usize,
    /// Pairs of words per line, 1 or more.
    pub taps: usize,
}

/// Lines of outputs over up to four planes.
#[derive(Debug, Clone, Copy)]
pub struct Walk {
    /// Planes, each with its lane; their outputs lie side by side.
    pub planes: usize,
    /// Words from plane to plane.
    pub plane_words: usize,
    /// What slides.
    pub kernel: Kernel,
    /// Elements from output to output, 1 or 2.
    pub stride: usize,
    /// Words from kernel line to kernel line.
    pub line: usize,
    /// Outputs of one line.
    pub outputs: usize,
    /// Bytes from output to output.
    pub step: usize,
    /// Lines of outputs.
    pub lines: usize,
    /// Words from the first kernel line of one line of outputs to that of the next.
    pub next_line: usize,
    /// Bytes from a line of outputs to the next.
    pub next_output: usize,
}

impl Kernel {
    /// Words of a lane.
    pub fn lane_words(self) -> usize {
        LANE_HEAD + 2 * self.lines * self.taps
    }

    /// Words of a line of scratch that `outputs` read, rounded up to blocks of four.
    pub fn line_words(self, outputs: usize, stride: usize) -> usize {
        outputs.div_ceil(4) * 2 * stride + self.taps - 1
    }
}

impl Walk {
    /// Words of planes and of lanes read, and bytes written; `None` also where there is nothing to do.
    fn reach(&self) -> Option<[usize; 3]> {
        let Kernel { lines, taps } = self.kernel;
        let others = self.planes.checked_sub(1)?;
        let (last, bottom) = (self.lines.checked_sub(1)?, lines.checked_sub(1)?);
        let (right, _) = (self.outputs.checked_sub(1)?, taps.checked_sub(1)?);
        let starts = last.checked_mul(self.next_line)?.checked_add(bottom.checked_mul(self.line)?)?;
        let words = starts.checked_add(self.kernel.line_words(self.outputs, self.stride))?;
        let bytes = last.checked_mul(self.next_output)?.checked_add(right.checked_mul(self.step)?)?;
        Some([
            others.checked_mul(self.plane_words)?.checked_add(words)?,
            self.planes.checked_mul(self.kernel.lane_words())?,
            bytes.checked_add(self.planes)?,
        ])
    }
}

/// Requantized outputs of all lanes over their planes, for channels of a bounded operator, clamped to int8. Does nothing when the
/// slices do not fit together.
#[inline]
pub fn convolve(walk: &Walk, planes: &[u32], lanes: &[u32], output: &mut [i8]) {
    let fits = |[words, lane_words, bytes]: [usize; 3]| {
        words <= planes.len() && lane_words <= lanes.len() && bytes <= output.len()
    };
    if !walk.reach().is_some_and(fits) || !(1..=2).contains(&walk.stride) {
        return;
    }
    #[cfg(simd_dsp)]
    super::planes_asm::convolve(walk, planes, lanes, output);
    #[cfg(not(simd_dsp))]
    emulated::convolve(walk, planes, lanes, output);
}

#[cfg(not(simd_dsp))]
mod emulated {
    use super::{Kernel, LANE_HEAD, Pixels, Walk};
    use crate::arch::dsp::{halves, smlad, smmlar};

    pub fn split(pixels: &Pixels, source: &[i8], planes: &mut [u32]) {
        let odd = usize::from(pixels.odd);
        for (lane, line) in (0..4).flat_map(|lane| (0..pixels.lines).map(move |line| (lane, line))) {
            let pixel = |at: usize| {
                let inside = at.checked_sub(odd).filter(|at| *at < pixels.count);
                let q = inside.and_then(|at| source.get(line * pixels.line + at * pixels.step + lane));
                q.map_or(pixels.padding, |q| *q).into()
            };
            let words = planes.iter_mut().skip(lane * pixels.plane_words + line * pixels.line_words);
            for (word, at) in words.take((pixels.count + odd).div_ceil(2)).zip((0..).step_by(2)) {
                *word = halves(pixel(at), pixel(at + 1));
            }
        }
    }

    pub fn convolve(walk: &Walk, planes: &[u32], lanes: &[u32], output: &mut [i8]) {
        for (p, lane) in lanes.chunks_exact(walk.kernel.lane_words()).enumerate().take(walk.planes) {
            let plane = planes.get(p * walk.plane_words..).unwrap_or(&[]);
            for (line, at) in (0..walk.lines).flat_map(|line| (0..walk.outputs).map(move |at| (line, at))) {
                let start = line * walk.next_line + at * walk.stride / 2;
                let phase = at * walk.stride % 2;
                let (head, weights) = lane.split_at(LANE_HEAD);
                let sum = sum(walk, plane.get(start..).unwrap_or(&[]), weights, phase, head[at % 4] as i32);
                let scaled = smmlar(sum, head[4] as i32, (head[5] as i32).wrapping_add(sum >> 31));
                if let Some(output) = output.get_mut(line * walk.next_output + at * walk.step + p) {
                    *output = scaled.wrapping_shr(head[6]).clamp(-128, 127) as i8;
                }
            }
        }
    }

    /// The sum of an output that begins in the lower (phase 0) or upper (1) half of the first word.
    fn sum(walk: &Walk, plane: &[u32], weights: &[u32], phase: usize, bias: i32) -> i32 {
        let Kernel { lines, taps } = walk.kernel;
        let x = |line: usize, word: usize| plane.get(line * walk.line + word).copied().unwrap_or(0);
        let mut sum = bias;
        for (line, weights) in weights.chunks_exact(2 * taps).take(lines).enumerate() {
            for (tap, pair) in weights.as_chunks::<2>().0.iter().enumerate() {
                sum = smlad(x(line, tap), pair[phase], sum);
            }
        }
        sum
    }
}
