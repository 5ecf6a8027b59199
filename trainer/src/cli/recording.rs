//! Where a command's samples come from: a folder of recorded driving or of other data, or the simulator under the name `sim`.

use super::{Output, progress, stop};
use crate::data::{Augment, Extras};
use crate::data::{
    Changes, Dataset, DatasetSamples, Encoding, Format, FrameSet, LoadOptions, ReadOptions, Warp, Watch, Window, load,
    read, stream,
};
use crate::sim::{Disturbances, RecordOptions, SequenceOptions, Split, record, record_sequences};
use crate::{Error, ErrorKind, Result, files};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The name that stands for the simulator where a data folder is asked for.
pub const SIM: &str = "sim";

/// Frames that `sim` records unless told; any split but `train` has an eighth of them.
pub const SIM_FRAMES: usize = 16_000;

/// Frames that follow one another where a camera is blinded and nobody asks for a number: most of two of the longest black bursts.
const STEPS: usize = 24;

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

    /// The frames of a split, resized to a network's input `[height, width, channels]`.
    pub fn frames(&self, split: &str, input: [usize; 3], output: Output) -> Result<FrameSet> {
        self.check()?;
        self.in_time(split, input, None, output)
    }

    /// As [`Recording::frames`]; where `steps` are asked for, so many of them always follow one another.
    fn in_time(&self, split: &str, input: [usize; 3], steps: Option<usize>, output: Output) -> Result<FrameSet> {
        let [height, width, channels] = input;
        if channels != 3 {
            let message = format!("the network takes {channels} channels, frames have 3");
            return Err(Error::new(ErrorKind::Shape, self.data.display(), message));
        }
        if self.is_simulated() {
            self.simulate(split, [height, width], steps, output)
        } else {
            self.read(split, height, width, output)
        }
    }

    /// The samples of a split, whatever they are. Pictures are made to fit `input`, the shape that a network takes; `encoding` has the numbers
    /// of classes and words, where a training has fixed them.
    pub fn dataset(
        &self,
        split: &str,
        input: &[usize],
        encoding: Option<&Encoding>,
        output: Output,
    ) -> Result<Dataset> {
        self.check()?;
        let format = if self.is_simulated() { None } else { Some(Format::detect(&self.data)?) };
        self.check_texts(format, input, encoding)?;
        match format {
            Some(format) if !format.is_driving() => self.labelled(format, split, input, encoding, output),
            _ => self.driving(split, input, output),
        }
    }

    /// Frames, one by one or in sequences, as the network takes them.
    fn driving(&self, split: &str, input: &[usize], output: Output) -> Result<Dataset> {
        match *input {
            [steps, height, width, channels] => {
                self.check_sequences()?;
                let frames = self.in_time(split, [height, width, channels], Some(steps), output)?;
                Ok(Dataset::of_sequences(frames, steps))
            }
            [_, _, _] if self.stream && self.is_simulated() => Err(self.unstreamed("simulated frames")),
            [height, width, 3] if self.stream => {
                let (frames, labels) = stream(&self.data, &self.options(height, width).split(split))?;
                Ok(Dataset::of_streamed(frames, labels))
            }
            [height, width, channels] => {
                Ok(Dataset::of_frames(self.in_time(split, [height, width, channels], None, output)?))
            }
            _ => {
                let message =
                    format!("holds frames, the network takes inputs of shape {input:?}; choose one of pictures");
                Err(Error::new(ErrorKind::Shape, self.data.display(), message))
            }
        }
    }

    /// Refuses what sequences of frames cannot be read with.
    fn check_sequences(&self) -> Result<()> {
        if self.side_correction.is_some() || self.drop_straight > 0.0 {
            let message = "the network takes sequences of frames, which follow one another: side cameras and left-out straight frames \
                           are for networks of single ones";
            return Err(Error::usage("--side-correction, --drop-straight", message));
        }
        if self.stream { Err(self.unstreamed("sequences of frames")) } else { Ok(()) }
    }

    /// The samples of `dataset`, which is of this recording, for a network that takes `input`.
    pub fn samples<'d>(&self, dataset: &'d Dataset, input: &[usize], changes: Changes) -> Result<DatasetSamples<'d>> {
        let place = |error| Error { place: self.data.display().to_string(), ..error };
        dataset.samples(input, changes).map_err(place)
    }

    /// Refuses options of texts for other data, and texts for a trained network whose words nobody knows.
    fn check_texts(&self, format: Option<Format>, input: &[usize], encoding: Option<&Encoding>) -> Result<()> {
        let texts = format == Some(Format::Texts);
        if !texts && (self.length.is_some() || self.extras != Extras::default()) {
            let held = format.map_or("simulated frames", Format::name);
            let message = format!("holds {held}: --length, --stems and --pairs are for texts");
            return Err(Error::usage(self.data.display(), message));
        }
        if texts && input.len() == 1 && encoding.is_some_and(|encoding| encoding.vocabulary.is_none()) {
            let message = "holds texts, and nothing says which words the network knows: its vocabulary.txt must lie in the folder of \
                           the run or of the blob";
            return Err(Error::new(ErrorKind::MissingFile, self.data.display(), message));
        }
        Ok(())
    }

    fn unstreamed(&self, what: &str) -> Error {
        let message =
            format!("{what} are held in memory: --stream is for pictures in files and frames of recorded driving");
        Error::usage(self.data.display(), message)
    }

    fn labelled(
        &self,
        format: Format,
        split: &str,
        input: &[usize],
        encoding: Option<&Encoding>,
        output: Output,
    ) -> Result<Dataset> {
        let picture = <[usize; 3]>::try_from(input).ok();
        let driving = self.label_scale.is_some() || self.window.is_some() || self.side_correction.is_some();
        if driving || self.drop_straight > 0.0 {
            let message = format!(
                "holds {}: label scale, crop, side cameras and straight frames are for recorded driving",
                format.name()
            );
            return Err(Error::usage(self.data.display(), message));
        }
        if self.stream && format != Format::PictureFolders {
            return Err(self.unstreamed(format.name()));
        }
        if format == Format::PictureFolders && picture.is_none() {
            let message = "holds pictures, the network takes something else; choose one of pictures";
            return Err(Error::new(ErrorKind::Shape, self.data.display(), message));
        }
        let options = ReadOptions {
            split: Some(split.into()),
            picture: picture.unwrap_or_default(),
            label: self.label.clone(),
            encoding: encoding.cloned(),
            length: self.length,
            extras: self.extras,
            stream: self.stream,
        };
        watched(output, |watch| read(&self.data, format, &options, watch))
    }

    /// How samples are changed in training. The simulator shows every viewpoint itself; a recording has only the driven line, so its frames are
    /// shifted.
    pub fn changes(&self) -> Changes {
        let pictures = if self.mirror { Warp::PHOTOGRAPHS } else { Warp::default() };
        let frames = if self.is_simulated() { simulated_augmentation() } else { Augment::default() };
        if self.augment { Changes { frames, pictures, ..Changes::default() } } else { Changes::NONE }
    }

    fn simulate(
        &self,
        split: &str,
        [height, width]: [usize; 2],
        steps: Option<usize>,
        output: Output,
    ) -> Result<FrameSet> {
        let train = split == "train";
        let frames = if train { self.sim_frames } else { (self.sim_frames / 8).max(1) };
        let split = if train { Split::Train } else { Split::Test };
        if steps.is_none() && self.disturbances.is_none() {
            return simulate(&RecordOptions { split, ..RecordOptions::new(self.seed, frames, height, width) }, output);
        }
        let steps = steps.unwrap_or(STEPS);
        let options = SequenceOptions::new(self.seed, frames.div_ceil(steps.max(1)), steps, height, width);
        simulate_sequences(&SequenceOptions { split, disturbances: self.disturbances, ..options }, output)
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

    fn read(&self, split: &str, height: usize, width: usize, output: Output) -> Result<FrameSet> {
        let options = self.options(height, width).split(split);
        watched(output, |watch| load(&self.data, &options, watch)).map(|loaded| loaded.frames)
    }
}

/// Runs a reader with a progress bar.
fn watched<T>(output: Output, read: impl FnOnce(Watch<'_>) -> Result<T>) -> Result<T> {
    let bar = progress::bar(output, "reading", 0);
    let progress = |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let found = read(Watch { progress: &progress, stop: stop::flag() })?;
    bar.finish_and_clear();
    Ok(found)
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

#[cfg(test)]
mod tests;
