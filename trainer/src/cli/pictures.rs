//! Drives as pictures for the report.

use crate::report::chart::{Axes, curves};
use crate::report::map::TrackMap;
use crate::report::strip::{Shot, strip};
use crate::report::{Figure, Series};
use crate::sim::{DriveResult, FULL_SCALE_DEG, Step};

fn points(outline: &[(f32, f32)]) -> Vec<(f64, f64)> {
    outline.iter().map(|&(x, y)| (f64::from(x), f64::from(y))).collect()
}

fn along(result: &DriveResult, point: impl Fn(&Step) -> (f32, f32)) -> Vec<(f64, f64)> {
    points(&result.trace.iter().map(point).collect::<Vec<_>>())
}

/// The driven lines over the track, seen from above.
pub fn track_map(caption: &str, drives: &[(&str, &DriveResult)]) -> Figure {
    let outline = drives.first().map(|(_, first)| first.outline.clone()).unwrap_or_default();
    let [centre, left, right] = [&outline.centre, &outline.left, &outline.right].map(|line| points(line));
    let lines: Vec<_> = drives.iter().map(|(_, drive)| along(drive, |step| (step.x, step.y))).collect();
    let driven: Vec<_> = drives.iter().zip(&lines).map(|(&(name, _), points)| Series { name, points }).collect();
    let interventions: Vec<_> = drives
        .iter()
        .flat_map(|(_, drive)| drive.trace.iter().filter(|step| step.intervention))
        .map(|step| (f64::from(step.x), f64::from(step.y)))
        .collect();
    TrackMap { center: &centre, edges: [&left, &right], driven: &driven, interventions: &interventions }.draw(caption)
}

/// Wheel angle over time: the drives' and, dashed by its own name, the expert's on the first of them.
pub fn steering(caption: &str, drives: &[(&str, &DriveResult)]) -> Figure {
    let mut lines: Vec<_> =
        drives.iter().map(|&(name, drive)| (name, along(drive, |step| (step.t, step.commanded_deg)))).collect();
    if let Some((_, first)) = drives.first() {
        lines.push(("expert at the same place", along(first, |step| (step.t, step.expert_deg))));
    }
    let series: Vec<_> = lines.iter().map(|(name, points)| Series { name, points }).collect();
    curves(caption, Axes { x: "time / s", y: "wheel angle / degrees" }, &series)
}

/// Sampled frames of a drive with the steering drawn on them.
pub fn frames(caption: &str, drive: &DriveResult) -> Figure {
    let notes: Vec<_> = drive.strip.iter().map(|(step, _)| format!("{:.0} s", time(drive, *step))).collect();
    let shots: Vec<_> = drive
        .strip
        .iter()
        .zip(&notes)
        .filter_map(|((index, frame), note)| {
            let step = drive.trace.get(*index)?;
            Some(Shot {
                size: (frame.height, frame.width),
                rgb: &frame.rgb,
                predicted: step.commanded_deg / FULL_SCALE_DEG,
                truth: Some(step.expert_deg / FULL_SCALE_DEG),
                note,
            })
        })
        .collect();
    strip(caption, &shots, FULL_SCALE_DEG)
}

fn time(drive: &DriveResult, step: usize) -> f32 {
    drive.trace.get(step).map_or(0.0, |step| step.t)
}
