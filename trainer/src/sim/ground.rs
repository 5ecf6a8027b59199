//! The colour of the ground at road coordinates: asphalt, marks, shoulder, verge, under sun, shadow and fog.

use super::noise::Texture;
use super::road::Mark;
use super::weather::Rgb;
use super::{World, scenery::Scenery};

/// Size of the patch of ground that a pixel sees, metres; edges are blended over it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Footprint {
    /// Across the road.
    pub across: f32,
    /// Along the road.
    pub along: f32,
}

/// The ground of a world.
pub(super) struct Ground<'a> {
    world: &'a World,
    texture: &'static Texture,
}

/// The ground at one distance from the camera.
pub(super) struct Row<'a> {
    ground: &'a Ground<'a>,
    detail: f32,
    clear: f32,
    gloss: f32,
}

impl<'a> Ground<'a> {
    pub(super) fn new(world: &'a World) -> Self {
        Self { world, texture: Texture::shared() }
    }

    /// What does not change along a row `distance` metres ahead.
    pub(super) fn row(&'a self, distance: f32) -> Row<'a> {
        let weather = &self.world.weather;
        Row {
            ground: self,
            // Texture finer than pixels averages out.
            detail: self.world.scenery.roughness / (1.0 + 0.06 * distance),
            clear: (-weather.fog * distance).exp(),
            // A wet road reflects at flat angles.
            gloss: weather.rain * 0.3 * distance / (distance + 12.0),
        }
    }
}

impl Row<'_> {
    /// Light from the ground at road coordinates, as it reaches the camera.
    pub(super) fn colour(&self, s: f32, lateral: f32, print: Footprint) -> Rgb {
        let World { road, scenery, weather } = self.ground.world;
        let texture = self.ground.texture;
        let fine = texture.at(s * 5.0, lateral * 7.0) * self.detail;
        let coarse = texture.at(s * 0.9, lateral * 1.1 + 64.0) * scenery.roughness;
        let within = |margin: f32| {
            let ragged = margin * 0.4 * coarse;
            coverage(lateral, print.across, road.left_edge - margin - ragged, road.right_edge + margin + ragged)
        };
        let (verge, paved) = (within(scenery.shoulder_width), within(0.0));
        let mut base = scenery.verge.map(|c| c * (1.0 + 0.55 * fine + 0.3 * coarse));
        if verge > 0.0 {
            blend(&mut base, scenery.shoulder.map(|c| c * (1.0 + 0.45 * fine)), verge);
        }
        if paved > 0.0 {
            let worn = 1.0 + 0.3 * fine + 0.15 * coarse - 0.25 * weather.rain;
            let asphalt = scenery.asphalt.map(|c| c * worn);
            blend(&mut base, asphalt, paved);
            blend(&mut base, weather.horizon, paved * self.gloss);
            let paint = painted(&road.marks, s, lateral, print) * wear(scenery, coarse);
            blend(&mut base, scenery.paint, paint);
        }
        let sun = if weather.shadows > 0.0 {
            scenery.sunlit((s + weather.shadow_slant * lateral + coarse).max(0.0))
        } else {
            1.0
        };
        std::array::from_fn(|c| {
            let lit = base[c] * (weather.ambient[c] + weather.sun[c] * sun);
            weather.horizon[c] + (lit - weather.horizon[c]) * self.clear
        })
    }
}

/// Share of paint left where the coarse texture has this value.
fn wear(scenery: &Scenery, coarse: f32) -> f32 {
    (scenery.wear + 0.25 * coarse).clamp(0.5, 1.0)
}

fn blend(base: &mut Rgb, over: Rgb, share: f32) {
    for (b, o) in base.iter_mut().zip(over) {
        *b += (o - *b) * share;
    }
}

/// Share of an interval of `size` around `at` that lies between `low` and `high`.
fn coverage(at: f32, size: f32, low: f32, high: f32) -> f32 {
    let size = size.max(1e-3);
    let overlap = (at + 0.5 * size).min(high) - (at - 0.5 * size).max(low);
    (overlap / size).clamp(0.0, 1.0)
}

/// Share of the footprint that is painted.
fn painted(marks: &[Mark], s: f32, lateral: f32, print: Footprint) -> f32 {
    let reach = 0.5 * print.across;
    let mut share = 0.0;
    for mark in marks {
        if (lateral - mark.lateral).abs() > 0.5 * mark.width + reach {
            continue;
        }
        let across = coverage(lateral, print.across, mark.lateral - 0.5 * mark.width, mark.lateral + 0.5 * mark.width);
        let along = mark.dash.map_or(1.0, |(painted, period)| {
            let at = s - (s / period).floor() * period;
            if print.along > period {
                painted / period
            } else {
                coverage(at, print.along, 0.0, painted) + coverage(at, print.along, period, period + painted)
            }
        });
        share += across * along;
    }
    share.min(1.0)
}
