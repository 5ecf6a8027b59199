//! Where a command's frames come from: a folder of recorded driving, or the simulator under the name `sim`.

use super::{Output, progress, stop};
use crate::data::{FrameSet, LoadOptions, Watch, Window, load};
use crate::sim::{RecordOptions, Split, record};
use crate::{Error, ErrorKind, Result, files};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The name that stands for the simulator where a data folder is asked for.
pub const SIM: &str = "sim";

/// Frames that `sim` records for a training split; any other split has an eighth of them.
const SIM_FRAMES: usize = 16_000;

/// Name of the file beside a run that says what it was trained on.
const FILE: &str = "data.json";

/// What a run is trained on and how it is read, so that later commands read it the same way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// Folder, or [`SIM`].
    pub data: PathBuf,
    /// Column of the label; `None` takes the format's own.
    pub label: Option<String>,
    /// Part of each image that is used.
    pub window: Option<Window>,
    /// Correction of the side cameras' labels; `None` leaves those cameras out. Training only.
    pub side_correction: Option<f32>,
    /// Share of near-zero labels left out. Training only.
    pub drop_straight: f32,
    /// Seed of what is random in the choice of frames.
    pub seed: u64,
}

impl Recording {
    /// All frames of the centre camera in `data`.
    pub fn of(data: &Path, label: Option<String>, window: Option<Window>) -> Self {
        Self { data: data.to_path_buf(), label, window, side_correction: None, drop_straight: 0.0, seed: 1 }
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

    /// Label and window of `trained` where this one does not say.
    pub fn like(mut self, trained: Option<&Self>) -> Self {
        if let Some(trained) = trained {
            self.label = self.label.or_else(|| trained.label.clone());
            self.window = self.window.or(trained.window);
        }
        self
    }

    /// The frames of a split, resized to a network's input `[height, width, channels]`.
    pub fn frames(&self, split: &str, input: [usize; 3], output: Output) -> Result<FrameSet> {
        let [height, width, channels] = input;
        if channels != 3 {
            let message = format!("the network takes {channels} channels, frames have 3");
            return Err(Error::new(ErrorKind::Shape, self.data.display(), message));
        }
        if self.data == Path::new(SIM) {
            self.simulate(split, height, width, output)
        } else {
            self.read(split, height, width, output)
        }
    }

    fn simulate(&self, split: &str, height: usize, width: usize, output: Output) -> Result<FrameSet> {
        let train = split == "train";
        let frames = if train { SIM_FRAMES } else { SIM_FRAMES / 8 };
        let split = if train { Split::Train } else { Split::Test };
        simulate(&RecordOptions { split, ..RecordOptions::new(self.seed, frames, height, width) }, output)
    }

    fn read(&self, split: &str, height: usize, width: usize, output: Output) -> Result<FrameSet> {
        let options = LoadOptions {
            label: self.label.clone(),
            side_correction: self.side_correction,
            window: self.window,
            drop_straight: self.drop_straight,
            seed: self.seed,
            ..LoadOptions::new(height, width).split(split)
        };
        let bar = progress::bar(output, "reading", 0);
        let progress = |done, total| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        };
        let loaded = load(&self.data, &options, Watch { progress: &progress, stop: stop::flag() })?;
        bar.finish_and_clear();
        Ok(loaded.frames)
    }
}

/// Records the simulator's expert, with a progress bar.
pub fn simulate(options: &RecordOptions, output: Output) -> Result<FrameSet> {
    let bar = progress::bar(output, "recording", options.frames as u64);
    let frames = record(options, &|done| bar.set_position(done as u64), stop::flag())?;
    bar.finish_and_clear();
    Ok(frames)
}
