//! Closed-loop driving and its score.
//!
//! The score is NVIDIA's (*End to End Learning for Self-Driving Cars*, 2016, section 7): a simulated intervention happens
//! when the car is more than a metre off the lane's centre; it puts the car back to the centre and costs six seconds.
//! In the lanes here (3.5 to 4.2 m, a car 1.8 m wide) a metre is where a wheel leaves the lane.

use super::disturbance::Blackouts;
use super::{Camera, FRAMES_PER_SECOND, Outline, Renderer, RoadPoint, Vehicle, VehicleSpec, World, expert};
use crate::{Error, ErrorKind, Frame, Result};

/// Distance from the lane's centre at which a human would take over, metres.
pub const INTERVENTION_M: f32 = 1.0;
/// Time that an intervention counts for, seconds.
pub const INTERVENTION_SECONDS: f32 = 6.0;

/// How far before its end a road stops being driven, metres: the expert and the camera look ahead.
const END_M: f32 = 20.0;

/// Something that steers by camera. A closure `FnMut(&Frame) -> Result<f32>` is one.
pub trait Policy {
    /// Normalized steering for a frame: -1 (full left) to 1 (full right), held within that range by the car. An error
    /// ends the drive.
    fn steer(&mut self, frame: &Frame) -> Result<f32>;
}

impl<F: FnMut(&Frame) -> Result<f32>> Policy for F {
    fn steer(&mut self, frame: &Frame) -> Result<f32> {
        self(frame)
    }
}

/// How to drive.
#[derive(Debug, Clone, PartialEq)]
pub struct DriveOptions {
    /// Rows of the frames.
    pub height: usize,
    /// Columns of the frames.
    pub width: usize,
    /// Simulated time, seconds.
    pub seconds: f32,
    /// The camera on the car.
    pub camera: Camera,
    /// The car.
    pub vehicle: VehicleSpec,
    /// How many frames to keep for showing, evenly spread over the drive.
    pub strip: usize,
}

impl DriveOptions {
    /// Two simulated minutes with frames of a size.
    pub fn new(height: usize, width: usize) -> Self {
        Self { height, width, seconds: 120.0, camera: Camera::default(), vehicle: VehicleSpec::default(), strip: 0 }
    }

    fn ticks(&self) -> usize {
        (self.seconds.max(0.0) * FRAMES_PER_SECOND).round() as usize
    }
}

/// One frame's worth of driving; steering is in degrees of the (bicycle) wheel, positive right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Time since the start, seconds.
    pub t: f32,
    /// Distance along the road, metres.
    pub s: f32,
    /// Position, metres.
    pub x: f32,
    /// Position, metres.
    pub y: f32,
    /// Metres right of the lane's centre.
    pub lateral: f32,
    /// Wheel angle that the policy asked for.
    pub commanded_deg: f32,
    /// Wheel angle that the actuator had reached.
    pub actual_deg: f32,
    /// Wheel angle that the expert would have asked for here.
    pub expert_deg: f32,
    /// Whether the car was put back to the centre after this step.
    pub intervention: bool,
}

/// A finished drive.
#[derive(Debug, Clone, PartialEq)]
pub struct DriveResult {
    /// NVIDIA's autonomy, 0 to 1.
    pub autonomy: f32,
    /// How often the car was put back.
    pub interventions: usize,
    /// Mean distance from the lane's centre, metres.
    pub mean_lateral_m: f32,
    /// Root mean square distance from the lane's centre, metres.
    pub rms_lateral_m: f32,
    /// Mean difference between commanded and expert's wheel angle, degrees.
    pub mae_deg: f32,
    /// Every step of the drive.
    pub trace: Vec<Step>,
    /// Sampled frames with the index of their step.
    pub strip: Vec<(usize, Frame)>,
    /// The road as far as it was driven, for plots.
    pub outline: Outline,
}

/// NVIDIA's autonomy, `1 - interventions * 6 s / elapsed`, not below 0.
pub fn autonomy(interventions: usize, elapsed_s: f32) -> f32 {
    if elapsed_s <= 0.0 {
        return if interventions == 0 { 1.0 } else { 0.0 };
    }
    (1.0 - interventions as f32 * INTERVENTION_SECONDS / elapsed_s).max(0.0)
}

/// Drives a policy through a world, for as long as asked and as there is road.
///
/// # Errors
/// Those of the policy, and [`ErrorKind::NotFinite`] when it answers with a NaN or an infinity.
pub fn drive(world: &World, policy: &mut dyn Policy, options: &DriveOptions) -> Result<DriveResult> {
    let mut renderer = Renderer::new(options.camera, options.height, options.width);
    let mut blackouts = world.weather.disturbances.blackout.then(|| Blackouts::new(world.weather.seed, 0));
    run(world, options, |car, tick, strip| {
        let frame = match blackouts.as_mut().is_some_and(Blackouts::next) {
            true => Frame::black(options.height, options.width),
            false => renderer.frame(world, car.vehicle.pose, car.s, tick as u32),
        };
        let command = policy.steer(&frame)?;
        keep(strip, options, tick, || frame);
        Ok(command)
    })
}

