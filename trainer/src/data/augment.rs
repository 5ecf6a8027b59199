//! Samples for training from frames in memory: each epoch sees every frame flipped, shifted, lit and shaded differently.
//!
//! Cheap on purpose, since it runs for every sample of every epoch: one pass over the pixels, one multiply-add each.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::samples::{FrameSet, Samples, Target, digest};

/// What may happen to a frame before the network sees it. Every amount is a maximum; the draw is uniform; 0 is off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Augment {
    /// Probability of a mirror image, its label negated.
    pub flip: f32,
    /// Brightness added, as a fraction of full scale, either sign.
    pub brightness: f32,
    /// Contrast: the distance from mid-grey is multiplied by `1 - contrast` to `1 + contrast`.
    pub contrast: f32,
    /// Probability of a shadow, see [`Shadow`].
    pub shadow: f32,
    /// Shift to either side, as a fraction of the width; the edge is repeated.
    pub shift_x: f32,
    /// Shift up or down, as a fraction of the height.
    pub shift_y: f32,
    /// What a shift to the right by the full width adds to the label: the road moved right, so steer right.
    pub shift_label: f32,
    /// Uniform noise per value, as a fraction of full scale, either sign.
    pub noise: f32,
}

impl Augment {
    /// Samples as recorded.
    pub const NONE: Self = Self {
        flip: 0.0,
        brightness: 0.0,
        contrast: 0.0,
        shadow: 0.0,
        shift_x: 0.0,
        shift_y: 0.0,
        shift_label: 0.0,
        noise: 0.0,
    };
}

impl Default for Augment {
    /// Flips, light and small shifts: what helps on all of the recordings tried.
    fn default() -> Self {
        Self {
            flip: 0.5,
            brightness: 0.15,
            contrast: 0.2,
            shadow: 0.2,
            shift_x: 0.04,
            shift_y: 0.04,
            shift_label: 0.2,
            noise: 0.01,
        }
    }
}

/// A shadow: one side of a straight, slanted edge is darker.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shadow {
    /// Column of the edge in the first and in the last row.
    pub edge: (f32, f32),
    /// Whether the left side is the dark one.
    pub left: bool,
    /// What the dark side keeps of its light, 0 to 1.
    pub light: f32,
}

/// Frames as samples: input = (pixel - 128) / 128, target = the label; augmented where the training loop asks for it.
#[derive(Debug, Clone)]
pub struct Augmented<'a> {
    frames: &'a FrameSet,
    shape: [usize; 3],
    augment: Augment,
}

impl<'a> Augmented<'a> {
    /// `frames`, changed by `augment` when written with a generator.
    pub fn new(frames: &'a FrameSet, augment: Augment) -> Self {
        Self { frames, shape: [frames.height, frames.width, 3], augment }
    }
}

impl Samples for Augmented<'_> {
    fn len(&self) -> usize {
        self.frames.len()
    }

    fn input_shape(&self) -> &[usize] {
        &self.shape
    }

    fn target(&self) -> Target {
        Target::Numbers(1)
    }

    fn write(&self, index: usize, augment: Option<&mut ChaCha8Rng>, input: &mut [f32], target: &mut [f32]) {
        target.fill(self.frames.labels[index]);
        self.augment.write(self.frames.frame(index), self.shape, augment, input, target);
    }

    fn digest(&self) -> u32 {
        digest(self, &self.frames.labels)
    }
}

impl Augment {
    /// Writes a frame of `shape`, changed when there is a generator; its label stands in `target` and is changed along.
    pub(super) fn write(
        &self,
        frame: &[u8],
        [height, width, _]: [usize; 3],
        augment: Option<&mut ChaCha8Rng>,
        input: &mut [f32],
        target: &mut [f32],
    ) {
        let Some(rng) = augment else {
            return input.iter_mut().zip(frame).for_each(|(x, &byte)| *x = normalized(byte));
        };
        let draw = Draw::new(self, height, width, rng);
        draw.write(frame, width, input);
        if self.noise > 0.0 {
            add_noise(input, self.noise, rng.random());
        }
        target.iter_mut().for_each(|label| *label = draw.label(*label));
    }
}

fn normalized(byte: u8) -> f32 {
    (f32::from(byte) - 128.0) / 128.0
}

/// The largest input: byte 255.
const WHITE: f32 = 127.0 / 128.0;

/// What happens to one sample.
struct Draw {
    flip: bool,
    /// Columns that the picture moves to the right, rows that it moves down.
    shift: (isize, isize),
    label_offset: f32,
    gain: f32,
    offset: f32,
    shadow: Option<Shadow>,
}

