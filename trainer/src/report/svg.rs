//! What all drawings share: colours that work on light and dark paper, axes, and SVG made fit for a page.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::Series;
use super::html::escape;

/// Colours of the series, in order.
pub const PALETTE: [RGBColor; 6] = [
    RGBColor(0x3b, 0x82, 0xf6),
    RGBColor(0xf9, 0x73, 0x16),
    RGBColor(0x22, 0xa0, 0x6b),
    RGBColor(0x8b, 0x5c, 0xf6),
    RGBColor(0xd9, 0x46, 0x8f),
    RGBColor(0x6b, 0x8a, 0x9e),
];
/// Stands for the page's text colour until [`render`] replaces it.
pub const INK: RGBColor = RGBColor(0x01, 0x02, 0x03);
/// Stands for the page's line colour.
pub const GRID: RGBColor = RGBColor(0x01, 0x02, 0x04);
/// Where something went wrong.
pub const ALARM: RGBColor = RGBColor(0xe5, 0x48, 0x4d);

/// The font size of labels, in plotters' unit.
const FONT: i32 = 16;

/// Result of drawing: SVG into memory cannot fail, but the backend's interface says that it may.
pub type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Draws `width x height` user units and returns the SVG element, which scales with the page.
pub fn render((width, height): (u32, u32), draw: impl FnOnce(&DrawingArea<SVGBackend<'_>, Shift>) -> Drawn) -> String {
    let mut svg = String::new();
    let drawn = {
        let area = SVGBackend::with_string(&mut svg, (width, height)).into_drawing_area();
        draw(&area).and_then(|()| Ok(area.present()?))
    };
    if let Err(error) = drawn {
        return format!("<p>This figure could not be drawn: {}</p>", escape(&error.to_string()));
    }
    svg.replacen(&format!("width=\"{width}\" height=\"{height}\" "), "", 1)
        .replace("\"#010203\"", "\"var(--ink)\"")
        .replace("\"#010204\"", "\"var(--line)\"")
}

/// Names of the series beside their colours, and of the [`ALARM`] marks; nothing for a lone series, the axis names it.
pub fn legend(series: &[Series<'_>], alarm: Option<&str>) -> String {
    if series.len() + usize::from(alarm.is_some()) < 2 {
        return String::new();
    }
    let names = series.iter().map(|series| series.name).zip(PALETTE.into_iter().cycle());
    let keys: String = names.chain(alarm.map(|name| (name, ALARM))).map(|(name, color)| key(color, name)).collect();
    format!("<div class=\"legend\">{keys}</div>")
}

/// A colour and what it means.
pub fn key(RGBColor(r, g, b): RGBColor, name: &str) -> String {
    let name = escape(name);
    format!("<span class=\"key\"><i style=\"background:#{r:02x}{g:02x}{b:02x}\"></i>{name}</span>")
}

/// Text of labels.
pub fn label_style() -> TextStyle<'static> {
    ("sans-serif", FONT).into_font().color(&INK)
}

/// The finite points of all series.
pub fn finite<'a>(series: &'a [Series<'a>]) -> impl Iterator<Item = (f64, f64)> + 'a {
    series.iter().flat_map(|series| series.points).copied().filter(|(x, y)| x.is_finite() && y.is_finite())
}

/// Smallest and largest of `values` with a margin of `margin` of their distance on both sides; never empty.
pub fn range(values: impl Iterator<Item = f64>, margin: f64) -> std::ops::Range<f64> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low > high {
        return 0.0..1.0;
    }
    let space = if high > low { (high - low) * margin } else { low.abs().max(1.0) * 0.5 };
    let space = if space > 0.0 || high > low { space } else { 0.5 };
    low - space..high + space
}

/// Text of a tick: as many digits as its size needs.
pub fn tick(value: &f64) -> String {
    let size = value.abs();
    match size {
        _ if size < 1e-12 => "0".into(),
        _ if !(1e-4..1e6).contains(&size) => format!("{value:.1e}"),
        _ => {
            let text = format!("{value:.5}");
            text.trim_end_matches('0').trim_end_matches('.').to_string()
        }
    }
}
