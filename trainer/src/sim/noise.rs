//! Cheap repeatable noise: an integer hash, and one tileable texture that every surface is sampled from.

use std::sync::OnceLock;

/// A well mixed 32-bit hash of two integers and a seed (the finalizer is Wellons' `lowbias32`).
pub(super) fn hash(x: i32, y: i32, seed: u32) -> u32 {
    let mut h = seed ^ (x as u32).wrapping_mul(0x9e37_79b1) ^ (y as u32).wrapping_mul(0x85eb_ca77).rotate_left(15);
    h = (h ^ h >> 16).wrapping_mul(0x7feb_352d);
    h = (h ^ h >> 15).wrapping_mul(0x846c_a68b);
    h ^ h >> 16
}

/// The hash as a number in `0..1`.
pub(super) fn unit(x: i32, y: i32, seed: u32) -> f32 {
    (hash(x, y, seed) >> 8) as f32 / (1 << 24) as f32
}

const SIDE: usize = 128;

/// A tileable square of value noise, `0..=255` around a mean of about 128.
pub(super) struct Texture {
    cells: Vec<u8>,
}

impl Texture {
    /// The texture, made on first use.
    pub(super) fn shared() -> &'static Self {
        static SHARED: OnceLock<Texture> = OnceLock::new();
        SHARED.get_or_init(Self::new)
    }

    fn new() -> Self {
        let cell = |i: usize| {
            let (x, y) = (i % SIDE, i / SIDE);
            let octaves = [(16, 0.35), (4, 0.3), (1, 0.35)];
            let sum: f32 = octaves.iter().map(|&(size, weight)| weight * smooth(x, y, size)).sum();
            // Octaves average out; the factor restores contrast.
            ((sum - 0.5) * 1.6 + 0.5).clamp(0.0, 1.0) * 255.0
        };
        Self { cells: (0..SIDE * SIDE).map(|i| cell(i) as u8).collect() }
    }

    /// The nearest cell's value in `-1..1`, for coordinates in cells (above -4096).
    pub(super) fn at(&self, x: f32, y: f32) -> f32 {
        let wrap = |v: f32| (v + 4096.0) as i32 as usize % SIDE;
        f32::from(self.cells[wrap(y) * SIDE + wrap(x)]) * (2.0 / 255.0) - 1.0
    }

    /// Smoothly interpolated value in `-1..1` along a line of the texture, for coordinates in cells.
    pub(super) fn line(&self, x: f32, row: f32) -> f32 {
        let floor = x.floor();
        let (a, b) = (self.at(floor, row), self.at(floor + 1.0, row));
        a + (b - a) * (x - floor)
    }
}

/// Bilinear value noise over a lattice of `size` cells, repeating after `SIDE`.
fn smooth(x: usize, y: usize, size: usize) -> f32 {
    let lattice = SIDE / size;
    let corner = |i: usize, j: usize| unit((i % lattice) as i32, (j % lattice) as i32, size as u32);
    let (i, j) = (x / size, y / size);
    let (fx, fy) = ((x % size) as f32 / size as f32, (y % size) as f32 / size as f32);
    let top = corner(i, j) * (1.0 - fx) + corner(i + 1, j) * fx;
    let bottom = corner(i, j + 1) * (1.0 - fx) + corner(i + 1, j + 1) * fx;
    top * (1.0 - fy) + bottom * fy
}
