//! Where a command's samples come from: a folder of recorded driving or of other data, or the simulator under the name `sim`.

mod reading;
#[cfg(test)]
mod tests;

use super::{Output, progress, stop};
use crate::data::{Augment, Changes, Extras, FrameSet, LoadOptions, Warp, Window};
use crate::sim::{Disturbances, RecordOptions, SequenceOptions, record, record_sequences};
use crate::{Error, ErrorKind, Result, files};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The name that stands for the simulator where a data folder is asked for.
pub const SIM: &str = "sim";

/// Frames that `sim` records unless told; any split but `train` has an eighth of them.
pub const SIM_FRAMES: usize = 16_000;

/// Name of the file beside a run that says what it was trained on.
const FILE: &str = "data.json";

/// What a run is trained on and how it is read, so that later commands read it the same way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recording {
    /// Folder, or [`SIM`].
    pub data: PathBuf,
    /// Frames that the simulator records; a folder has as many as it has.
    pub sim_frames: usize,
    /// Split that is trained on.
    pub split: String,
    /// Split that is validated on.
    pub val_split: String,
    /// Column of the label; `None` takes the format's own.
    pub label: Option<String>,
    /// Factor from the column to normalized steering; `None` is 1.
    pub label_scale: Option<f32>,
    /// Part of each image that is used.
    pub window: Option<Window>,
    /// Correction of the side cameras' labels; `None` leaves those cameras out. Training only.
    pub side_correction: Option<f32>,
    /// Share of near-zero labels left out. Training only.
    pub drop_straight: f32,
    /// Whether samples are augmented. Training only.
    pub augment: bool,
    /// Whether pictures keep their class when they are mirrored. Training only.
    pub mirror: bool,
    /// Whether pictures and frames stay files until a batch asks for them. Training only.
    pub stream: bool,
    /// Words in a text; `None` is those of the longest one.
    pub length: Option<usize>,
    /// What follows each word of a text.
    pub extras: Extras,
    /// What blinds the camera of the simulator.
    pub disturbances: Disturbances,
    /// Seed of what is random in the choice of frames.
    pub seed: u64,
}

impl Default for Recording {
    fn default() -> Self {
        Self {
            data: SIM.into(),
            sim_frames: SIM_FRAMES,
            split: "train".into(),
            val_split: "val".into(),
            label: None,
            label_scale: None,
            window: None,
            side_correction: None,
            drop_straight: 0.0,
            augment: true,
            mirror: false,
            stream: false,
            length: None,
            extras: Extras::default(),
            disturbances: Disturbances::default(),
            seed: 1,
        }
    }
}

impl Recording {
    /// All frames of the centre camera in `data`.
    pub fn of(data: &Path) -> Self {
        Self { data: data.to_path_buf(), ..Self::default() }
    }

    /// Whether the simulator records it.
    pub fn is_simulated(&self) -> bool {
        self.data == Path::new(SIM)
    }

    /// Refuses what cannot be read this way, before anything is read.
    pub fn check(&self) -> Result<()> {
        let columns = self.label.is_some() || self.label_scale.is_some() || self.window.is_some();
        if self.is_simulated() && (columns || self.side_correction.is_some() || self.drop_straight > 0.0) {
            let message =
                "the simulator records finished frames: label, crop, side cameras and straight frames are for folders";
            return Err(Error::usage("--data sim", message));
        }
        if !self.is_simulated() && !self.disturbances.is_none() {
            return Err(Error::usage("--glare, --blackout", "are of the simulator: use them with --data sim"));
        }
        self.options(1, 1).check()
    }

    /// The recording a run was trained on, if its folder says so.
    pub fn of_run(run: &Path) -> Result<Option<Self>> {
        let path = run.join(FILE);
        match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::reading(&path, &error)),
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| {
                Error::new(ErrorKind::BadFile, path.display(), format!("is not a data description: {error}"))
            }),
        }
    }

    /// Writes the description into a run's folder.
    pub fn save(&self, run: &Path) -> Result<()> {
        let text = serde_json::to_vec_pretty(self).map_err(|error| Error::new(ErrorKind::Internal, FILE, error))?;
        files::write(&run.join(FILE), &text)
    }

    /// This recording as it is for measuring: one camera, nothing left out.
    pub fn whole(self) -> Self {
        Self { side_correction: None, drop_straight: 0.0, ..self }
    }

    /// Label and window of `trained` where this one does not say; the same data is also held and changed as it was in training.
    pub fn like(mut self, trained: Option<&Self>) -> Self {
        if let Some(trained) = trained {
            if self.data == trained.data {
                (self.stream, self.augment, self.mirror) = (trained.stream, trained.augment, trained.mirror);
            }
            // A scale belongs to its column.
            if self.label.is_none() || self.label == trained.label {
                self.label_scale = self.label_scale.or(trained.label_scale);
            }
            self.label = self.label.or_else(|| trained.label.clone());
            self.window = self.window.or(trained.window);
            if self.is_simulated() {
                self.disturbances = trained.disturbances;
            }
        }
        self
    }

    /// How samples are changed in training. The simulator shows every viewpoint itself; a recording has only the driven line, so its frames are
    /// shifted.
    pub fn changes(&self) -> Changes {
        let pictures = if self.mirror { Warp::PHOTOGRAPHS } else { Warp::default() };
        let frames = if self.is_simulated() { simulated_augmentation() } else { Augment::default() };
        if self.augment { Changes { frames, pictures, ..Changes::default() } } else { Changes::NONE }
    }

    fn options(&self, height: usize, width: usize) -> LoadOptions {
        LoadOptions {
            label: self.label.clone(),
            label_scale: self.label_scale.unwrap_or(1.0),
            side_correction: self.side_correction,
            window: self.window,
            drop_straight: self.drop_straight,
            seed: self.seed,
            ..LoadOptions::new(height, width)
        }
    }
}

/// Flips and light, no shifts.
pub fn simulated_augmentation() -> Augment {
    Augment { shift_x: 0.0, shift_y: 0.0, ..Augment::default() }
}

/// Records the simulator's driver in sequences, with a progress bar.
pub fn simulate_sequences(options: &SequenceOptions, output: Output) -> Result<FrameSet> {
    let bar = progress::bar(output, "recording", options.sequences as u64);
    let frames = record_sequences(options, &|done| bar.set_position(done as u64), stop::flag())?;
    bar.finish_and_clear();
    Ok(frames)
}

/// Records the simulator's expert, with a progress bar.
pub fn simulate(options: &RecordOptions, output: Output) -> Result<FrameSet> {
    let bar = progress::bar(output, "recording", options.frames as u64);
    let frames = record(options, &|done| bar.set_position(done as u64), stop::flag())?;
    bar.finish_and_clear();
    Ok(frames)
}
