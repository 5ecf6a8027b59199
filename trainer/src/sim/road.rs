//! The geometry of a road: where its centre line runs, how it bends and climbs, how wide it is and what is painted on it.
//!
//! Curvature is piecewise linear in the distance along the road, so bends are arcs joined by clothoids, as real roads
//! are. The heading stays within a quarter turn of the start's, so that a road never crosses itself.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::vehicle::Pose;

/// The fastest a speed plan gets, m/s.
pub(super) const MAX_SPEED: f32 = 15.0;
/// Road beyond the last metre that can be driven, so that the camera always sees some.
pub(super) const RUN_OUT_M: f32 = 200.0;
const MIN_SPEED: f32 = 8.0;
/// Distance between stored points.
const STEP_M: f32 = 0.5;
/// How fast curvature may change along the road, 1/m per metre.
const CURVATURE_RATE: f64 = 0.0015;
/// How far the heading may turn from the start's.
const MAX_HEADING: f64 = 1.35;
/// Sideways acceleration that the speed plan allows in bends, m/s^2.
const SIDE_ACCELERATION: f32 = 3.6;
/// Acceleration along the road that the speed plan allows, m/s^2.
const BRAKING: f32 = 2.0;

/// A point of the centre line of the lane that is driven.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RoadPoint {
    /// Distance along the road, metres.
    pub s: f32,
    /// World position, metres.
    pub x: f32,
    /// World position, metres, to the right of `x`.
    pub y: f32,
    /// Direction, radians, clockwise from `x`.
    pub heading: f32,
    /// 1 / radius, 1/m; positive bends right.
    pub curvature: f32,
    /// Height of the surface, metres.
    pub height: f32,
    /// Planned speed, m/s.
    pub speed: f32,
}

/// A painted line along the road.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark {
    /// Lateral position of its middle, metres right of the driven lane's centre.
    pub lateral: f32,
    /// Width, metres.
    pub width: f32,
    /// Painted length and period of a dashed line, metres; `None` is solid.
    pub dash: Option<(f32, f32)>,
}

/// The road as lines for a plot, each a list of `(x, y)`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outline {
    /// Centre of the driven lane.
    pub centre: Vec<(f32, f32)>,
    /// Left edge of the driven lane.
    pub left: Vec<(f32, f32)>,
    /// Right edge of the driven lane.
    pub right: Vec<(f32, f32)>,
}

/// A winding road with one lane that is driven, and perhaps lanes beside it.
#[derive(Debug, Clone)]
pub struct Road {
    points: Vec<RoadPoint>,
    /// Width of each lane, metres.
    pub lane_width: f32,
    /// Lateral position of the left edge of the asphalt (negative), metres.
    pub left_edge: f32,
    /// Lateral position of the right edge of the asphalt, metres.
    pub right_edge: f32,
    /// What is painted on it.
    pub marks: Vec<Mark>,
}

