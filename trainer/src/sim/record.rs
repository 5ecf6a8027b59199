//! Records what the expert does, as training samples.
//!
//! As in the DAVE-2 paper, most samples are seen from viewpoints that are shifted and turned away from the drive, labelled
//! with the steering that brings the car back: the expert's at that pose. A simulator can render those viewpoints
//! instead of warping images.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{Camera, Renderer, Split, VehicleSpec, World, expert};
use crate::data::FrameSet;
use crate::{Error, ErrorKind, Result};

/// What to record.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordOptions {
    /// Which worlds.
    pub split: Split,
    /// Seed of the run.
    pub seed: u64,
    /// How many frames.
    pub frames: usize,
    /// How many frames to take from each world: fewer means more roads and weathers.
    pub frames_per_world: usize,
    /// Metres of road from one frame to the next.
    pub stride_m: f32,
    /// Rows of the frames.
    pub height: usize,
    /// Columns of the frames.
    pub width: usize,
    /// The camera on the car.
    pub camera: Camera,
    /// The car.
    pub vehicle: VehicleSpec,
    /// Share of recovery frames, 0 to 1.
    pub recovery: f32,
    /// Farthest shift of a recovery frame, metres.
    pub shift_m: f32,
    /// Farthest turn of a recovery frame, degrees.
    pub turn_deg: f32,
}

impl RecordOptions {
    /// Frames of a size from a run's training worlds, four fifths of them recoveries.
    pub fn new(seed: u64, frames: usize, height: usize, width: usize) -> Self {
        Self {
            split: Split::Train,
            seed,
            frames,
            frames_per_world: 100,
            stride_m: 3.0,
            height,
            width,
            camera: Camera::default(),
            vehicle: VehicleSpec::default(),
            recovery: 0.8,
            shift_m: 1.1,
            turn_deg: 10.0,
        }
    }
}

/// Records frames and the expert's steering. The result depends on the options alone, not on the number of threads.
///
/// `progress` is called with the number of frames done so far, from any thread; `stop` ends the recording early.
///
/// # Errors
/// [`ErrorKind::Interrupted`] when stopped, [`ErrorKind::Usage`] for frames without pixels or more than memory holds.
pub fn record(options: &RecordOptions, progress: &(dyn Fn(usize) + Sync), stop: &AtomicBool) -> Result<FrameSet> {
    by_worlds(
        [options.height, options.width],
        options.frames,
        options.frames_per_world,
        progress,
        stop,
        &|index, pixels, labels| {
            record_world(options, index, pixels, labels);
        },
    )
}

/// Draws the frames of a world, and their labels.
type DrawWorld<'a> = dyn Fn(u64, &mut [u8], &mut [f32]) + Sync + 'a;

/// Frames of `[height, width]` and their labels, drawn by `record`: the first `per_world` of them in world 0, and so on, several worlds at a time.
///
/// # Errors
/// As [`record()`].
pub(super) fn by_worlds(
    [height, width]: [usize; 2],
    frames: usize,
    per_world: usize,
    progress: &(dyn Fn(usize) + Sync),
    stop: &AtomicBool,
    record: &DrawWorld<'_>,
) -> Result<FrameSet> {
    let size = height * width * 3;
    if size == 0 {
        return Err(Error::usage("frame size", "frames need at least one row and one column"));
    }
    let bytes = frames.saturating_mul(size);
    // Asks first, since the allocation itself would end the process; its zeroes are not touched before they are drawn on.
    Vec::<u8>::new().try_reserve_exact(bytes).map_err(|_| {
        Error::usage("frames", format!("{frames} frames take {bytes} bytes of memory, more than there is"))
    })?;
    let mut set = FrameSet { height, width, pixels: vec![0; bytes], labels: vec![0.0; frames] };
    let (per_world, done) = (per_world.max(1), AtomicUsize::new(0));
    let worlds = set.pixels.par_chunks_mut(per_world * size).zip(set.labels.par_chunks_mut(per_world)).enumerate();
    worlds.for_each(|(index, (pixels, labels))| {
        if !stop.load(Ordering::Relaxed) {
            record(index as u64, pixels, labels);
            progress(done.fetch_add(labels.len(), Ordering::Relaxed) + labels.len());
        }
    });
    if stop.load(Ordering::Relaxed) {
        return Err(Error::new(ErrorKind::Interrupted, "", "recording was stopped"));
    }
    Ok(set)
}

fn record_world(options: &RecordOptions, index: u64, pixels: &mut [u8], labels: &mut [f32]) {
    let length = labels.len() as f32 * options.stride_m;
    let world = World::of(options.split, options.seed, index, length / super::road::MAX_SPEED);
    let mut rng = ChaCha8Rng::seed_from_u64(options.split.seed(options.seed, index));
    rng.set_stream(3);
    let mut renderer = Renderer::new(options.camera, options.height, options.width);
    let frames = pixels.chunks_exact_mut(options.height * options.width * 3);
    for (i, (frame, label)) in frames.zip(labels).enumerate() {
        let s = 2.0 + (i as f32 + rng.random_range(0.0..1.0)) * options.stride_m;
        let mut within = |reach: f32| (rng.random::<f32>() * 2.0 - 1.0) * reach;
        let (mut shift, mut turn) = (within(0.15), within(1.0));
        if within(0.5) + 0.5 < options.recovery {
            (shift, turn) = (within(options.shift_m), within(options.turn_deg));
        }
        let pose = world.road.pose(s, shift, turn.to_radians());
        renderer.render(&world, pose, s, rng.random(), frame);
        *label = expert::steer(&world.road, &options.vehicle, pose, s);
    }
}
