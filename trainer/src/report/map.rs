//! A drive seen from above: the road, the driven lines and the places where somebody had to intervene.

use plotters::prelude::*;

use super::svg::{ALARM, Drawn, GRID, INK, PALETTE, finite, label_style, legend, range, render, tick};
use super::{Figure, Series};

/// A road and what was driven on it; all points are (x, y) in metres.
#[derive(Debug, Clone, Copy, Default)]
pub struct TrackMap<'a> {
    /// Middle of the road.
    pub center: &'a [(f64, f64)],
    /// Its left and right edges.
    pub edges: [&'a [(f64, f64)]; 2],
    /// The driven lines.
    pub driven: &'a [Series<'a>],
    /// Where the car was put back onto the road.
    pub interventions: &'a [(f64, f64)],
}

/// The longer side of the plot in user units.
const SIDE: f64 = 680.0;
/// Room for the labels: left and right, top and bottom.
const FRAME: (f64, f64) = (90.0, 60.0);

impl TrackMap<'_> {
    /// Draws the map to scale: a metre is as long in both directions.
    pub fn draw(&self, caption: &str) -> Figure {
        let road = [self.center, self.edges[0], self.edges[1]].map(|points| Series { name: "", points });
        let all: Vec<(f64, f64)> = finite(&road).chain(finite(self.driven)).collect();
        let x = range(all.iter().map(|point| point.0), 0.04);
        let y = range(all.iter().map(|point| point.1), 0.04);
        let (width, height) = (x.end - x.start, y.end - y.start);
        // A very flat map is given some height (and a tall one some width) so that the labels fit.
        let least = width.max(height) / 3.0;
        let (x, y) = (widened(x, least), widened(y, least));
        let scale = SIDE / (x.end - x.start).max((y.end - y.start) * 1.4);
        let size = ((x.end - x.start) * scale + FRAME.0, (y.end - y.start) * scale + FRAME.1);
        let body = render((size.0.round() as u32, size.1.round() as u32), |area| self.paint(area, x, y));
        let interventions = (!self.interventions.is_empty()).then_some("intervention");
        Figure { body: legend(self.driven, interventions) + &body, caption: caption.into() }
    }

    fn paint(
        &self,
        area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
        x: std::ops::Range<f64>,
        y: std::ops::Range<f64>,
    ) -> Drawn {
        let mut chart = ChartBuilder::on(area)
            .margin(8)
            .margin_right(16)
            .x_label_area_size(44)
            .y_label_area_size(66)
            .build_cartesian_2d(x, y)?;
        chart
            .configure_mesh()
            .disable_mesh()
            .axis_style(GRID)
            .x_desc("x / m")
            .y_desc("y / m")
            .axis_desc_style(label_style())
            .label_style(label_style())
            .x_label_formatter(&tick)
            .y_label_formatter(&tick)
            .draw()?;
        let line = |points: &[(f64, f64)]| points.to_vec();
        for edge in self.edges {
            chart.draw_series(LineSeries::new(line(edge), INK.mix(0.7).stroke_width(2)))?;
        }
        chart.draw_series(DashedLineSeries::new(line(self.center), 6, 6, INK.mix(0.4).into()))?;
        for (series, color) in self.driven.iter().zip(PALETTE.iter().cycle()) {
            chart.draw_series(LineSeries::new(line(series.points), color.stroke_width(2)))?;
        }
        let crosses = self.interventions.iter().map(|&point| Cross::new(point, 6, ALARM.stroke_width(3)));
        chart.draw_series(crosses)?;
        Ok(())
    }
}

fn widened(range: std::ops::Range<f64>, least: f64) -> std::ops::Range<f64> {
    let missing = (least - (range.end - range.start)).max(0.0) / 2.0;
    range.start - missing..range.end + missing
}
