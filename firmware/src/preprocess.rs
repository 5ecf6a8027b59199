//! From a camera frame to the input tensor: crop, area-averaging resize, centring to int8.
//!
//! Board and host call this same code, so that a network sees on the road the very bytes that it was trained on. It is
//! integer arithmetic only, exact, and the same for every frame: the cost does not depend on the picture.
//!
//! # Arithmetic
//! A crop of `w x h` pixels is averaged to `W x H`. With `g = gcd(w, W)`, every output column is a window of `w / g`
//! units, every source column `W / g` units wide; the weight of a source column in an output column is the number of
//! units that they share, and the weights of one window sum to `w / g`. Rows likewise. So
//!
//! ```text
//! out[Y][X] = (sum over y, x of wy[Y][y] * wx[X][x] * pixel[y][x]  +  n / 2) / n,     n = (w / gx) * (h / gy)
//! ```
//!
//! in `u32`, rounded half up: the exact area average. Enlarging repeats pixels with exact mixtures at the borders; equal
//! sizes copy. The int8 value is the byte XOR 0x80, which is `pixel - 128`: scale 1/128, zero point 0.
//!
//! # Cost
//! Per frame and colour channel: one multiply-accumulate per source pixel and output column that share it, at most
//! `h * (w + W)`; one per source row and output row that share it, at most `W * (h + H)`; one hardware division per
//! output pixel. 160 x 80 to 96 x 32 is about 94,000 multiply-accumulates, 320 x 75 to 200 x 66 about 200,000: a few
//! percent of the network behind it. No heap; scratch is two rows of the output ([`scratch_len`]).

use core::num::NonZeroU32;

#[cfg(test)]
mod tests;
mod window;

pub use window::Window;

/// Longest side of a frame, crop or target, pixels: keeps every sum inside `u32`.
pub const MAX_SIDE: usize = 4096;

/// Width and height of a picture, pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Size {
    /// Rows, 1 to [`MAX_SIDE`].
    pub height: usize,
    /// Columns, 1 to [`MAX_SIDE`].
    pub width: usize,
}

impl Size {
    /// A size of `height` rows and `width` columns.
    pub const fn new(height: usize, width: usize) -> Self {
        Self { height, width }
    }

    /// Bytes of an RGB picture of this size.
    pub const fn rgb_len(self) -> usize {
        self.height * self.width * 3
    }

    const fn in_range(self) -> bool {
        self.height >= 1 && self.height <= MAX_SIDE && self.width >= 1 && self.width <= MAX_SIDE
    }
}

/// The part of a frame that the network sees, pixels from the top left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Crop {
    /// First row.
    pub top: usize,
    /// First column.
    pub left: usize,
    /// How many rows and columns.
    pub size: Size,
}

/// Why a frame cannot be preprocessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum PreprocessError {
    /// The frame has a side of 0 or more than [`MAX_SIDE`] pixels.
    SourceSize,
    /// The target has a side of 0 or more than [`MAX_SIDE`] pixels.
    TargetSize,
    /// The crop is empty or reaches outside of the frame.
    CropOutside,
    /// The frame does not have `height * width * 3` bytes.
    FrameLength,
    /// The output does not have `height * width * 3` elements.
    OutputLength,
    /// The scratch is shorter than [`scratch_len`] of the target's width.
    ScratchLength,
}

impl core::fmt::Display for PreprocessError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::SourceSize => "the frame's sides must be 1 to 4096 pixels",
            Self::TargetSize => "the target's sides must be 1 to 4096 pixels",
            Self::CropOutside => "the crop is empty or reaches outside of the frame",
            Self::FrameLength => "the frame's bytes do not match its size",
            Self::OutputLength => "the output's length does not match the target size",
            Self::ScratchLength => "the scratch is shorter than two rows of the target",
        })
    }
}

impl core::error::Error for PreprocessError {}

/// Words of scratch for a target of `width` columns: the sums of one source row and of one output row.
pub const fn scratch_len(width: usize) -> usize {
    width * 6
}

/// One axis of the resize, in units of which both pixel grids are multiples.
#[derive(Debug, Clone, Copy)]
struct Axis {
    /// Width of a source pixel.
    source: u32,
    /// Width of an output pixel; the sum of the weights.
    target: u32,
}

impl Axis {
    const fn new(from: usize, to: usize) -> Self {
        let g = gcd(from as u32, to as u32);
        Self { source: to as u32 / g, target: from as u32 / g }
    }
}

const fn gcd(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    if a == 0 { 1 } else { a }
}

/// A checked plan: frames of one size, cropped and averaged to one target size.
#[derive(Debug, Clone, Copy)]
pub struct Preprocess {
    source: Size,
    crop: Crop,
    target: Size,
    across: Axis,
    down: Axis,
    /// Sum of the weights of one output pixel, at most `MAX_SIDE * MAX_SIDE`.
    total: NonZeroU32,
}

