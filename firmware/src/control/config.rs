//! The limits of the control loop.

use crate::servo::Geometry;

/// Limits, with defaults for a 1:10 car at 30 frames a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Config {
    /// A frame older than this when it arrives is not steered by, microseconds.
    pub max_age_us: u64,
    /// No good frame for this long is silence, microseconds.
    pub silence_us: u64,
    /// The network must answer within this, microseconds.
    pub deadline_us: u64,
    /// The wheels are held this long after a fault, then centred, microseconds.
    pub centre_after_us: u64,
    /// So many repetitions of one picture are a frozen camera.
    pub frozen_after: u8,
    /// Time from frame to frame, microseconds; the slew limit counts at most three of them.
    pub frame_us: u64,
    /// How fast the wheels may turn, degrees per second.
    pub slew_deg_per_s: u16,
    /// Throttle pulse while driving, microseconds; [`NEUTRAL_US`](crate::servo::NEUTRAL_US) stops.
    pub cruise_us: u32,
    /// The axle, which limits the angle.
    pub geometry: Geometry,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_age_us: 200_000,
            silence_us: 300_000,
            deadline_us: 100_000,
            centre_after_us: 500_000,
            frozen_after: 5,
            frame_us: 33_333,
            slew_deg_per_s: 300,
            cruise_us: 1_600,
            geometry: Geometry::RC_CAR,
        }
    }
}
