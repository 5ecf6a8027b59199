//! What a road is made of and what stands and falls on it: materials, roadside clutter, shadows.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::noise::{hash, unit};
use super::weather::Rgb;
use super::{Road, Weather};

/// Distance between places where something may stand, metres.
const SLOT_M: f32 = 4.0;
/// Cells per metre of the shadow profile.
const SHADOW_CELLS: f32 = 4.0;

/// What stands beside a road.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Tree,
    Conifer,
    Bush,
    Post,
    Cone,
}

/// One thing beside the road, in road coordinates.
#[derive(Debug, Clone, Copy)]
pub(super) struct Object {
    pub kind: Kind,
    pub s: f32,
    pub lateral: f32,
    pub height: f32,
    /// Varies the colour, 0 to 1.
    pub shade: f32,
}

/// Materials, clutter and shadows along one road.
#[derive(Debug, Clone)]
pub struct Scenery {
    pub(super) asphalt: Rgb,
    pub(super) paint: Rgb,
    /// Share of the paint that is left, 0 to 1.
    pub(super) wear: f32,
    pub(super) shoulder: Rgb,
    pub(super) shoulder_width: f32,
    pub(super) verge: Rgb,
    pub(super) roughness: f32,
    pub(super) foliage: Rgb,
    /// Lighting by the sun (0 to 1) along the road, `SHADOW_CELLS` to the metre.
    sunlit: Vec<f32>,
    clutter: f32,
    left_edge: f32,
    right_edge: f32,
    seed: u32,
}

impl Scenery {
    /// The scenery of a seed along a road, with the shadows of the weather's sun.
    pub fn from_seed(seed: u64, road: &Road, weather: &Weather) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(2);
        let mut between = |low: f32, high: f32| rng.random_range(low..high);
        let grey = between(0.10, 0.20);
        let asphalt = [grey * between(0.95, 1.1), grey, grey * between(0.95, 1.1)];
        let white = between(0.75, 0.95);
        let paint = if between(0.0, 1.0) < 0.75 { [white; 3] } else { [white, white * 0.72, white * 0.12] };
        let gravel = between(0.26, 0.40);
        let shoulder = [gravel * 1.08, gravel, gravel * 0.86];
        let (lush, dry) = ([0.10, 0.24, 0.05], [0.42, 0.36, 0.16]);
        let dryness = between(0.0, 1.0).powi(2);
        let verge = std::array::from_fn(|c| lush[c] + (dry[c] - lush[c]) * dryness);
        let foliage = [between(0.05, 0.14), between(0.14, 0.22), between(0.02, 0.07)];
        let scenery = Self {
            asphalt,
            paint,
            wear: between(0.65, 1.0),
            shoulder,
            shoulder_width: between(0.2, 1.4),
            verge,
            roughness: between(0.5, 1.0),
            foliage,
            sunlit: Vec::new(),
            clutter: between(0.1, 0.8),
            left_edge: road.left_edge,
            right_edge: road.right_edge,
            seed: rng.random(),
        };
        let sunlit = scenery.cast_shadows(road.length() + 60.0, weather.shadows);
        Self { sunlit, ..scenery }
    }

    /// The same without anything that tells left from right.
    #[cfg(test)]
    pub(super) fn bare(mut self) -> Self {
        self.clutter = 0.0;
        self.roughness = 0.0;
        self.sunlit.clear();
        self
    }

    /// How much of the sun reaches the road at distance `s`, 0 to 1.
    pub(super) fn sunlit(&self, s: f32) -> f32 {
        self.sunlit.get((s * SHADOW_CELLS) as usize).copied().unwrap_or(1.0)
    }

    /// Shadows as tree crowns cast them: groups of soft-edged bands.
    fn cast_shadows(&self, length: f32, share: f32) -> Vec<f32> {
        let mut light = vec![1.0f32; (length * SHADOW_CELLS) as usize];
        for band in 0..(length / 6.0) as i32 {
            if unit(band, 1, self.seed) >= share {
                continue;
            }
            let middle = (band as f32 + unit(band, 2, self.seed)) * 6.0;
            let half = 0.4 + 2.2 * unit(band, 3, self.seed);
            let first = ((middle - half - 1.0) * SHADOW_CELLS).max(0.0) as usize;
            let last = ((middle + half + 1.0) * SHADOW_CELLS).max(0.0) as usize;
            for (i, cell) in light.iter_mut().enumerate().take(last).skip(first) {
                let inside = half - (i as f32 / SHADOW_CELLS - middle).abs();
                *cell = cell.min(1.0 - (inside / 0.5 + 0.5).clamp(0.0, 1.0));
            }
        }
        light
    }

    /// What stands between distances `from` and `to`, the farthest first.
    pub(super) fn objects(&self, from: f32, to: f32) -> impl Iterator<Item = Object> + '_ {
        let slots = (from / SLOT_M).floor() as i32..(to / SLOT_M).ceil() as i32;
        slots.rev().flat_map(move |slot| [-1, 1].into_iter().filter_map(move |side| self.object(slot, side)))
    }

    fn object(&self, slot: i32, side: i32) -> Option<Object> {
        let draw = |what: i32| unit(slot * 2 + side.max(0), what, self.seed);
        if draw(4) >= self.clutter {
            return None;
        }
        let kinds = [Kind::Tree, Kind::Tree, Kind::Conifer, Kind::Bush, Kind::Bush, Kind::Post, Kind::Post, Kind::Cone];
        let kind = kinds[hash(slot, side, self.seed) as usize % kinds.len()];
        let (clearance, height) = match kind {
            Kind::Tree => (3.5 + 12.0 * draw(5), 4.0 + 5.0 * draw(6)),
            Kind::Conifer => (3.0 + 12.0 * draw(5), 5.0 + 6.0 * draw(6)),
            Kind::Bush => (2.0 + 9.0 * draw(5), 0.6 + 1.2 * draw(6)),
            Kind::Post => (0.9 + 0.4 * draw(5), 1.0),
            Kind::Cone => (0.6 + 1.0 * draw(5), 0.7),
        };
        let lateral = if side < 0 { self.left_edge - clearance } else { self.right_edge + clearance };
        Some(Object { kind, s: (slot as f32 + draw(7)) * SLOT_M, lateral, height, shade: draw(8) })
    }
}
