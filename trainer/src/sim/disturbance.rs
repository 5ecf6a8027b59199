//! What blinds the camera for a while: a low sun that dazzles, and frames that come out black.

use std::f32::consts::TAU;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::FRAMES_PER_SECOND;
use super::noise::{Texture, hash, unit};

/// How far from the sun a heading still is dazzled, radians.
const REACH: f32 = 1.1;
/// Elevation of the sun, radians.
const ELEVATION: f32 = 0.1;
/// Width and height of the bloom around the sun (standard deviations), radians.
const BLOOM: [f32; 2] = [0.45, 0.16];
/// Light of the bloom at the sun, and that of the veil over the whole frame; 1 is full scale.
const LIGHT: [f32; 2] = [2.2, 0.5];
/// What is left of the scene's own light in full glare.
const LEFT: f32 = 0.45;
/// From the end of a burst of black frames to the next one, seconds, on average.
const SECONDS_BETWEEN: f32 = 1.0;
/// Fewest and most frames of a burst.
const BURST: [u32; 2] = [3, 15];

/// Which disturbances a world has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Disturbances {
    /// A low sun: driving towards it, the frame is washed out and blooms.
    pub glare: bool,
    /// Bursts of 3 to 15 black frames.
    pub blackout: bool,
}

impl Disturbances {
    /// Whether there are none.
    pub fn is_none(self) -> bool {
        self == Self::default()
    }
}

/// A low sun over a world.
#[derive(Debug, Clone, Copy)]
pub(super) struct Glare {
    azimuth: f32,
    seed: u32,
}

impl Glare {
    /// The sun of a weather, within 60 degrees of the direction in which its road begins.
    pub(super) fn of(seed: u32) -> Self {
        Self { azimuth: (unit(1, 0, seed) - 0.5) * TAU / 3.0, seed }
    }

    /// How much a camera with this heading is dazzled in frame `tick`, 0 to 1. Trees and posts before the sun let it flicker.
    pub(super) fn strength(self, heading: f32, tick: u32) -> f32 {
        let facing = ((self.away(heading).cos() - REACH.cos()) / (1.0 - REACH.cos())).clamp(0.0, 1.0);
        let flicker = Texture::shared().line(tick as f32 * 0.2, (self.seed % 89) as f32);
        facing.sqrt() * (0.85 + 0.3 * flicker).clamp(0.4, 1.0)
    }

    /// The sun's bearing from `heading`, radians, positive right, within half a turn.
    fn away(self, heading: f32) -> f32 {
        (self.azimuth - heading + TAU / 2.0).rem_euclid(TAU) - TAU / 2.0
    }

    /// Light of the bloom in direction `bearing`, as a factor of that in direction `elevation`; and the other one. Both radians.
    pub(super) fn across(self, heading: f32, bearing: f32) -> f32 {
        bell((bearing - self.away(heading)) / BLOOM[0])
    }

    /// See [`Glare::across`].
    pub(super) fn above(self, elevation: f32) -> f32 {
        bell((elevation - ELEVATION) / BLOOM[1])
    }

    /// Light of a pixel that had `light`, in glare of `strength`, where the bloom is `bloom`.
    pub(super) fn light(light: f32, strength: f32, bloom: f32) -> f32 {
        light * (1.0 - (1.0 - LEFT) * strength) + strength * (LIGHT[1] + LIGHT[0] * bloom)
    }
}

fn bell(distance: f32) -> f32 {
    (-0.5 * distance * distance).exp()
}

/// Which frames come out black: bursts that begin at random (a Poisson process).
#[derive(Debug)]
pub(super) struct Blackouts {
    rng: ChaCha8Rng,
    /// Frames until the burst begins.
    gap: u32,
    /// Black frames left of it.
    left: u32,
}

impl Blackouts {
    /// The bursts of a weather's camera; another number for another drive through it.
    pub(super) fn new(seed: u32, number: u32) -> Self {
        let mut blackouts =
            Self { rng: ChaCha8Rng::seed_from_u64(hash(3, number as i32, seed).into()), gap: 0, left: 0 };
        blackouts.draw();
        blackouts
    }

    /// Whether the next frame is black.
    pub(super) fn next(&mut self) -> bool {
        if self.gap > 0 {
            self.gap -= 1;
            return false;
        }
        self.left -= 1;
        if self.left == 0 {
            self.draw();
        }
        true
    }

    fn draw(&mut self) {
        let waited = -(1.0 - self.rng.random::<f32>()).ln() * SECONDS_BETWEEN;
        self.gap = 1 + (waited * FRAMES_PER_SECOND) as u32;
        self.left = self.rng.random_range(BURST[0]..=BURST[1]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{Camera, Pose, Renderer, World};

    #[test]
    fn bursts_are_of_3_to_15_frames_a_second_apart() {
        let mut blackouts = Blackouts::new(5, 0);
        let black: Vec<bool> = (0..60_000).map(|_| blackouts.next()).collect();
        let bursts: Vec<usize> = black.split(|black| !black).map(<[bool]>::len).filter(|length| *length > 0).collect();
        assert!(bursts.iter().all(|length| (3..=15).contains(length)));
        // A burst of 9 frames and a gap of 30 on average.
        assert!((1400..1650).contains(&bursts.len()), "{} bursts", bursts.len());
        let mut again = Blackouts::new(5, 0);
        assert!(black.iter().all(|black| again.next() == *black));
        let mut other = Blackouts::new(5, 1);
        assert!(black.iter().any(|black| other.next() != *black));
    }

    /// Mean and standard deviation of the bytes of the lower half: road and verges.
    fn ground(world: &World, heading: f32) -> (f64, f64) {
        let pose = Pose { heading, ..world.road.pose(20.0, 0.0, 0.0) };
        let frame = Renderer::new(Camera::default(), 32, 96).frame(world, pose, 20.0, 0);
        let bytes = &frame.rgb[frame.rgb.len() / 2..];
        let mean = bytes.iter().map(|byte| f64::from(*byte)).sum::<f64>() / bytes.len() as f64;
        let square = bytes.iter().map(|byte| (f64::from(*byte) - mean).powi(2)).sum::<f64>() / bytes.len() as f64;
        (mean, square.sqrt())
    }

    #[test]
    fn glare_washes_out_what_lies_towards_the_sun_alone() {
        let plain = World::new(7, 7, 20.0);
        let blinded = plain.clone().disturbed(Disturbances { glare: true, blackout: false });
        let azimuth = Glare::of(plain.weather.seed).azimuth;
        let ((dark, _), (bright, _)) = (ground(&plain, azimuth), ground(&blinded, azimuth));
        assert!(bright > dark + 40.0, "{dark} and {bright}");
        assert_eq!(ground(&plain, azimuth + 2.0), ground(&blinded, azimuth + 2.0));
    }
}
