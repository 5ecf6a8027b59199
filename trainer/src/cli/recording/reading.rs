//! From the description of a recording to its samples.

use super::super::{Output, progress, stop};
use super::{Recording, simulate, simulate_sequences};
use crate::data::{
    Changes, Dataset, DatasetSamples, Encoding, Extras, Format, FrameSet, ReadOptions, Target, Watch, load, read,
    stream,
};
use crate::nn::InputKind;
use crate::sim::{RecordOptions, SequenceOptions, Split};
use crate::{Error, ErrorKind, Result};

/// Frames that follow one another where a camera is blinded and nobody asks for a number: most of two of the longest black bursts.
const STEPS: usize = 24;

impl Recording {
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
        self.check_format(format)?;
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

    /// Refuses options of pictures and of tables for other data.
    fn check_format(&self, format: Option<Format>) -> Result<()> {
        let pictures = matches!(format, Some(Format::PictureFolders | Format::Idx | Format::Arrays));
        let table = format.is_some_and(|format| format.is_driving() || format == Format::PackedSounds);
        let message = match (self.mirror, &self.label) {
            (true, _) if !pictures => "--mirror is for pictures of classes",
            (_, Some(_)) if !table => {
                "--label is for data with columns: recorded driving and packed recordings of sound"
            }
            _ => return Ok(()),
        };
        let held = format.map_or("simulated frames", Format::name);
        Err(Error::usage(self.data.display(), format!("holds {held}: {message}")))
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
        let dataset = watched(output, |watch| read(&self.data, format, &options, watch))?;
        let classes = matches!(dataset.target, Target::Class(_));
        if self.mirror && !(classes && dataset.kind() == InputKind::Pixels) {
            let message = format!("holds {} that are no pictures of classes, which --mirror is for", dataset.noun());
            return Err(Error::usage(self.data.display(), message));
        }
        Ok(dataset)
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