impl Preprocess {
    /// Plans `source`-sized frames, cropped to `crop` (`None`: the whole frame), to `target`.
    ///
    /// # Errors
    /// [`PreprocessError::SourceSize`], [`TargetSize`](PreprocessError::TargetSize) or
    /// [`CropOutside`](PreprocessError::CropOutside).
    pub const fn new(source: Size, crop: Option<Crop>, target: Size) -> Result<Self, PreprocessError> {
        if !source.in_range() {
            return Err(PreprocessError::SourceSize);
        }
        if !target.in_range() {
            return Err(PreprocessError::TargetSize);
        }
        let crop = match crop {
            Some(crop) => crop,
            None => Crop { top: 0, left: 0, size: source },
        };
        let inside = crop.size.in_range()
            && crop.size.height <= source.height
            && crop.size.width <= source.width
            && crop.top <= source.height - crop.size.height
            && crop.left <= source.width - crop.size.width;
        if !inside {
            return Err(PreprocessError::CropOutside);
        }
        let across = Axis::new(crop.size.width, target.width);
        let down = Axis::new(crop.size.height, target.height);
        match NonZeroU32::new(across.target * down.target) {
            Some(total) => Ok(Self { source, crop, target, across, down, total }),
            None => Err(PreprocessError::CropOutside),
        }
    }

    /// Size of the frames that this plan takes.
    pub const fn source(&self) -> Size {
        self.source
    }

    /// Size of the picture that it makes.
    pub const fn target(&self) -> Size {
        self.target
    }

    /// Words of scratch that [`to_i8`](Self::to_i8) and [`to_u8`](Self::to_u8) want.
    pub const fn scratch_len(&self) -> usize {
        scratch_len(self.target.width)
    }

    /// From an RGB frame (HWC bytes) to the int8 input tensor (HWC, scale 1/128, zero point 0).
    ///
    /// # Errors
    /// [`PreprocessError::FrameLength`], [`OutputLength`](PreprocessError::OutputLength) or
    /// [`ScratchLength`](PreprocessError::ScratchLength); nothing is written then.
    pub fn to_i8(&self, frame: &[u8], scratch: &mut [u32], out: &mut [i8]) -> Result<(), PreprocessError> {
        self.run(frame, scratch, out, |byte| (byte ^ 0x80) as i8)
    }

    /// The same picture as bytes, to look at it or to train on it: `to_i8` is this XOR 0x80.
    ///
    /// # Errors
    /// As [`to_i8`](Self::to_i8).
    pub fn to_u8(&self, frame: &[u8], scratch: &mut [u32], out: &mut [u8]) -> Result<(), PreprocessError> {
        self.run(frame, scratch, out, |byte| byte)
    }

    fn run<T>(
        &self,
        frame: &[u8],
        scratch: &mut [u32],
        out: &mut [T],
        convert: impl Fn(u8) -> T,
    ) -> Result<(), PreprocessError> {
        if frame.len() != self.source.rgb_len() {
            return Err(PreprocessError::FrameLength);
        }
        if out.len() != self.target.rgb_len() {
            return Err(PreprocessError::OutputLength);
        }
        let row_len = self.target.width * 3;
        let (sum, rest) = scratch.split_at_mut_checked(row_len).ok_or(PreprocessError::ScratchLength)?;
        let acc = rest.get_mut(..row_len).ok_or(PreprocessError::ScratchLength)?;
        let (left, right) = (self.crop.left * 3, (self.crop.left + self.crop.size.width) * 3);
        let rows = frame
            .chunks_exact((self.source.width * 3).max(1))
            .skip(self.crop.top)
            .filter_map(|row| row.get(left..right));
        let out_rows = out.chunks_exact_mut(row_len.max(1));
        if self.crop.size == self.target {
            for (row, out_row) in rows.zip(out_rows) {
                row.iter().zip(out_row).for_each(|(&byte, o)| *o = convert(byte));
            }
        } else {
            self.average(rows, out_rows, (sum, acc), convert);
        }
        Ok(())
    }

    /// Walks source rows and output rows side by side: each source row is summed across once, then added to the output
    /// rows that it overlaps.
    fn average<'a, T: 'a>(
        &self,
        mut rows: impl Iterator<Item = &'a [u8]>,
        out_rows: impl Iterator<Item = &'a mut [T]>,
        (sum, acc): (&mut [u32], &mut [u32]),
        convert: impl Fn(u8) -> T,
    ) {
        let half = self.total.get() / 2;
        let mut available = 0;
        for out_row in out_rows {
            acc.fill(0);
            let mut wanted = self.down.target;
            while wanted > 0 {
                if available == 0 {
                    let Some(row) = rows.next() else { return };
                    sum_across(row, self.across, sum);
                    available = self.down.source;
                }
                let weight = wanted.min(available);
                for (a, &s) in acc.iter_mut().zip(sum.iter()) {
                    *a = a.wrapping_add(s.wrapping_mul(weight));
                }
                wanted -= weight;
                available -= weight;
            }
            for (o, &a) in out_row.iter_mut().zip(acc.iter()) {
                *o = convert((a.wrapping_add(half) / self.total) as u8);
            }
        }
    }
}

/// Weighted sums of the pixels of one row, per output column and colour.
fn sum_across(row: &[u8], axis: Axis, sum: &mut [u32]) {
    let mut pixels = row.as_chunks::<3>().0.iter();
    let mut pixel = [0u32; 3];
    let mut available = 0;
    for out in sum.as_chunks_mut::<3>().0 {
        let mut acc = [0u32; 3];
        let mut wanted = axis.target;
        while wanted > 0 {
            if available == 0 {
                let Some(next) = pixels.next() else { return };
                pixel = next.map(u32::from);
                available = axis.source;
            }
            let weight = wanted.min(available);
            for (a, p) in acc.iter_mut().zip(pixel) {
                *a = a.wrapping_add(p.wrapping_mul(weight));
            }
            wanted -= weight;
            available -= weight;
        }
        *out = acc;
    }
}