/// Drives the expert, who needs no frames, through a world.
pub fn drive_expert(world: &World, options: &DriveOptions) -> DriveResult {
    let mut renderer = Renderer::new(options.camera, options.height, options.width);
    let result = run(world, options, |car, tick, strip| {
        keep(strip, options, tick, || renderer.frame(world, car.vehicle.pose, car.s, tick as u32));
        Ok(expert::steer(&world.road, &options.vehicle, car.vehicle.pose, car.s))
    });
    // The expert's answers are finite; an empty drive is what is left of the impossible.
    result.unwrap_or_else(|_| score(world, Vec::new(), Vec::new()))
}

/// Drives `policy` and lets `shadow` see the same frames without steering. Also returns the root mean square difference
/// of their wheel angles, degrees: how far int8 steering is from float steering on one and the same drive.
///
/// # Errors
/// As [`drive`], of either policy.
pub fn drive_shadowed(
    world: &World,
    policy: &mut dyn Policy,
    shadow: &mut dyn Policy,
    options: &DriveOptions,
) -> Result<(DriveResult, f32)> {
    let (mut sum, mut count) = (0.0f64, 0u32);
    let mut both = |frame: &Frame| {
        let (command, other) = (policy.steer(frame)?, shadow.steer(frame)?);
        sum += f64::from(command.clamp(-1.0, 1.0) - other.clamp(-1.0, 1.0)).powi(2);
        count += 1;
        if other.is_finite() { Ok(command) } else { Err(not_finite(other)) }
    };
    let result = drive(world, &mut both, options)?;
    let rms = (sum / f64::from(count.max(1))).sqrt() as f32;
    Ok((result, rms * options.vehicle.max_steer_deg))
}

/// The car and where along the road it is.
struct Car {
    vehicle: Vehicle,
    s: f32,
    lateral: f32,
}

impl Car {
    /// On the lane's centre, steering along its bend.
    fn centred(point: RoadPoint, spec: VehicleSpec) -> Self {
        let pose = super::Pose { x: point.x, y: point.y, heading: point.heading };
        let steering = (spec.wheelbase * point.curvature).atan();
        Self { vehicle: Vehicle { spec, pose, speed: point.speed, steering }, s: point.s, lateral: 0.0 }
    }
}

fn run(
    world: &World,
    options: &DriveOptions,
    mut steer: impl FnMut(&Car, usize, &mut Vec<(usize, Frame)>) -> Result<f32>,
) -> Result<DriveResult> {
    let ticks = options.ticks();
    let full_scale = options.vehicle.max_steer_deg;
    let mut car = Car::centred(world.road.at(2.0), options.vehicle);
    let (mut trace, mut strip) = (Vec::with_capacity(ticks), Vec::new());
    for tick in 0..ticks {
        let command = steer(&car, tick, &mut strip)?;
        if !command.is_finite() {
            return Err(not_finite(command));
        }
        let pose = car.vehicle.pose;
        let mut step = Step {
            t: tick as f32 / FRAMES_PER_SECOND,
            s: car.s,
            x: pose.x,
            y: pose.y,
            lateral: car.lateral,
            commanded_deg: command.clamp(-1.0, 1.0) * full_scale,
            actual_deg: car.vehicle.steering.to_degrees(),
            expert_deg: expert::steer(&world.road, &options.vehicle, pose, car.s) * full_scale,
            intervention: false,
        };
        car.vehicle.step(command, world.road.at(car.s).speed, 1.0 / FRAMES_PER_SECOND);
        (car.s, car.lateral) = world.road.project(car.vehicle.pose.x, car.vehicle.pose.y, car.s);
        if car.lateral.abs() > INTERVENTION_M {
            step.intervention = true;
            car = Car::centred(world.road.at(car.s), options.vehicle);
        }
        trace.push(step);
        if car.s + END_M > world.road.length() {
            break;
        }
    }
    Ok(score(world, trace, strip))
}

fn score(world: &World, trace: Vec<Step>, strip: Vec<(usize, Frame)>) -> DriveResult {
    let mean = |of: &dyn Fn(&Step) -> f64| trace.iter().map(of).sum::<f64>() / trace.len().max(1) as f64;
    let interventions = trace.iter().filter(|step| step.intervention).count();
    let ends = trace.first().zip(trace.last());
    DriveResult {
        autonomy: autonomy(interventions, trace.len() as f32 / FRAMES_PER_SECOND),
        interventions,
        mean_lateral_m: mean(&|step| f64::from(step.lateral.abs())) as f32,
        rms_lateral_m: mean(&|step| f64::from(step.lateral).powi(2)).sqrt() as f32,
        mae_deg: mean(&|step| f64::from((step.commanded_deg - step.expert_deg).abs())) as f32,
        outline: ends.map_or_else(Outline::default, |(first, last)| world.road.outline(first.s, last.s, 2.0)),
        trace,
        strip,
    }
}

/// Keeps a frame if it is one of the evenly spread ones.
fn keep(strip: &mut Vec<(usize, Frame)>, options: &DriveOptions, tick: usize, frame: impl FnOnce() -> Frame) {
    let due = strip.len() * options.ticks() / options.strip.max(1);
    if strip.len() < options.strip && tick >= due {
        strip.push((tick, frame()));
    }
}

fn not_finite(value: f32) -> Error {
    Error::new(
        ErrorKind::NotFinite,
        "policy",
        format!("steering came out as {value}; the network is broken, train it again"),
    )
}
