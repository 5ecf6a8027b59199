//! Makes camera frames of a world, by casting every pixel's ray onto the ground.
//!
//! Without roll, all pixels of a row meet the ground at the same distance ahead, so hills cost one march per row. Road
//! coordinates of ground points are found exactly at every eighth pixel of a row and interpolated between.

use super::camera::Optics;
use super::disturbance::Glare;
use super::ground::{Footprint, Ground};
use super::noise::{Texture, hash, unit};
use super::road::straighten;
use super::weather::Rgb;
use super::{Camera, Pose, Sky, World};
use crate::Frame;

/// How far the ground is drawn, metres ahead.
const SIGHT_M: f32 = 140.0;
/// Distance between the road points that ground is assigned to.
const SPACING_M: f32 = 2.0;
/// Pixels from one exact road coordinate to the next.
const KNOT: usize = 8;
/// Steps of the tone curve.
const TONES: usize = 1024;

/// The nearest ground that a row of pixels sees.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowHit {
    /// Distance ahead of the camera, metres.
    pub forward: f32,
    /// Length of road that the row covers, metres.
    pub extent: f32,
    /// Metres per pixel across.
    pub scale: f32,
}

/// A point of the road in the camera's coordinates.
#[derive(Debug, Clone, Copy)]
struct Local {
    s: f32,
    forward: f32,
    right: f32,
    sin: f32,
    cos: f32,
    curvature: f32,
}

/// Road coordinates of a ground point.
#[derive(Debug, Clone, Copy, Default)]
struct Knot {
    s: f32,
    lateral: f32,
    sin: f32,
    cos: f32,
}

/// A camera with its working memory; make one per thread.
#[derive(Debug, Clone)]
pub struct Renderer {
    camera: Camera,
    height: usize,
    width: usize,
    pub(super) canvas: Vec<Rgb>,
    pub(super) rows: Vec<Option<RowHit>>,
    path: Vec<Local>,
    profile: Vec<f32>,
    knots: Vec<Knot>,
    /// Bytes of light from 0 to full scale, and the exponent they were made for.
    tone: ([u8; TONES], f32),
}

impl Renderer {
    /// A camera that makes frames of `height` rows and `width` columns.
    pub fn new(camera: Camera, height: usize, width: usize) -> Self {
        Self {
            camera,
            height,
            width,
            canvas: vec![[0.0; 3]; height * width],
            rows: vec![None; height],
            path: Vec::new(),
            profile: Vec::new(),
            knots: Vec::new(),
            tone: ([0; TONES], f32::NAN),
        }
    }

    /// The frame seen from a car at `pose`, which is at distance `s` along the road. `tick` numbers the frames: noise,
    /// rain and shaking change with it.
    pub fn frame(&mut self, world: &World, pose: Pose, s: f32, tick: u32) -> Frame {
        let mut frame = Frame::black(self.height, self.width);
        self.render(world, pose, s, tick, &mut frame.rgb);
        frame
    }

    /// As [`Renderer::frame`], into `rgb`: `height * width * 3` bytes, HWC (further bytes stay as they are).
    pub fn render(&mut self, world: &World, pose: Pose, s: f32, tick: u32, rgb: &mut [u8]) {
        let shake = (unit(tick as i32, 0, world.weather.seed) * 2.0 - 1.0) * world.weather.shake;
        let optics = Optics::new(&self.camera, self.height, self.width, world.weather.tilt + shake);
        let (sin, cos) = pose.heading.sin_cos();
        let ahead = self.camera.forward_m;
        let eye = Pose { x: pose.x + ahead * cos, y: pose.y + ahead * sin, heading: pose.heading };
        self.look(world, eye, s + ahead);
        self.cast_rows(&optics);
        self.draw_ground(world, &optics);
        self.draw_sky(world, &optics, eye.heading);
        self.draw_objects(world, &optics, eye, s + ahead);
        if world.weather.disturbances.glare {
            self.dazzle(Glare::of(world.weather.seed), &optics, eye.heading, tick);
        }
        self.develop(world, tick, rgb);
    }

    /// A low sun: the scene pales behind a veil, and blooms around the sun until it saturates.
    fn dazzle(&mut self, sun: Glare, optics: &Optics, heading: f32, tick: u32) {
        let strength = sun.strength(heading, tick);
        if strength <= 0.0 {
            return;
        }
        let across: Vec<f32> =
            (0..self.width).map(|column| sun.across(heading, optics.column(column as f32).atan())).collect();
        for (row, pixels) in self.canvas.chunks_exact_mut(self.width).enumerate() {
            let (forward, down) = optics.row(row as f32);
            let above = sun.above((-down).atan2(forward));
            for (pixel, across) in pixels.iter_mut().zip(&across) {
                *pixel = pixel.map(|light| Glare::light(light, strength, above * across));
            }
        }
    }

