//! What to read from a data folder and how to cut it.

use ackermann_firmware::preprocess::{Crop, Size};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

use crate::{Error, Result};

/// What [`load`](crate::data::load) reads and makes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadOptions {
    /// Rows of the frames to make, pixels.
    pub height: usize,
    /// Columns of the frames to make, pixels.
    pub width: usize,
    /// `SPLIT.csv` of the folder; `train` or `val` is derived where a folder has no splits. `None` is everything.
    pub split: Option<String>,
    /// Column (or tub field) of the label; `None` is the format's steering, smoothed where there is such a column.
    pub label: Option<String>,
    /// Factor from the column to normalized steering, e.g. `0.04` for a column in degrees of 25 degrees full scale.
    pub label_scale: f32,
    /// With a value, left and right cameras are frames too: labelled `+ value` (left) and `- value` (right). It depends on
    /// the scale of the labels: 0.04 suits `steering_smooth` of the simulator recordings.
    pub side_correction: Option<f32>,
    /// Part of each image to use; `None` is all of it.
    pub window: Option<Window>,
    /// Fraction of the frames with a label within [`straight_band`](Self::straight_band) to leave out, 0 to 1.
    pub drop_straight: f32,
    /// Largest |label| that counts as straight.
    pub straight_band: f32,
    /// Seed of the choice of frames left out.
    pub seed: u64,
}

impl LoadOptions {
    /// All frames of the centre camera, whole images, resized to `height x width`.
    pub fn new(height: usize, width: usize) -> Self {
        Self {
            height,
            width,
            split: None,
            label: None,
            label_scale: 1.0,
            side_correction: None,
            window: None,
            drop_straight: 0.0,
            straight_band: 0.01,
            seed: 0,
        }
    }

    /// The same with a split.
    pub fn split(mut self, name: impl Into<String>) -> Self {
        self.split = Some(name.into());
        self
    }

    /// Refuses values outside of their range.
    pub(super) fn check(&self) -> Result<()> {
        if !(0.0..=1.0).contains(&self.drop_straight) {
            return Err(Error::usage("drop-straight", format!("{} is not a fraction from 0 to 1", self.drop_straight)));
        }
        if !self.label_scale.is_finite() || self.label_scale == 0.0 {
            return Err(Error::usage("label-scale", format!("{} is not a usable factor", self.label_scale)));
        }
        match self.side_correction {
            Some(value) if !(-1.0..=1.0).contains(&value) => {
                Err(Error::usage("side-correction", format!("{value} is not normalized steering from -1 to 1")))
            }
            _ => Ok(()),
        }
    }
}

/// A part of an image: rows and, optionally, columns, first and last included. Written `40..119` or `40..119,10..149`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// First and last row.
    pub rows: (usize, usize),
    /// First and last column; `None` is the full width.
    pub columns: Option<(usize, usize)>,
}

impl Window {
    /// This window of an image of size `source`. It may reach outside: planning the resize refuses that.
    pub fn crop(&self, source: Size) -> Crop {
        let length = |(first, last): (usize, usize)| (last + 1).saturating_sub(first);
        let columns = self.columns.unwrap_or((0, source.width.saturating_sub(1)));
        Crop { top: self.rows.0, left: columns.0, size: Size::new(length(self.rows), length(columns)) }
    }
}

impl FromStr for Window {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::usage("crop", format!("`{text}` is not FIRST..LAST rows, or ROWS,COLUMNS, like 40..119"));
        let range = |part: &str| {
            let (first, last) = part.split_once("..")?;
            let ends = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            (ends.0 <= ends.1 && ends.1 < usize::MAX).then_some(ends)
        };
        let mut parts = text.split(',').map(range);
        let rows = parts.next().flatten().ok_or_else(wrong)?;
        let columns = match parts.next() {
            Some(columns) => Some(columns.ok_or_else(wrong)?),
            None => None,
        };
        if parts.next().is_some() { Err(wrong()) } else { Ok(Self { rows, columns }) }
    }
}
