//! Things that stand beside the road, drawn as flat shapes facing the camera, the farthest first.

use super::camera::Optics;
use super::noise::Texture;
use super::scenery::{Kind, Object};
use super::weather::Rgb;
use super::{Pose, Renderer, World};

/// How far things are drawn, metres.
const SIGHT_M: f32 = 75.0;

/// A rectangle of the frame that something covers.
struct Place {
    top: f32,
    bottom: f32,
    column: f32,
    half_width: f32,
    forward: f32,
}

impl Renderer {
    pub(super) fn draw_objects(&mut self, world: &World, optics: &Optics, eye: Pose, s: f32) {
        for object in world.scenery.objects(s - 2.0, s + SIGHT_M) {
            let at = world.road.pose(object.s, object.lateral, 0.0);
            let (forward, right) = eye.local(at.x, at.y);
            if forward > 2.5 {
                let down = self.camera_height() - self.rise(forward);
                let (bottom, column, depth) = optics.project(forward, right, down);
                let (top, _, _) = optics.project(forward, right, down - object.height);
                let half_width = 0.5 * width(&object) / depth * optics.focal;
                self.draw_object(world, &object, &Place { top, bottom, column, half_width, forward });
            }
        }
    }

    fn draw_object(&mut self, world: &World, object: &Object, place: &Place) {
        let (height, width) = self.size();
        let clear = (-world.weather.fog * place.forward).exp();
        let pixels = |low: f32, high: f32, end: usize| {
            (low.ceil().max(0.0) as usize).min(end)..((high + 1.0).floor().max(0.0) as usize).min(end)
        };
        for row in pixels(place.top, place.bottom, height) {
            // Nearer ground, a crest, hides what is behind it.
            if self.rows[row].is_some_and(|hit| hit.forward + 0.5 * hit.extent < place.forward) {
                continue;
            }
            let up = (place.bottom - row as f32) / (place.bottom - place.top).max(1e-3);
            for column in pixels(place.column - place.half_width, place.column + place.half_width, width) {
                let side = (column as f32 - place.column) / place.half_width.max(0.5);
                if let Some(base) = colour(object, world.scenery.foliage, up, side) {
                    let weather = &world.weather;
                    self.canvas[row * width + column] = std::array::from_fn(|c| {
                        let lit = base[c] * (weather.ambient[c] + 0.7 * weather.sun[c]);
                        weather.horizon[c] + (lit - weather.horizon[c]) * clear
                    });
                }
            }
        }
    }
}

/// Width of a thing, metres.
fn width(object: &Object) -> f32 {
    match object.kind {
        Kind::Tree => 0.7 * object.height,
        Kind::Conifer => 0.4 * object.height,
        Kind::Bush => 1.6 * object.height,
        Kind::Post => 0.16,
        Kind::Cone => 0.45,
    }
}

/// Colour of a thing at a relative height (0 to 1) and side (-1 to 1), `None` where it ends.
fn colour(object: &Object, foliage: Rgb, up: f32, side: f32) -> Option<Rgb> {
    let speckle = 0.3 * Texture::shared().at(object.shade * 900.0 + side * 9.0, up * 14.0);
    let leaves = |light: f32| foliage.map(|c| c * (0.6 + 0.8 * object.shade) * (0.55 + 0.6 * light + speckle));
    let round = |middle: f32, radius: f32| {
        let v = (up - middle) / radius;
        (side * side + v * v <= 1.0).then(|| leaves(0.5 + 0.5 * v))
    };
    const BARK: Rgb = [0.13, 0.09, 0.06];
    const SIGNAL: Rgb = [0.80, 0.16, 0.04];
    const WHITE: Rgb = [0.75, 0.75, 0.72];
    match object.kind {
        Kind::Tree => round(0.66, 0.34).or((up < 0.4 && side.abs() < 0.1).then_some(BARK)),
        Kind::Conifer => {
            let inside = up > 0.12 && side.abs() < 1.1 * (1.0 - up);
            inside.then(|| leaves(up)).or((up < 0.13 && side.abs() < 0.15).then_some(BARK))
        }
        Kind::Bush => round(0.3, 0.7),
        Kind::Post => Some(if (0.68..0.85).contains(&up) { [0.05; 3] } else { WHITE }),
        Kind::Cone => {
            let stripe = (0.4..0.62).contains(&up);
            (side.abs() <= (1.0 - up).max(0.12)).then_some(if stripe { WHITE } else { SIGNAL })
        }
    }
}
