//! What to read from a data folder and how to cut it.

use ackermann_firmware::preprocess;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

use crate::{Error, Result};

/// What [`load`](crate::data::load) reads and makes.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadOptions {
    /// Rows of the frames to make, pixels.
    pub height: usize,
    /// Columns of the frames to make, pixels.
    pub width: usize,
    /// `SPLIT.csv` of the folder; `train` or `val` is derived where a folder has no splits. `None` is everything.
    pub split: Option<String>,
    /// Column (or tub field) of the label; `None` is the format's steering, smoothed where all splits have such a column.
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
    pub(crate) fn check(&self) -> Result<()> {
        if !(0.0..=1.0).contains(&self.drop_straight) {
            return Err(Error::usage(
                "--drop-straight",
                format!("{} is not a fraction from 0 to 1", self.drop_straight),
            ));
        }
        if !self.label_scale.is_finite() || self.label_scale == 0.0 {
            return Err(Error::usage("--label-scale", format!("{} is not a usable factor", self.label_scale)));
        }
        match self.side_correction {
            Some(value) if !(-1.0..=1.0).contains(&value) => {
                Err(Error::usage("--side-correction", format!("{value} is not normalized steering from -1 to 1")))
            }
            _ => Ok(()),
        }
    }
}

/// A part of an image, in files and on the command line written as the firmware reads it: `40..119` or `40..119,10..149`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Window(pub preprocess::Window);

impl FromStr for Window {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::usage("crop", format!("`{text}` is not FIRST..LAST rows, or ROWS,COLUMNS, like 40..119"));
        preprocess::Window::parse(text).map(Self).ok_or_else(wrong)
    }
}

impl TryFrom<String> for Window {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Window> for String {
    fn from(window: Window) -> Self {
        window.0.to_string()
    }
}
