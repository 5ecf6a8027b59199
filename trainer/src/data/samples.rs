//! The seam between everything that makes training samples (readers, simulator) and the training loop.

use ackermann_core::blob::format::CRC;
use rand_chacha::ChaCha8Rng;

use crate::Error;

/// What a network is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// So many real numbers.
    Numbers(usize),
    /// One of so many classes; a sample's target is the index of its class, as one `f32`.
    Class(usize),
}

impl Target {
    /// How many `f32` the target of one sample has.
    pub fn values(self) -> usize {
        match self {
            Self::Numbers(count) => count,
            Self::Class(_) => 1,
        }
    }

    /// How many outputs a network has for it: one for each number, one score for each class.
    pub fn outputs(self) -> usize {
        match self {
            Self::Numbers(count) | Self::Class(count) => count,
        }
    }
}

/// Something to train on: `len` samples, each an input tensor and a target vector.
///
/// A sample is written on demand, so that augmentation is part of the source and costs no memory.
pub trait Samples: Sync {
    /// How many samples there are.
    fn len(&self) -> usize;

    /// Whether there is nothing to train on.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Shape of one input, without the batch: `[height, width, channels]` for frames.
    fn input_shape(&self) -> &[usize];

    /// What a target is.
    fn target(&self) -> Target;

    /// Writes sample `index`. `augment` carries a generator that is seeded by (run seed, epoch, index), so that the
    /// result does not depend on threads or order; `None` asks for the sample as it was recorded.
    fn write(&self, index: usize, augment: Option<&mut ChaCha8Rng>, input: &mut [f32], target: &mut [f32]);

    /// A CRC-32 that tells these samples from others: of their number and shapes, and of their targets where those are at hand.
    fn digest(&self) -> u32 {
        digest(self, &[])
    }

    /// Why a sample written so far is not what it should be: a file that could not be read, say. `None` when all is well.
    fn failure(&self) -> Option<Error> {
        None
    }
}

/// [`Samples::digest`] of samples with these targets.
pub(super) fn digest(samples: &(impl Samples + ?Sized), targets: &[f32]) -> u32 {
    let mut crc = CRC.digest();
    let classes = matches!(samples.target(), Target::Class(_));
    let counts = [samples.len(), classes.into(), samples.target().outputs()];
    for &count in counts.iter().chain(samples.input_shape()) {
        crc.update(&(count as u64).to_le_bytes());
    }
    for target in targets {
        crc.update(&target.to_bits().to_le_bytes());
    }
    crc.finalize()
}

/// Frames of one size with one label each, held in memory as bytes.
#[derive(Debug, Clone, Default)]
pub struct FrameSet {
    /// Rows of every frame.
    pub height: usize,
    /// Columns of every frame.
    pub width: usize,
    /// `len * height * width * 3` bytes: the frames one after another, HWC.
    pub pixels: Vec<u8>,
    /// Normalized steering of each frame, -1 (full left) to 1 (full right).
    pub labels: Vec<f32>,
}

impl FrameSet {
    /// How many frames there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The bytes of frame `index`, HWC.
    pub fn frame(&self, index: usize) -> &[u8] {
        let size = self.height * self.width * 3;
        &self.pixels[index * size..(index + 1) * size]
    }
}
