//! A world to drive in: roads, weather, camera, vehicle, an expert driver, and the score of a drive.
//!
//! Everything follows one sign rule, the steering's: positive is right. World coordinates are `x` and `y` in metres with
//! `y` to the right of `x`, headings in radians grow clockwise, a right bend has positive curvature, and a car to the
//! right of its lane's centre has a positive lateral offset. (A plot with `y` downwards shows it as seen from above.)
//!
//! In order of dependence: [`Road`] is geometry, [`Weather`] and [`Scenery`] are looks, [`Renderer`] makes a
//! [`crate::Frame`] of them from a [`Pose`], [`Vehicle`] moves, [`expert`] steers by geometry, [`drive`] closes the loop
//! around a [`Policy`] and scores it, [`record`] and [`record_sequences`] make training samples. All of it is determined by seeds.

mod camera;
mod disturbance;
mod drive;
pub mod expert;
mod ground;
mod noise;
mod record;
mod render;
mod road;
mod scenery;
mod sequences;
mod sprites;
mod vehicle;
mod weather;

#[cfg(test)]
mod tests;

pub use camera::Camera;
pub use disturbance::Disturbances;
pub use drive::{
    DriveOptions, DriveResult, INTERVENTION_M, INTERVENTION_SECONDS, Policy, Step, autonomy, drive, drive_expert,
    drive_shadowed,
};
pub use record::{RecordOptions, record};
pub use render::Renderer;
pub use road::{Mark, Outline, Road, RoadPoint};
pub use scenery::Scenery;
pub use sequences::{SequenceOptions, record_sequences};
pub use vehicle::{Pose, Vehicle, VehicleSpec, WheelAngles, turn_radius, wheel_angles};
pub use weather::{Sky, Weather};

/// Frames per second of camera and control loop.
pub const FRAMES_PER_SECOND: f32 = 30.0;

/// Wheel angle of a steering command of 1, in degrees: the `full_scale_deg` of networks trained here.
pub const FULL_SCALE_DEG: f32 = 25.0;

/// Which worlds: those to learn from, or those to be judged on. Their seeds never meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// Roads and weather for training.
    Train,
    /// Roads and weather that training never sees.
    Test,
}

impl Split {
    /// Seed of world `index` of a run: even numbers for training, odd ones for tests.
    pub fn seed(self, run: u64, index: u64) -> u64 {
        let number = run.wrapping_shl(24).wrapping_add(index);
        number << 1 | u64::from(self == Self::Test)
    }
}

/// A road, what lies along it, and the weather over it.
#[derive(Debug, Clone)]
pub struct World {
    /// Geometry.
    pub road: Road,
    /// Materials, clutter and shadows along the road.
    pub scenery: Scenery,
    /// Light, air and the state of the camera.
    pub weather: Weather,
}

impl World {
    /// The world of a road seed and a weather seed, long enough to drive for `seconds`.
    pub fn new(track_seed: u64, weather_seed: u64, seconds: f32) -> Self {
        let road = Road::from_seed(track_seed, seconds.max(0.0) * road::MAX_SPEED + road::RUN_OUT_M);
        let weather = Weather::from_seed(weather_seed);
        let scenery = Scenery::from_seed(track_seed, &road, &weather);
        Self { road, scenery, weather }
    }

    /// This world with disturbances of the camera.
    pub fn disturbed(mut self, disturbances: Disturbances) -> Self {
        self.weather.disturbances = disturbances;
        self
    }

    /// World `index` of a run's training or test worlds.
    pub fn of(split: Split, run: u64, index: u64, seconds: f32) -> Self {
        let seed = split.seed(run, index);
        Self::new(seed, seed, seconds)
    }
}