impl Road {
    /// The road of a seed, at least `length_m` long.
    pub fn from_seed(seed: u64, length_m: f32) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let lane_width: f32 = rng.random_range(3.5..4.2);
        let lanes = [(0, 0), (0, 0), (1, 0), (1, 0), (0, 1), (1, 1)][rng.random_range(0..6)];
        let (left_edge, right_edge, marks) = cross_section(lane_width, lanes, &mut rng);
        let curvature = curvature_profile(length_m.max(1.0), &mut rng);
        let hills = Hills::random(&mut rng);
        let cruise = rng.random_range(12.0..MAX_SPEED);
        let mut points = integrate(&curvature, &hills);
        plan_speed(&mut points, cruise);
        Self { points, lane_width, left_edge, right_edge, marks }
    }

    /// A road of given curvature (1/m, one value every half metre), flat, with a single lane; for experiments and tests.
    pub fn from_curvature(curvature: &[f64], lane_width: f32) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let (left_edge, right_edge, marks) = cross_section(lane_width, (0, 0), &mut rng);
        let mut points = integrate(curvature, &Hills::default());
        plan_speed(&mut points, MAX_SPEED);
        Self { points, lane_width, left_edge, right_edge, marks }
    }

    /// Length of the centre line, metres.
    pub fn length(&self) -> f32 {
        self.points.last().map_or(0.0, |p| p.s)
    }

    /// The centre line at distance `s`, which is held within the road.
    pub fn at(&self, s: f32) -> RoadPoint {
        let position = (s / STEP_M).clamp(0.0, self.points.len().saturating_sub(1) as f32);
        let index = position as usize;
        let (Some(a), Some(b)) = (self.points.get(index), self.points.get(index + 1).or(self.points.get(index))) else {
            return RoadPoint::default();
        };
        let t = position - index as f32;
        let mix = |a: f32, b: f32| a + (b - a) * t;
        RoadPoint {
            s: mix(a.s, b.s),
            x: mix(a.x, b.x),
            y: mix(a.y, b.y),
            heading: mix(a.heading, b.heading),
            curvature: mix(a.curvature, b.curvature),
            height: mix(a.height, b.height),
            speed: mix(a.speed, b.speed),
        }
    }

    /// The pose on the road at distance `s`, `lateral` metres right of the centre, turned by `yaw` from the road.
    pub fn pose(&self, s: f32, lateral: f32, yaw: f32) -> Pose {
        let p = self.at(s);
        Pose { x: p.x, y: p.y, heading: p.heading }.offset(lateral, yaw)
    }

    /// Road coordinates `(s, lateral)` of a world point, looked for within 10 m of `near` along the road.
    pub fn project(&self, x: f32, y: f32, near: f32) -> (f32, f32) {
        let index = |s: f32| ((s / STEP_M).max(0.0) as usize).min(self.points.len().saturating_sub(1));
        let window = self.points.get(index(near - 10.0)..=index(near + 10.0)).unwrap_or_default();
        let distance = |p: &RoadPoint| (p.x - x).powi(2) + (p.y - y).powi(2);
        let nearest = window.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        nearest.map_or((near, 0.0), |p| {
            let (sin, cos) = p.heading.sin_cos();
            let (dx, dy) = (x - p.x, y - p.y);
            let (along, lateral) = straighten(dx * cos + dy * sin, dy * cos - dx * sin, p.curvature);
            (p.s + along, lateral)
        })
    }

    /// The lane's centre and edges from distance `from` to `to`, one point every `step` metres.
    pub fn outline(&self, from: f32, to: f32, step: f32) -> Outline {
        let mut outline = Outline::default();
        let step = step.max(STEP_M);
        let count = ((to.min(self.length()) - from) / step).max(0.0) as usize;
        for i in 0..=count {
            let at = |lateral| {
                let pose = self.pose(from + i as f32 * step, lateral, 0.0);
                (pose.x, pose.y)
            };
            outline.centre.push(at(0.0));
            outline.left.push(at(-0.5 * self.lane_width));
            outline.right.push(at(0.5 * self.lane_width));
        }
        outline
    }
}

/// Turns a point `u` along and `v` right of the tangent of an arc into distance along and lateral offset from the arc.
pub(super) fn straighten(u: f32, v: f32, curvature: f32) -> (f32, f32) {
    let towards_centre = (1.0 - curvature * v).max(0.2);
    (u / towards_centre, v - 0.5 * curvature * u * u / towards_centre)
}

/// Edges of the asphalt and the marks, for `(left, right)` further lanes: solid at the outside, dashed between lanes.
fn cross_section(lane: f32, (left, right): (u8, u8), rng: &mut ChaCha8Rng) -> (f32, f32, Vec<Mark>) {
    let width = rng.random_range(0.14..0.22);
    let painted = rng.random_range(3.0..5.0);
    let dash = Some((painted, painted + rng.random_range(2.5..4.5)));
    let margin = rng.random_range(0.25..0.5);
    let (left, right) = (-lane * (0.5 + f32::from(left)), lane * (0.5 + f32::from(right)));
    let mut marks = vec![Mark { lateral: left, width, dash: None }, Mark { lateral: right, width, dash: None }];
    for lateral in [-0.5 * lane, 0.5 * lane] {
        if lateral > left + 0.1 && lateral < right - 0.1 {
            marks.push(Mark { lateral, width, dash });
        }
    }
    (left - margin, right + margin, marks)
}

