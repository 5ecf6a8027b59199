//! Light, air, and what they do to the camera. Every weather keeps the road visible: fog ends beyond the preview, rain
//! and noise stay below the contrast of the marks.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Disturbances;

/// Linear red, green and blue, 0 to 1.
pub(super) type Rgb = [f32; 3];

/// The kind of sky that a weather belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sky {
    /// Sun and hard shadows.
    Clear,
    /// Even light.
    Overcast,
    /// Even light and short sight.
    Fog,
    /// A wet, reflecting road, streaks and drops.
    Rain,
    /// Low, warm light and a noisy camera.
    Dusk,
}

/// One state of light, air and camera.
#[derive(Debug, Clone, PartialEq)]
pub struct Weather {
    /// What kind it is.
    pub sky: Sky,
    /// Light that comes from everywhere.
    pub ambient: [f32; 3],
    /// Light that comes from the sun, where no shadow lies.
    pub sun: [f32; 3],
    /// Colour of the sky above.
    pub zenith: [f32; 3],
    /// Colour of the sky at the horizon, and of fog.
    pub horizon: [f32; 3],
    /// How much of the sky is clouded, 0 to 1.
    pub clouds: f32,
    /// Part of light that fog takes per metre.
    pub fog: f32,
    /// Strength of rain, 0 to 1.
    pub rain: f32,
    /// Share of the road under shadows, 0 to 1.
    pub shadows: f32,
    /// How far shadows run along the road per metre across it: the sun's direction.
    pub shadow_slant: f32,
    /// Gain of the camera.
    pub exposure: f32,
    /// Exponent of the camera's tone curve (1 / gamma).
    pub tone: f32,
    /// Standard deviation of the camera's noise, of full scale.
    pub noise: f32,
    /// Darkening of the frame's corners, 0 to 1.
    pub vignette: f32,
    /// Amplitude of the camera's shaking in pitch, radians.
    pub shake: f32,
    /// Error of the camera's mounting in pitch, radians.
    pub tilt: f32,
    /// What blinds the camera for a while.
    pub disturbances: Disturbances,
    /// Seed of everything that flickers from frame to frame.
    pub seed: u32,
}

impl Weather {
    /// The weather of a seed.
    pub fn from_seed(seed: u64) -> Self {
        // A stream of its own: the road of the same seed draws other numbers.
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(1);
        let sky = [Sky::Clear, Sky::Clear, Sky::Overcast, Sky::Fog, Sky::Rain, Sky::Dusk][rng.random_range(0..6)];
        Self::of_sky(sky, &mut rng)
    }

    fn of_sky(sky: Sky, rng: &mut ChaCha8Rng) -> Self {
        let mut between = |low: f32, high: f32| rng.random_range(low..high);
        let (ambient, sun, warmth) = match sky {
            Sky::Clear => (between(0.35, 0.5), between(0.6, 0.9), between(0.0, 0.12)),
            Sky::Dusk => (between(0.3, 0.45), between(0.25, 0.5), between(0.15, 0.35)),
            Sky::Overcast | Sky::Fog | Sky::Rain => (between(0.7, 0.95), between(0.0, 0.12), between(-0.06, 0.06)),
        };
        let grey = match sky {
            Sky::Clear => 0.0,
            Sky::Dusk => 0.2,
            Sky::Overcast | Sky::Fog | Sky::Rain => 0.9,
        };
        let tinted = |light: f32, by: f32| [light * (1.0 + by), light, light * (1.0 - by)];
        let mix = |a: Rgb, b: Rgb, t: f32| std::array::from_fn(|c| a[c] + (b[c] - a[c]) * t);
        let blue = [0.22 + warmth, 0.40, between(0.75, 0.9)];
        let haze = [0.68 + 0.6 * warmth, 0.74, between(0.76, 0.86)];
        let brightness = if sky == Sky::Dusk { between(0.4, 0.6) } else { between(0.75, 1.0) };
        let scaled = |colour: Rgb| colour.map(|c| c * brightness);
        Self {
            sky,
            ambient: tinted(ambient, 0.3 * warmth - 0.03),
            sun: tinted(sun, warmth),
            zenith: scaled(mix(blue, [0.62, 0.64, 0.67], grey)),
            horizon: scaled(mix(haze, [0.72, 0.73, 0.74], grey)),
            clouds: if sky == Sky::Clear { between(0.0, 0.6) } else { between(0.4, 1.0) },
            fog: if sky == Sky::Fog { between(0.012, 0.028) } else { between(0.0005, 0.006) },
            rain: if sky == Sky::Rain { between(0.3, 1.0) } else { 0.0 },
            shadows: if sun > 0.2 { between(0.0, 0.45) } else { 0.0 },
            shadow_slant: between(-0.9, 0.9),
            exposure: between(0.8, 1.2),
            tone: 1.0 / between(1.5, 2.3),
            noise: if sky == Sky::Dusk { between(0.01, 0.03) } else { between(0.003, 0.015) },
            vignette: between(0.0, 0.25),
            shake: between(0.0, 0.003),
            tilt: between(-0.008, 0.008),
            disturbances: Disturbances::default(),
            seed: rng.random(),
        }
    }
}
