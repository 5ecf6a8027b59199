//! Samples of one split, whatever they are: what training, measuring and quantizing work with.

use rand_chacha::ChaCha8Rng;

use super::augment::{Augment, Augmented};
use super::encoding::Encoding;
use super::samples::{FrameSet, Samples, Target, digest};
use super::sequences::Sequences;
use super::sounds::{SoundChange, Sounds};
use super::streamed::Streamed;
use super::texts::{TextChange, Texts};
use super::warp::{self, Pictures, Warp};
use crate::nn::{InputKind, shape_for};
use crate::{Error, ErrorKind, Result};

/// Samples of one split in memory.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// What the network sees.
    pub content: Content,
    /// What it is asked for.
    pub target: Target,
    /// The answers, [`Target::values`] of each sample.
    pub targets: Vec<f32>,
    /// Numbers of the classes and words.
    pub encoding: Encoding,
}

/// What networks see.
#[derive(Debug, Clone)]
pub enum Content {
    /// Frames of recorded driving; their labels are the targets.
    Frames(FrameSet),
    /// Pictures of one size.
    Pictures(Pictures),
    /// Frames or pictures that stay files until a batch asks for them.
    Streamed(Streamed),
    /// Recordings, seen as log-mel spectrograms.
    Sounds(Sounds),
    /// Texts as numbers of words.
    Texts(Texts),
    /// Numbers as they are.
    Numbers(Numbers),
}

/// Arrays of numbers, one of each sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbers {
    /// Shape of a sample.
    pub shape: Vec<usize>,
    /// The samples one after another.
    pub values: Vec<f32>,
}

/// How samples are changed each time they are trained on; one kind applies. The default is what helped on the data tried.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Changes {
    /// Of driving frames.
    pub frames: Augment,
    /// Of pictures.
    pub pictures: Warp,
    /// Of sounds.
    pub sounds: SoundChange,
    /// Of texts.
    pub texts: TextChange,
}

impl Changes {
    /// Samples as they are.
    pub const NONE: Self =
        Self { frames: Augment::NONE, pictures: Warp::NONE, sounds: SoundChange::NONE, texts: TextChange::NONE };
}

impl Dataset {
    /// Driving frames with their labels.
    pub fn of_frames(frames: FrameSet) -> Self {
        let targets = frames.labels.clone();
        Self { content: Content::Frames(frames), target: Target::Numbers(1), targets, encoding: Encoding::default() }
    }

    /// Driving frames that stay files, with their labels.
    pub fn of_streamed(frames: Streamed, labels: Vec<f32>) -> Self {
        let content = Content::Streamed(frames);
        Self { content, target: Target::Numbers(1), targets: labels, encoding: Encoding::default() }
    }

    /// Driving frames in sequences of `steps`, with a label for each frame; what does not fill a last sequence is left out.
    pub fn of_sequences(frames: FrameSet, steps: usize) -> Self {
        let whole = frames.len() / steps.max(1) * steps;
        let targets = frames.labels[..whole].to_vec();
        Self { target: Target::Numbers(steps), targets, ..Self::of_frames(frames) }
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.targets.len() / self.target.values().max(1)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// What samples are called.
    pub fn noun(&self) -> &'static str {
        match &self.content {
            Content::Frames(_) if self.target.values() > 1 => "sequences of frames",
            Content::Frames(_) => "frames",
            Content::Pictures(_) => "pictures",
            Content::Streamed(pictures) if pictures.driving => "frames",
            Content::Streamed(_) => "pictures",
            Content::Sounds(_) => "recordings",
            Content::Texts(_) => "texts",
            Content::Numbers(_) => "samples",
        }
    }

    /// Shape of one input.
    pub fn input_shape(&self) -> Vec<usize> {
        match &self.content {
            Content::Frames(frames) => match self.target.values() {
                1 => vec![frames.height, frames.width, 3],
                steps => vec![steps, frames.height, frames.width, 3],
            },
            Content::Pictures(pictures) => pictures.shape.to_vec(),
            Content::Streamed(pictures) => pictures.shape.to_vec(),
            Content::Sounds(sounds) => sounds.shape().to_vec(),
            Content::Texts(texts) => vec![texts.length],
            Content::Numbers(numbers) => numbers.shape.clone(),
        }
    }

    /// What the numbers of an input mean.
    pub fn kind(&self) -> InputKind {
        match &self.content {
            Content::Frames(_) | Content::Pictures(_) | Content::Streamed(_) => InputKind::Pixels,
            Content::Sounds(_) | Content::Numbers(_) => InputKind::Numbers,
            Content::Texts(texts) => InputKind::Tokens { vocabulary: texts.vocabulary },
        }
    }

    /// The samples for a network that takes `shape`, changed by `changes` when trained on.
    ///
    /// # Errors
    /// Another shape than the network that is [`adapted`](crate::nn::Network::adapted) to this data has.
    pub fn samples(&self, shape: &[usize], changes: Changes) -> Result<DatasetSamples<'_>> {
        let own = self.input_shape();
        if shape_for(shape, &own) != shape {
            let message = format!("holds {} of shape {own:?}, the network takes inputs of {shape:?}", self.noun());
            return Err(Error::new(ErrorKind::Shape, "data", message));
        }
        Ok(DatasetSamples { dataset: self, shape: shape.to_vec(), changes })
    }
}

/// A [`Dataset`] as the training loop takes it.
#[derive(Debug, Clone)]
pub struct DatasetSamples<'a> {
    dataset: &'a Dataset,
    shape: Vec<usize>,
    changes: Changes,
}

impl Samples for DatasetSamples<'_> {
    fn len(&self) -> usize {
        self.dataset.len()
    }

    fn input_shape(&self) -> &[usize] {
        &self.shape
    }

    fn target(&self) -> Target {
        self.dataset.target
    }

    fn write(&self, index: usize, augment: Option<&mut ChaCha8Rng>, input: &mut [f32], target: &mut [f32]) {
        let values = self.dataset.target.values();
        target.copy_from_slice(&self.dataset.targets[index * values..][..values]);
        match &self.dataset.content {
            Content::Frames(frames) if values > 1 => {
                Sequences::new(frames, values, self.changes.frames).write(index, augment, input, target)
            }
            Content::Frames(frames) => Augmented::new(frames, self.changes.frames).write(index, augment, input, target),
            Content::Pictures(pictures) => {
                pictures.write(index, augment.map(|rng| (self.changes.pictures, rng)), input)
            }
            Content::Streamed(pictures) if pictures.driving => pictures.with(index, |frame| {
                self.changes.frames.write(frame, pictures.shape, augment, input, target);
            }),
            Content::Streamed(pictures) => pictures.with(index, |picture| {
                warp::write(picture, pictures.shape, augment.map(|rng| (self.changes.pictures, rng)), input);
            }),
            Content::Sounds(sounds) => sounds.write(index, augment.map(|rng| (self.changes.sounds, rng)), input),
            Content::Texts(texts) => texts.write(index, augment.map(|rng| (self.changes.texts, rng)), input),
            Content::Numbers(numbers) => {
                let size = input.len();
                input.copy_from_slice(&numbers.values[index * size..][..size]);
            }
        }
    }

    fn digest(&self) -> u32 {
        digest(self, &self.dataset.targets)
    }

    fn failure(&self) -> Option<Error> {
        match &self.dataset.content {
            Content::Streamed(pictures) => pictures.failure(),
            _ => None,
        }
    }
}