impl Draw {
    /// Every value is drawn whether it is used or not, so that switching one off does not change the others.
    fn new(augment: &Augment, height: usize, width: usize, rng: &mut ChaCha8Rng) -> Self {
        let mut unit = || rng.random::<f32>();
        let flip = unit() < augment.flip;
        let mut signed = |amount: f32| (2.0 * unit() - 1.0) * amount;
        let dx = (signed(augment.shift_x) * width as f32).round();
        let dy = (signed(augment.shift_y) * height as f32).round();
        let gain = 1.0 + signed(augment.contrast);
        let offset = 2.0 * signed(augment.brightness);
        let shaded = unit() < augment.shadow;
        let edge = (unit() * width as f32, unit() * width as f32);
        let shadow = Shadow { edge, left: unit() < 0.5, light: 0.4 + 0.5 * unit() };
        Self {
            flip,
            shift: (dx as isize, dy as isize),
            label_offset: dx / width as f32 * augment.shift_label,
            gain,
            offset,
            shadow: shaded.then_some(shadow),
        }
    }

    /// The flip comes first, then the shift.
    fn label(&self, label: f32) -> f32 {
        let label = if self.flip { -label } else { label };
        (label + self.label_offset).clamp(-1.0, 1.0)
    }

    fn write(&self, frame: &[u8], width: usize, input: &mut [f32]) {
        let row_len = width * 3;
        let last = (frame.len() / row_len) as isize - 1;
        for (y, out) in input.chunks_exact_mut(row_len).enumerate() {
            let from = (y as isize - self.shift.1).clamp(0, last) as usize * row_len;
            self.copy_row(&frame[from..from + row_len], out);
            let split = match self.shadow {
                Some(Shadow { edge, .. }) => edge.0 + (edge.1 - edge.0) * y as f32 / last.max(1) as f32,
                None => 0.0,
            };
            let (left, right) = out.split_at_mut((split as usize).min(width) * 3);
            self.light(left, self.shadow.is_some_and(|shadow| shadow.left));
            self.light(right, self.shadow.is_some_and(|shadow| !shadow.left));
        }
    }

    /// The row mirrored and shifted, normalized.
    fn copy_row(&self, row: &[u8], out: &mut [f32]) {
        let (pixels, out) = (row.as_chunks::<3>().0, out.as_chunks_mut::<3>().0);
        if self.flip {
            shift_into(pixels.iter().rev(), self.shift.0, out);
        } else {
            shift_into(pixels.iter(), self.shift.0, out);
        }
    }

    /// Shade (towards black, which is -1), then contrast and brightness, as one multiply-add.
    fn light(&self, values: &mut [f32], dark: bool) {
        let light = if dark { self.shadow.map_or(1.0, |shadow| shadow.light) } else { 1.0 };
        let scale = light * self.gain;
        let offset = (light - 1.0) * self.gain + self.offset;
        values.iter_mut().for_each(|x| *x = (*x * scale + offset).clamp(-1.0, WHITE));
    }
}

/// Writes `pixels` moved to the right by `shift` (left, if negative), the edge pixel repeated.
fn shift_into<'p>(pixels: impl DoubleEndedIterator<Item = &'p [u8; 3]> + Clone, shift: isize, out: &mut [[f32; 3]]) {
    let edge = if shift > 0 { pixels.clone().next() } else { pixels.clone().next_back() };
    let edge = edge.map_or([0.0; 3], |pixel| pixel.map(normalized));
    let moved = shift.unsigned_abs().min(out.len());
    let kept = out.len() - moved;
    let (inner, outer) = if shift > 0 {
        let (outer, inner) = out.split_at_mut(moved);
        (inner, outer)
    } else {
        out.split_at_mut(kept)
    };
    outer.fill(edge);
    let seen = pixels.skip(if shift > 0 { 0 } else { moved });
    inner.iter_mut().zip(seen).for_each(|(out, pixel)| *out = pixel.map(normalized));
}

/// Adds uniform noise of `amount` of full scale from a small generator (SplitMix64): eight values a step.
fn add_noise(values: &mut [f32], amount: f32, mut state: u64) {
    let scale = 2.0 * amount / 127.5;
    for eight in values.chunks_mut(8) {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        for (x, byte) in eight.iter_mut().zip((z ^ (z >> 31)).to_le_bytes()) {
            *x = (*x + (f32::from(byte) - 127.5) * scale).clamp(-1.0, WHITE);
        }
    }
}