    /// The road ahead in the camera's coordinates, and the ground's height ahead over the plane the car stands on.
    fn look(&mut self, world: &World, eye: Pose, s: f32) {
        self.path.clear();
        let count = ((SIGHT_M + 20.0) / SPACING_M) as usize;
        self.path.extend((0..count).map(|i| {
            let p = world.road.at(s - 8.0 + i as f32 * SPACING_M);
            let (forward, right) = eye.local(p.x, p.y);
            let (sin, cos) = (p.heading - eye.heading).sin_cos();
            Local { s: p.s, forward, right, sin, cos, curvature: p.curvature }
        }));
        let (here, behind) = (world.road.at(s).height, world.road.at(s - 3.0).height);
        let grade = (here - behind) / 3.0;
        self.profile.clear();
        self.profile.extend((0..SIGHT_M as usize).map(|i| {
            let distance = i as f32;
            world.road.at(s + distance).height - here - grade * distance
        }));
    }

    /// Height of the ground `forward` of the camera, over the plane the car stands on.
    pub(super) fn rise(&self, forward: f32) -> f32 {
        let index = (forward.max(0.0) as usize).min(self.profile.len() - 1);
        let next = (index + 1).min(self.profile.len() - 1);
        let (a, b) = (self.profile[index], self.profile[next]);
        a + (b - a) * (forward - index as f32).clamp(0.0, 1.0)
    }

    /// Where each row meets the ground, from the bottom up: nearer hits come first, crests hide what is behind.
    fn cast_rows(&mut self, optics: &Optics) {
        let mut reached = 1usize;
        let mut nearer = 0.0f32;
        for row in (0..self.height).rev() {
            let (forward, down) = optics.row(row as f32);
            // Rays of very tall frames may point backwards: those see the ground below.
            let forward = forward.max(1e-3);
            let slope = down / forward;
            let above = |i: usize, profile: &[f32]| self.camera.height_m - slope * i as f32 - profile[i];
            while reached < self.profile.len() && above(reached, &self.profile) > 0.0 {
                reached += 1;
            }
            self.rows[row] = (reached < self.profile.len()).then(|| {
                let (a, b) = (above(reached - 1, &self.profile), above(reached, &self.profile));
                let distance = (reached - 1) as f32 + if a > b { (a / (a - b)).clamp(0.0, 1.0) } else { 0.0 };
                let distance = distance.max(nearer);
                // Rows are this far apart on level ground.
                let level = distance * distance / (self.camera.height_m * optics.focal);
                let extent = if nearer > 0.0 { (distance - nearer).max(0.02) } else { level };
                nearer = distance;
                RowHit { forward: distance, extent, scale: distance / forward / optics.focal }
            });
        }
    }

    fn draw_ground(&mut self, world: &World, optics: &Optics) {
        let ground = Ground::new(world);
        let mut knots = std::mem::take(&mut self.knots);
        for row in 0..self.height {
            let Some(hit) = self.rows[row] else { continue };
            let depth = hit.scale * optics.focal;
            knots.clear();
            let ends = (0..self.width.div_ceil(KNOT) + 1).map(|k| optics.column((k * KNOT) as f32) * depth);
            knots.extend(ends.map(|right| self.road_coordinates(hit.forward, right)));
            let surface = ground.row(hit.forward);
            let pixels = &mut self.canvas[row * self.width..(row + 1) * self.width];
            for (pair, pixels) in knots.windows(2).zip(pixels.chunks_mut(KNOT)) {
                let (a, b) = (pair[0], pair[1]);
                let print = Footprint {
                    across: hit.scale * a.cos.abs() + hit.extent * a.sin.abs(),
                    along: hit.scale * a.sin.abs() + hit.extent * a.cos.abs(),
                };
                // Beyond the middle of a bend neighbours may belong to different stretches of road.
                let torn = (b.s - a.s).abs() > 4.0 + 2.0 * KNOT as f32 * hit.scale;
                for (i, pixel) in pixels.iter_mut().enumerate() {
                    let t = i as f32 / KNOT as f32;
                    let t = if torn { t.round() } else { t };
                    let (s, lateral) = (a.s + (b.s - a.s) * t, a.lateral + (b.lateral - a.lateral) * t);
                    *pixel = surface.colour(s, lateral, print);
                }
            }
        }
        self.knots = knots;
    }

