//! For x86-64: over a copy of the input with a border, each channel as often as it has outputs, and pixels that one window
//! column reads side by side. Weights in natural order; the X86 layout asks for the scratch.

use crate::blob::Window;

/// Outputs at a time, as `arch::x86::depthwise` has it.
const LANES: usize = 64;

/// Scratch bytes: the weights of 64 channels, the places of the kernel columns, and the copy.
pub fn scratch_bytes(window: &Window, output: [usize; 4]) -> usize {
    let [rows, columns] = window.kernel;
    let weights = rows.div_ceil(4).saturating_mul(columns).saturating_mul(4 * LANES);
    weights.saturating_add(columns.saturating_mul(4)).saturating_add(Copy::of(window, output).bytes())
}

/// How the input is copied.
#[derive(Clone, Copy)]
struct Copy {
    /// Rows, phases, pixels of a phase, channels. Phase p has the pixels p, p + phases, p + 2 phases and so on.
    shape: [usize; 4],
}

impl Copy {
    fn of(window: &Window, [_, oh, ow, channels]: [usize; 4]) -> Self {
        let [[kh, kw], [sy, sx], [dy, dx]] = [window.kernel, window.stride, window.dilation];
        let reach = |outputs: usize, stride: usize, kernel: usize, dilation: usize| {
            let taps = kernel.saturating_sub(1).saturating_mul(dilation);
            outputs.saturating_sub(1).saturating_mul(stride).saturating_add(taps).saturating_add(1)
        };
        let dense = channels < LANES && LANES.is_multiple_of(channels);
        let phases = if dense && !(sx == 2 && channels >= 8) { sx.max(1) } else { 1 };
        Self { shape: [reach(oh, sy, kh, dy), phases, reach(ow, sx, kw, dx).div_ceil(phases), channels] }
    }

    fn bytes(self) -> usize {
        // What is read or written beyond the last pixel.
        self.shape.into_iter().fold(1usize, usize::saturating_mul).saturating_add(2 * LANES)
    }
}

#[cfg(target_arch = "x86_64")]
pub use kernel::run;

#[cfg(target_arch = "x86_64")]
mod kernel {
    use super::Copy;
    use crate::InOut;
    use crate::arch::x86::Isa;
    use crate::arch::x86::depthwise::{self, Pixels, Planes, is_dense, weights_bytes};
    use crate::ops::depthwise_conv2d::DepthwiseConv2d;
    use crate::ops::{Sides, parts, parts_mut};

    /// Writes the output, NHWC, of input NHWC.
    pub fn run(
        isa: Isa,
        conv: &DepthwiseConv2d<'_>,
        sides: Sides<'_>,
        mut data: InOut<'_>,
        scratch: &mut [i16],
    ) -> Option<()> {
        let ([n, h, w, c], [_, oh, ow, oc]) = (sides.input.nhwc()?, sides.output.nhwc()?);
        let window = &conv.window;
        let copy = Copy::of(window, [1, oh, ow, oc]);
        let [_, phases, pixels, _] = copy.shape;
        let scratch: &mut [i8] = bytemuck::cast_slice_mut(scratch);
        let (weights, rest) = scratch.split_at_mut_checked(weights_bytes(window.kernel))?;
        let (columns, bytes) = rest.split_at_mut_checked(window.kernel[1] * 4)?;
        let columns: &mut [u32] = bytemuck::try_cast_slice_mut(columns).ok()?;
        for (column, kx) in columns.iter_mut().zip((0..).step_by(window.dilation[1])) {
            *column = u32::try_from((kx % phases * pixels + kx / phases) * oc).ok()?;
        }
        let line = phases * pixels * oc;
        let pixels = match (is_dense(oc), window.stride[1] == phases) {
            (true, true) => Pixels::Dense,
            (true, false) => Pixels::EveryOther,
            (false, _) => Pixels::Apart,
        };
        for image in 0..n {
            copy.fill(conv, sides, isa.flip(), parts(data.input(), h * w * c).nth(image)?, bytes)?;
            let planes = Planes {
                bytes,
                count: [oh, ow],
                steps: [window.stride[0] * line, window.stride[1] / phases * oc],
                rows: window.kernel[0],
                line: window.dilation[0] * line,
                columns,
                pixels,
            };
            let result = parts_mut(data.output(), oh * ow * oc).nth(image)?;
            depthwise::run(isa, &planes, &conv.weighted, sides.output.zero_point(), weights, result);
        }
        Some(())
    }

    impl Copy {
        /// Copies one image, zero points around it.
        fn fill(
            self,
            conv: &DepthwiseConv2d<'_>,
            sides: Sides<'_>,
            flip: i8,
            image: &[i8],
            bytes: &mut [i8],
        ) -> Option<()> {
            let ([_, h, w, c], [top, left]) = (sides.input.nhwc()?, conv.window.padding);
            let [height, phases, pixels, channels] = self.shape;
            let zero = sides.input.zero_point() as i8 ^ flip;
            for y in 0..height {
                let line = bytes.get_mut(y * phases * pixels * channels..)?;
                let from = y.checked_sub(top).filter(|y| *y < h).and_then(|y| image.get(y * w * c..(y + 1) * w * c));
                let Some(from) = from else {
                    line.get_mut(..phases * pixels * channels)?.fill(zero);
                    continue;
                };
                if phases == 1 && conv.multiplier == 1 {
                    row(from, line.get_mut(..pixels * channels)?, left * c, zero, flip)?;
                    continue;
                }
                for (phase, line) in parts_mut(line, pixels * channels).take(phases).enumerate() {
                    for (i, pixel) in parts_mut(line, channels).enumerate() {
                        let x = (i * phases + phase).checked_sub(left).filter(|x| *x < w);
                        match x.and_then(|x| from.get(x * c..(x + 1) * c)) {
                            Some(from) => spread(from, pixel, conv.multiplier, flip),
                            None => pixel.fill(zero),
                        }
                    }
                }
            }
            Some(())
        }
    }

    /// A row as it lies, with a border.
    fn row(from: &[i8], to: &mut [i8], left: usize, zero: i8, flip: i8) -> Option<()> {
        let (before, rest) = to.split_at_mut(left.min(to.len()));
        let (inside, after) = rest.split_at_mut(from.len().min(rest.len()));
        before.fill(zero);
        inside.iter_mut().zip(from).for_each(|(to, from)| *to = *from ^ flip);
        after.fill(zero);
        Some(())
    }

    /// A pixel's channels, each `multiplier` times.
    fn spread(from: &[i8], to: &mut [i8], multiplier: usize, flip: i8) {
        let (fours, rest) = to.as_chunks_mut::<8>();
        if multiplier == 1 && rest.is_empty() {
            for (to, from) in fours.iter_mut().zip(from.as_chunks::<8>().0) {
                *to = from.map(|q| q ^ flip);
            }
            return;
        }
        for (to, from) in parts_mut(to, multiplier).zip(from) {
            to.fill(*from ^ flip);
        }
    }
}