/// Heading gained while curvature changes from `from` to `to` at the fixed rate.
fn turn(from: f64, to: f64) -> f64 {
    (to * to - from * from) / (2.0 * CURVATURE_RATE) * (to - from).signum()
}

/// Curvature every `STEP_M`: straights and arcs of random radius and length, joined by clothoids.
///
/// Invariant: straightening out from here leaves the heading within `MAX_HEADING`.
fn curvature_profile(length_m: f32, rng: &mut ChaCha8Rng) -> Vec<f64> {
    let step = f64::from(STEP_M);
    let count = (length_m / STEP_M) as usize + 2;
    let tightest = rng.random_range(0.018..0.040);
    // The road starts with a short straight.
    let mut profile = vec![0.0; 20.min(count)];
    let (mut heading, mut curvature) = (0.0f64, 0.0f64);
    while profile.len() < count {
        let strength = tightest * rng.random_range(0.25..1.0);
        let right = rng.random_range(-1.0..1.0) > heading / MAX_HEADING;
        let wanted = match (rng.random_bool(0.2), right) {
            (true, _) => 0.0,
            (false, true) => strength,
            (false, false) => -strength,
        };
        let hold = (rng.random_range(8.0..60.0) / step) as usize;
        let reached = heading + turn(curvature, wanted) + turn(wanted, 0.0);
        let wanted = if reached.abs() > MAX_HEADING { 0.0 } else { wanted };
        while (curvature - wanted).abs() > 1e-9 {
            curvature += (wanted - curvature).clamp(-CURVATURE_RATE * step, CURVATURE_RATE * step);
            heading += curvature * step;
            profile.push(curvature);
        }
        for _ in 0..hold {
            if (heading + curvature * step + turn(curvature, 0.0)).abs() > MAX_HEADING {
                break;
            }
            heading += curvature * step;
            profile.push(curvature);
        }
    }
    profile.truncate(count);
    profile
}

/// Vertical profile: a sum of waves `(amplitude m, wavelength m, phase)`.
#[derive(Default)]
struct Hills {
    waves: Vec<(f64, f64, f64)>,
}

impl Hills {
    /// Waves whose crests are gentle enough to see the road beyond 30 m.
    fn random(rng: &mut ChaCha8Rng) -> Self {
        let steepness = rng.random_range(0.0..1.0);
        let mut wave = |shortest: f64, longest: f64| {
            let wavelength = rng.random_range(shortest..longest);
            let wave_number = std::f64::consts::TAU / wavelength;
            let amplitude = steepness * rng.random_range(0.2..0.5) * 0.0015 / (wave_number * wave_number);
            (amplitude, wavelength, rng.random_range(0.0..std::f64::consts::TAU))
        };
        Self { waves: vec![wave(90.0, 140.0), wave(160.0, 300.0)] }
    }

    fn height(&self, s: f64) -> f64 {
        self.waves.iter().map(|&(a, l, p)| a * (std::f64::consts::TAU * s / l + p).sin()).sum()
    }
}

/// Follows the curvature into positions and headings.
fn integrate(curvature: &[f64], hills: &Hills) -> Vec<RoadPoint> {
    let step = f64::from(STEP_M);
    let (mut x, mut y, mut heading) = (0.0f64, 0.0f64, 0.0f64);
    let point = |(i, &k): (usize, &f64)| {
        let s = i as f64 * step;
        let point = RoadPoint {
            s: s as f32,
            x: x as f32,
            y: y as f32,
            heading: heading as f32,
            curvature: k as f32,
            height: hills.height(s) as f32,
            speed: 0.0,
        };
        let middle = heading + 0.5 * k * step;
        x += step * middle.cos();
        y += step * middle.sin();
        heading += k * step;
        point
    };
    curvature.iter().enumerate().map(point).collect()
}

/// Cruise speed, slower in bends, braking in time for them.
fn plan_speed(points: &mut [RoadPoint], cruise: f32) {
    let mut next = cruise;
    for point in points.iter_mut().rev() {
        let in_bend = (SIDE_ACCELERATION / point.curvature.abs().max(1e-4)).sqrt();
        let braking = (next * next + 2.0 * BRAKING * STEP_M).sqrt();
        point.speed = cruise.min(braking).min(in_bend).max(MIN_SPEED);
        next = point.speed;
    }
}