    /// Road coordinates of a ground point, by the nearest point of the road.
    fn road_coordinates(&self, forward: f32, right: f32) -> Knot {
        let (mut best, mut nearest) = (0, f32::MAX);
        for (i, p) in self.path.iter().enumerate() {
            let distance = (p.forward - forward) * (p.forward - forward) + (p.right - right) * (p.right - right);
            if distance < nearest {
                (best, nearest) = (i, distance);
            }
        }
        self.path.get(best).map_or(Knot::default(), |p| {
            let (du, dv) = (forward - p.forward, right - p.right);
            let (along, lateral) = straighten(du * p.cos + dv * p.sin, dv * p.cos - du * p.sin, p.curvature);
            Knot { s: p.s + along, lateral, sin: p.sin, cos: p.cos }
        })
    }

    /// Sky, clouds, and hills at the horizon, in all rows that see no ground.
    fn draw_sky(&mut self, world: &World, optics: &Optics, heading: f32) {
        let weather = &world.weather;
        let texture = Texture::shared();
        let seed_row = (weather.seed % 97) as f32;
        let hill_colour: Rgb = std::array::from_fn(|c| 0.55 * weather.horizon[c] + 0.2 * world.scenery.foliage[c]);
        let misty = 1.0 - (-600.0 * weather.fog).exp();
        let cloud_light = if weather.sky == Sky::Clear { 0.95 } else { weather.horizon[1] * 0.85 };
        for row in 0..self.height {
            if self.rows[row].is_some() {
                continue;
            }
            let (forward, down) = optics.row(row as f32);
            let up = -down / forward;
            let height = (up * 3.0).clamp(0.0, 1.0);
            for column in 0..self.width {
                let bearing = heading + optics.column(column as f32);
                let hill = 0.03 + 0.035 * texture.line(bearing * 9.0, seed_row);
                let clear: Rgb =
                    std::array::from_fn(|c| weather.horizon[c] + (weather.zenith[c] - weather.horizon[c]) * height);
                let cloud = texture.at(bearing * 60.0, up * 160.0 + seed_row) * 0.8 + weather.clouds - 0.5;
                let cover = cloud.clamp(0.0, 1.0) * weather.clouds;
                let behind: Rgb = std::array::from_fn(|c| clear[c] + (cloud_light - clear[c]) * cover);
                let in_front = if up < hill { 1.0 - misty } else { 0.0 };
                self.canvas[row * self.width + column] =
                    std::array::from_fn(|c| behind[c] + (hill_colour[c] - behind[c]) * in_front);
            }
        }
    }

    /// Rain, vignette, noise and tone curve: from light to bytes.
    fn develop(&mut self, world: &World, tick: u32, rgb: &mut [u8]) {
        let weather = &world.weather;
        let last = TONES - 1;
        if self.tone.1 != weather.tone {
            let byte = |i: usize| (i as f32 / last as f32).powf(weather.tone) * 255.0 + 0.5;
            self.tone = (std::array::from_fn(|i| byte(i) as u8), weather.tone);
        }
        let seed = weather.seed ^ tick.wrapping_mul(0x9e37_79b9);
        // The sum of two uniform numbers of 16 bits has this scale to a standard deviation of one, on the tone curve's axis.
        let noise = weather.noise * last as f32 / 26_755.0 / 2.0;
        let streaks = weather.rain * 0.05;
        for row in 0..self.height {
            let v = 2.0 * row as f32 / self.height as f32 - 1.0;
            let pixels = &self.canvas[row * self.width..(row + 1) * self.width];
            let bytes = rgb.chunks_exact_mut(3).skip(row * self.width);
            for ((column, pixel), bytes) in pixels.iter().enumerate().zip(bytes) {
                let u = 2.0 * column as f32 / self.width as f32 - 1.0;
                let gain = weather.exposure * (1.0 - weather.vignette * 0.5 * (u * u + v * v)) * last as f32;
                let random = hash(column as i32, row as i32, seed);
                let grain = ((random & 0xffff) as f32 + (random >> 16) as f32 - 65_535.0) * noise;
                let drop =
                    if streaks > 0.0 && unit(column as i32, row as i32 / 4, seed) < streaks { 0.12 } else { 0.0 };
                for (byte, &light) in bytes.iter_mut().zip(pixel) {
                    let level = (light + (0.8 - light) * drop * 2.0) * gain + grain;
                    *byte = self.tone.0[(level as i32).clamp(0, last as i32) as usize];
                }
            }
        }
    }

    pub(super) fn size(&self) -> (usize, usize) {
        (self.height, self.width)
    }

    pub(super) fn camera_height(&self) -> f32 {
        self.camera.height_m
    }
}
