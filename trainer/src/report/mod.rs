//! Tables, pictures and the self-contained HTML report.
//!
//! Everything is drawn from plain slices of numbers, so that any command can show its results: [`chart`] draws curves and
//! scatters, [`confusion`] a matrix of classes, [`map`] a drive seen from above, [`strip`] camera frames with the steering on them, and [`Report`] puts them
//! into one HTML file that needs nothing else. [`Table`] is for the terminal and for the report alike.

pub mod chart;
pub mod confusion;
pub mod format;
pub mod map;
pub mod strip;

mod html;
mod svg;
mod table;

pub use html::Report;
pub use table::Table;

#[cfg(test)]
mod tests;

/// A picture for the report: ready HTML (inline SVG or PNG) and what it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Self-contained HTML.
    pub(crate) body: String,
    /// One sentence for people.
    pub caption: String,
}

impl Figure {
    /// The HTML of the picture itself.
    pub fn html(&self) -> &str {
        &self.body
    }
}

/// A named set of points in a figure.
#[derive(Debug, Clone, Copy)]
pub struct Series<'a> {
    /// Name in the legend.
    pub name: &'a str,
    /// (x, y) in the units of the axes; points that are not finite are left out.
    pub points: &'a [(f64, f64)],
}
