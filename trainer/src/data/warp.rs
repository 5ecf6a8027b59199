//! Pictures of classes: each epoch sees every picture moved, turned and scaled a little differently.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Pictures of one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pictures {
    /// Height, width, channels.
    pub shape: [usize; 3],
    /// The pictures one after another, HWC.
    pub pixels: Vec<u8>,
}

/// How a picture is changed each time it is trained on. Every amount is a maximum; the draw is uniform; 0 is off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Warp {
    /// Shift to any side, as a fraction of the width and height.
    pub shift: f32,
    /// Turn, degrees.
    pub turn: f32,
    /// Larger or smaller, as a fraction of the size.
    pub scale: f32,
    /// Columns slanted, as a fraction of the height.
    pub shear: f32,
    /// Probability of a mirror image. Not for digits and letters.
    pub flip: f32,
    /// Contrast: the distance from mid-grey is multiplied by `1 - contrast` to `1 + contrast`.
    pub contrast: f32,
}

impl Warp {
    /// Pictures as they are.
    pub const NONE: Self = Self { shift: 0.0, turn: 0.0, scale: 0.0, shear: 0.0, flip: 0.0, contrast: 0.0 };
    /// What most photographs stand: also mirrored and lit otherwise.
    pub const PHOTOGRAPHS: Self = Self { shift: 0.1, turn: 8.0, scale: 0.1, shear: 0.05, flip: 0.5, contrast: 0.2 };
}

impl Default for Warp {
    /// What signs and digits stand: small moves and turns, no mirror images.
    fn default() -> Self {
        Self { shift: 0.08, turn: 10.0, scale: 0.1, shear: 0.1, flip: 0.0, contrast: 0.0 }
    }
}

impl Pictures {
    /// Writes picture `index`, (pixel - 128) / 128.
    pub(super) fn write(&self, index: usize, change: Option<(Warp, &mut ChaCha8Rng)>, out: &mut [f32]) {
        write(&self.pixels[index * out.len()..][..out.len()], self.shape, change, out);
    }
}

/// Writes a picture of `shape`, (pixel - 128) / 128.
pub(super) fn write(picture: &[u8], shape: [usize; 3], change: Option<(Warp, &mut ChaCha8Rng)>, out: &mut [f32]) {
    match change {
        None => out.iter_mut().zip(picture).for_each(|(x, &pixel)| *x = real(f32::from(pixel))),
        Some((warp, rng)) => Draw::new(&warp, rng).write(picture, shape, out),
    }
}

fn real(pixel: f32) -> f32 {
    (pixel - 128.0) / 128.0
}

/// What happens to one picture: from a place in the result, both counted from the middle, to one in the source.
struct Draw {
    matrix: [[f32; 2]; 2],
    /// As fractions of height and width.
    shift: [f32; 2],
    contrast: f32,
}

impl Draw {
    /// Every value is drawn whether it is used or not, so that switching one off does not change the others.
    fn new(warp: &Warp, rng: &mut ChaCha8Rng) -> Self {
        let mut signed = |amount: f32| (2.0 * rng.random::<f32>() - 1.0) * amount;
        let shift = [signed(warp.shift), signed(warp.shift)];
        let (sin, cos) = signed(warp.turn).to_radians().sin_cos();
        let scale = 1.0 / (1.0 + signed(warp.scale));
        let shear = signed(warp.shear);
        let contrast = 1.0 + signed(warp.contrast);
        let mirror = if rng.random::<f32>() < warp.flip { -scale } else { scale };
        let matrix = [[cos * scale, sin * scale], [(shear * cos - sin) * mirror, (cos + shear * sin) * mirror]];
        Self { matrix, shift, contrast }
    }

    /// Bilinear; the edge is repeated beyond the picture.
    fn write(&self, picture: &[u8], [height, width, channels]: [usize; 3], out: &mut [f32]) {
        let middle = [(height as f32 - 1.0) / 2.0, (width as f32 - 1.0) / 2.0];
        let moved = [self.shift[0] * height as f32, self.shift[1] * width as f32];
        for (index, pixel) in out.chunks_exact_mut(channels.max(1)).enumerate() {
            let place = [(index / width) as f32 - middle[0] - moved[0], (index % width) as f32 - middle[1] - moved[1]];
            let from = |axis: usize| {
                let [a, b] = self.matrix[axis];
                (a * place[0] + b * place[1] + middle[axis]).clamp(0.0, 2.0 * middle[axis])
            };
            let ([y, x], [dy, dx]) = ([from(0), from(1)].map(f32::floor), [from(0), from(1)].map(f32::fract));
            let (top, left) = (y as usize, x as usize);
            let (below, right) = ((top + 1).min(height - 1), (left + 1).min(width - 1));
            for (channel, value) in pixel.iter_mut().enumerate() {
                let at = |row: usize, column: usize| f32::from(picture[(row * width + column) * channels + channel]);
                let upper = at(top, left) * (1.0 - dx) + at(top, right) * dx;
                let lower = at(below, left) * (1.0 - dx) + at(below, right) * dx;
                *value = (real(upper * (1.0 - dy) + lower * dy) * self.contrast).clamp(-1.0, 127.0 / 128.0);
            }
        }
    }
}
