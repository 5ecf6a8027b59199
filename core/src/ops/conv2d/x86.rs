//! Convolution for x86-64: all pixels and channels are one product, over the input where it lies if all windows are inside,
//! else over a copy with a border. X86 layout.

use crate::blob::Window;

/// Scratch bytes: a copy of one image where one is needed.
pub fn scratch_bytes(window: &Window, input: [usize; 4], output: [usize; 4]) -> usize {
    Source::of(window, input, output).copied_bytes()
}

/// Where the product finds the windows, in runs of whole fours.
#[derive(Clone, Copy)]
enum Source {
    /// In the input, as it lies.
    Input,
    /// In a copy with a border, of height x width x channels.
    Bordered([usize; 3]),
    /// In a copy window by window, for taps that are apart: pixels x kernel rows x fours.
    Windows([usize; 3]),
}

impl Source {
    fn of(window: &Window, [_, h, w, c]: [usize; 4], [_, oh, ow, _]: [usize; 4]) -> Self {
        let [[kh, kw], [sy, sx], [dy, dx]] = [window.kernel, window.stride, window.dilation];
        let row = kw.saturating_mul(c);
        if dx != 1 {
            return Self::Windows([oh.saturating_mul(ow), kh, row.div_ceil(4)]);
        }
        let reach = |outputs: usize, stride: usize, kernel: usize, dilation: usize| {
            let taps = kernel.saturating_sub(1).saturating_mul(dilation);
            outputs.saturating_sub(1).saturating_mul(stride).saturating_add(taps).saturating_add(1)
        };
        let (height, width) = (reach(oh, sy, kh, dy), reach(ow, sx, kw, 1));
        let inside = window.padding == [0, 0] && height <= h && width <= w && row.is_multiple_of(4);
        if inside { Self::Input } else { Self::Bordered([height, width, c]) }
    }

    fn copied_bytes(self) -> usize {
        match self {
            Self::Input => 0,
            // Up to three bytes after the last run are read with it.
            Self::Bordered(shape) => shape.into_iter().fold(1usize, usize::saturating_mul).saturating_add(4),
            Self::Windows(shape) => shape.into_iter().fold(4usize, usize::saturating_mul),
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub use kernel::run;

#[cfg(target_arch = "x86_64")]
mod kernel {
    use super::Source;
    use crate::arch::x86::Isa;
    use crate::arch::x86::product::{self, Patches};
    use crate::ops::conv2d::Conv2d;
    use crate::ops::{Sides, parts, parts_mut};

    /// Writes the output, NHWC, of input NHWC.
    pub fn run(
        isa: Isa,
        conv: &Conv2d<'_>,
        sides: Sides<'_>,
        input: &[i8],
        output: &mut [i8],
        scratch: &mut [i16],
    ) -> Option<()> {
        let (from, to) = (sides.input.nhwc()?, sides.output.nhwc()?);
        let ([_, h, w, c], [_, oh, ow, oc]) = (from, to);
        let (window, source) = (&conv.window, Source::of(&conv.window, from, to));
        let copy: &mut [i8] = bytemuck::cast_slice_mut(scratch);
        let patches = |width: usize| Patches {
            bytes: &[],
            count: [oh, ow],
            steps: [window.stride[0] * width * c, window.stride[1] * c],
            rows: window.kernel[0],
            line: window.dilation[0] * width * c,
            quads: conv.row().div_ceil(4),
            flipped: false,
        };
        for (image, result) in parts(input, h * w * c).zip(parts_mut(output, oh * ow * oc)) {
            let patches = match source {
                Source::Input => Patches { bytes: image, ..patches(w) },
                Source::Bordered(shape) => {
                    border(conv, sides, image, shape, isa.flip(), copy)?;
                    Patches { bytes: copy, flipped: true, ..patches(shape[1]) }
                }
                Source::Windows([_, rows, quads]) => {
                    windows(conv, sides, image, 4 * quads, copy)?;
                    let column = rows * quads * 4;
                    let steps = [ow * column, column];
                    Patches { bytes: copy, count: [oh, ow], steps, rows, line: 4 * quads, quads, flipped: false }
                }
            };
            product::run(isa, &patches, &conv.weighted, sides.output.zero_point(), result);
        }
        Some(())
    }

    /// Copies `image` into a larger (or smaller) one of `shape`, zero points around it.
    fn border(
        conv: &Conv2d<'_>,
        sides: Sides<'_>,
        image: &[i8],
        [height, width, c]: [usize; 3],
        flip: i8,
        copy: &mut [i8],
    ) -> Option<()> {
        let ([_, h, w, _], [top, left]) = (sides.input.nhwc()?, conv.window.padding);
        let zero = sides.input.zero_point() as i8 ^ flip;
        let (before, after) = (left.min(width) * c, width.min(left + w) * c);
        for (y, line) in parts_mut(copy, width * c).take(height).enumerate() {
            let Some(from) = y.checked_sub(top).filter(|y| *y < h).and_then(|y| image.get(y * w * c..(y + 1) * w * c))
            else {
                line.fill(zero);
                continue;
            };
            line.get_mut(..before)?.fill(zero);
            let inside = line.get_mut(before..after)?;
            inside.iter_mut().zip(from).for_each(|(to, from)| *to = *from ^ flip);
            line.get_mut(after..)?.fill(zero);
        }
        Some(())
    }

    /// Copies the window of every output pixel, each kernel row to `run` bytes.
    fn windows(conv: &Conv2d<'_>, sides: Sides<'_>, image: &[i8], run: usize, copy: &mut [i8]) -> Option<()> {
        let ([_, h, w, c], [_, oh, ow, _]) = (sides.input.nhwc()?, sides.output.nhwc()?);
        let (window, zero) = (&conv.window, sides.input.zero_point() as i8);
        let mut runs = parts_mut(copy, run);
        for (y, x) in (0..oh).flat_map(|y| (0..ow).map(move |x| (y, x))) {
            for ky in 0..window.kernel[0] {
                let iy = (y * window.stride[0] + ky * window.dilation[0]).checked_sub(window.padding[0]);
                let taps = parts_mut(runs.next()?, c).take(window.kernel[1]);
                for (kx, tap) in taps.enumerate() {
                    let ix = (x * window.stride[1] + kx * window.dilation[1]).checked_sub(window.padding[1]);
                    let at = iy.filter(|iy| *iy < h).zip(ix.filter(|ix| *ix < w)).map(|(iy, ix)| (iy * w + ix) * c);
                    match at.and_then(|at| image.get(at..at + c)) {
                        Some(inside) => tap.copy_from_slice(inside),
                        None => tap.fill(zero),
                    }
                }
            }
        }
        Some(())
    }
}
