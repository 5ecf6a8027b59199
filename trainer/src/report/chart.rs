//! Curves and scatters, as inline SVG.

use plotters::prelude::*;

use super::svg::{Drawn, GRID, INK, PALETTE, finite, label_style, legend, range, render, tick};
use super::{Figure, Series};

/// Names of the axes, with units: `time / s`.
#[derive(Debug, Clone, Copy)]
pub struct Axes<'a> {
    /// Horizontal.
    pub x: &'a str,
    /// Vertical.
    pub y: &'a str,
}

/// Width and height in user units: such that labels are of the size of captions where two figures share a row.
const SIZE: (u32, u32) = (520, 340);

/// How points are shown.
#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Line,
    Dot,
    /// Dots, with the line where both axes are equal.
    Compared,
}

/// One line per series.
pub fn curves(caption: &str, axes: Axes<'_>, series: &[Series<'_>]) -> Figure {
    let x = range(finite(series).map(|point| point.0), 0.0);
    let y = range(finite(series).map(|point| point.1), 0.06);
    let body = render(SIZE, |area| draw(area, axes, (x, y), series, Mark::Line));
    Figure { body: legend(series, None) + &body, caption: caption.into() }
}

/// Dots of each series.
pub fn points(caption: &str, axes: Axes<'_>, series: &[Series<'_>]) -> Figure {
    let x = range(finite(series).map(|point| point.0), 0.05);
    let y = range(finite(series).map(|point| point.1), 0.06);
    let body = render(SIZE, |area| draw(area, axes, (x, y), series, Mark::Dot));
    Figure { body: legend(series, None) + &body, caption: caption.into() }
}

/// Loss of each epoch on training and validation data; epochs count from 1, an empty slice leaves its line out.
/// `name` says which loss it is: `loss / squared steering`.
pub fn loss_curves(train: &[f64], validation: &[f64], name: &str) -> Figure {
    let numbered = |losses: &[f64]| -> Vec<(f64, f64)> {
        losses.iter().enumerate().map(|(epoch, &loss)| (epoch as f64 + 1.0, loss)).collect()
    };
    let (train, validation) = (numbered(train), numbered(validation));
    let series = [Series { name: "training", points: &train }, Series { name: "validation", points: &validation }];
    let used: Vec<Series<'_>> = series.into_iter().filter(|series| !series.points.is_empty()).collect();
    curves("Loss by epoch.", Axes { x: "epoch", y: name }, &used)
}

/// A metric of the validation data by epoch.
pub fn metric(name: &str, points: &[(f64, f64)]) -> Figure {
    let series = [Series { name, points }];
    curves(&format!("Validation {name} by epoch."), Axes { x: "epoch", y: name }, &series)
}

/// Learning rate by epoch.
pub fn learning_rate(points: &[(f64, f64)]) -> Figure {
    let series = [Series { name: "learning rate", points }];
    curves("Learning rate by epoch.", Axes { x: "epoch", y: "learning rate" }, &series)
}

/// Predicted (vertical) against true (horizontal) values in `unit`; on the diagonal they are equal.
pub fn predicted_against_true(caption: &str, unit: &str, series: &[Series<'_>]) -> Figure {
    let both = range(finite(series).flat_map(|(x, y)| [x, y]), 0.05);
    let (x, y) = (format!("true / {unit}"), format!("predicted / {unit}"));
    let body = render(SIZE, |area| draw(area, Axes { x: &x, y: &y }, (both.clone(), both), series, Mark::Compared));
    Figure { body: legend(series, None) + &body, caption: caption.into() }
}

fn draw(
    area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    axes: Axes<'_>,
    (x, y): (std::ops::Range<f64>, std::ops::Range<f64>),
    series: &[Series<'_>],
    mark: Mark,
) -> Drawn {
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .margin_right(16)
        .x_label_area_size(44)
        .y_label_area_size(76)
        .build_cartesian_2d(x.clone(), y.clone())?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(GRID)
        .x_desc(axes.x)
        .y_desc(axes.y)
        .axis_desc_style(label_style())
        .label_style(label_style())
        .x_labels(8)
        .y_labels(7)
        .x_label_formatter(&tick)
        .y_label_formatter(&tick)
        .draw()?;
    if mark == Mark::Compared {
        chart.draw_series(LineSeries::new([(x.start, x.start), (x.end, x.end)], INK.mix(0.5)))?;
    }
    for (series, color) in series.iter().zip(PALETTE.iter().cycle()) {
        let points = series.points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite());
        match mark {
            Mark::Line => chart.draw_series(LineSeries::new(points, color.stroke_width(2))).map(drop)?,
            Mark::Dot | Mark::Compared => {
                let radius = if mark == Mark::Dot { 4 } else { 2 };
                chart.draw_series(points.map(|point| Circle::new(point, radius, color.mix(0.6).filled()))).map(drop)?
            }
        };
    }
    Ok(())
}
