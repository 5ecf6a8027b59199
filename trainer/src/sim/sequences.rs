//! Records drives in pieces, frame after frame as a car sees them: samples for networks that remember.
//!
//! A driver who is off the lane's centre, turned away and not steady steers back as the expert does; while the camera is black he holds
//! the wheel. So the network sees what its own mistakes will look like, and what the way back is.

use std::sync::atomic::AtomicBool;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::disturbance::Blackouts;
use super::record::by_worlds;
use super::{Camera, Disturbances, FRAMES_PER_SECOND, Renderer, Split, Vehicle, VehicleSpec, World, expert};
use crate::data::FrameSet;
use crate::{Error, Result};

/// Sequences from one world.
const PER_WORLD: usize = 8;
/// How much of the driver's unsteadiness stays from frame to frame.
const UNSTEADY: f32 = 0.9;

/// What to record.
#[derive(Debug, Clone, PartialEq)]
pub struct SequenceOptions {
    /// Which worlds.
    pub split: Split,
    /// Seed of the run.
    pub seed: u64,
    /// How many sequences.
    pub sequences: usize,
    /// Frames of each, 30 to a second.
    pub steps: usize,
    /// Rows of the frames.
    pub height: usize,
    /// Columns of the frames.
    pub width: usize,
    /// What blinds the camera.
    pub disturbances: Disturbances,
    /// Farthest from the lane's centre that a sequence begins, metres.
    pub shift_m: f32,
    /// Farthest turn that it begins with, degrees.
    pub turn_deg: f32,
}

impl SequenceOptions {
    /// Sequences of frames of a size from a run's training worlds.
    pub fn new(seed: u64, sequences: usize, steps: usize, height: usize, width: usize) -> Self {
        let disturbances = Disturbances::default();
        Self { split: Split::Train, seed, sequences, steps, height, width, disturbances, shift_m: 0.9, turn_deg: 7.0 }
    }
}

/// Records sequences, one after another in one set, with the expert's steering of each frame. The result depends on the options alone,
/// not on the number of threads.
///
/// `progress` is called with the number of sequences done so far, from any thread; `stop` ends the recording early.
///
/// # Errors
/// `ErrorKind::Interrupted` when stopped, `ErrorKind::Usage` for frames without pixels, no steps, or more than memory holds.
pub fn record_sequences(
    options: &SequenceOptions,
    progress: &(dyn Fn(usize) + Sync),
    stop: &AtomicBool,
) -> Result<FrameSet> {
    let &SequenceOptions { steps, height, width, .. } = options;
    if steps == 0 {
        return Err(Error::usage("sequences", "need at least one step"));
    }
    let frames = options.sequences.saturating_mul(steps);
    by_worlds(
        [height, width],
        frames,
        PER_WORLD * steps,
        &|frames| progress(frames / steps),
        stop,
        &|index, pixels, labels| {
            record_world(options, index, pixels, labels);
        },
    )
}

fn record_world(options: &SequenceOptions, index: u64, pixels: &mut [u8], labels: &mut [f32]) {
    // From one sequence to the next there is a second of road that nobody sees.
    let seconds = options.steps as f32 / FRAMES_PER_SECOND + 1.0;
    let world = World::of(options.split, options.seed, index, seconds * PER_WORLD as f32);
    let world = world.disturbed(options.disturbances);
    let mut rng = ChaCha8Rng::seed_from_u64(options.split.seed(options.seed, index));
    rng.set_stream(4);
    let mut renderer = Renderer::new(Camera::default(), options.height, options.width);
    let size = options.height * options.width * 3;
    let sequences = pixels.chunks_mut(options.steps * size).zip(labels.chunks_mut(options.steps));
    for (number, (pixels, labels)) in sequences.enumerate() {
        let s = 2.0 + number as f32 * seconds * super::road::MAX_SPEED + rng.random_range(0.0..8.0);
        let mut driver = Driver::new(options, &world, s, &mut rng);
        let blackout = options.disturbances.blackout;
        let mut blackouts = blackout.then(|| Blackouts::new(world.weather.seed, 1 + number as u32));
        for (frame, label) in pixels.chunks_exact_mut(size).zip(labels) {
            let black = blackouts.as_mut().is_some_and(Blackouts::next);
            let pose = driver.vehicle.pose;
            match black {
                true => frame.fill(0),
                false => renderer.render(&world, pose, driver.s, rng.random(), frame),
            }
            *label = expert::steer(&world.road, &driver.vehicle.spec, pose, driver.s);
            driver.step(&world, (!black).then_some(*label), &mut rng);
        }
    }
}

struct Driver {
    vehicle: Vehicle,
    s: f32,
    held: f32,
    unsteady: f32,
}

impl Driver {
    fn new(options: &SequenceOptions, world: &World, s: f32, rng: &mut ChaCha8Rng) -> Self {
        let mut within = |reach: f32| (rng.random::<f32>() * 2.0 - 1.0) * reach;
        let pose = world.road.pose(s, within(options.shift_m), within(options.turn_deg).to_radians());
        let (spec, point) = (VehicleSpec::default(), world.road.at(s));
        let steering = (spec.wheelbase * point.curvature).atan() + within(0.03);
        let vehicle = Vehicle { spec, pose, speed: point.speed, steering };
        Self { vehicle, s, held: vehicle.command(), unsteady: 0.0 }
    }

    /// Drives on by a frame, steering as the expert says, or as before where nothing is seen.
    fn step(&mut self, world: &World, expert: Option<f32>, rng: &mut ChaCha8Rng) {
        self.held = expert.unwrap_or(self.held);
        self.unsteady = UNSTEADY * self.unsteady + (rng.random::<f32>() - 0.5) * 0.08;
        let speed = world.road.at(self.s).speed;
        self.vehicle.step(self.held + self.unsteady, speed, 1.0 / FRAMES_PER_SECOND);
        (self.s, _) = world.road.project(self.vehicle.pose.x, self.vehicle.pose.y, self.s);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn options() -> SequenceOptions {
        let disturbances = Disturbances { glare: true, blackout: true };
        SequenceOptions { disturbances, ..SequenceOptions::new(3, 19, 24, 16, 48) }
    }

    fn recorded(options: &SequenceOptions) -> FrameSet {
        record_sequences(options, &|_| {}, &AtomicBool::new(false)).unwrap()
    }

    #[test]
    fn sequences_do_not_depend_on_threads() {
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| recorded(&options()))
        };
        let (one, three) = (with(1), with(3));
        assert_eq!((one.len(), &one.pixels, &one.labels), (19 * 24, &three.pixels, &three.labels));
    }

    #[test]
    fn some_frames_are_black_and_labels_run_on() {
        let set = recorded(&options());
        let black = (0..set.len()).filter(|at| set.frame(*at).iter().all(|byte| *byte == 0)).count();
        assert!(black * 20 > set.len() && black * 2 < set.len(), "{black} of {} frames are black", set.len());
        // From frame to frame the expert's steering changes little; from sequence to sequence it jumps.
        let jumps = |within: bool| {
            let changes = (1..set.len()).filter(|at| (at % 24 != 0) == within);
            changes.map(|at| (set.labels[at] - set.labels[at - 1]).abs()).fold(0.0, f32::max)
        };
        assert!(jumps(true) < 0.15 && jumps(false) > 0.2, "{} and {}", jumps(true), jumps(false));
        let clear = recorded(&SequenceOptions { disturbances: Disturbances::default(), ..options() });
        assert!((0..clear.len()).all(|at| clear.frame(at).iter().any(|byte| *byte > 0)));
    }

    #[test]
    fn nothing_to_record_and_a_stop_are_errors() {
        let none = SequenceOptions { steps: 0, ..options() };
        assert_eq!(record_sequences(&none, &|_| {}, &AtomicBool::new(false)).unwrap_err().kind, ErrorKind::Usage);
        let stopped = record_sequences(&options(), &|_| {}, &AtomicBool::new(true));
        assert_eq!(stopped.unwrap_err().kind, ErrorKind::Interrupted);
    }
}
