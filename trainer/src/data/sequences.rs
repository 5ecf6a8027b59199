//! Samples that are sequences of frames, each with a label per frame.

use rand_chacha::ChaCha8Rng;

use super::augment::{Augment, Augmented};
use super::samples::{FrameSet, Samples, Target, digest};

/// Frames in sequences of one length: input `[steps, height, width, 3]` of values (pixel - 128) / 128, target the label of every step.
#[derive(Debug, Clone)]
pub struct Sequences<'a> {
    frames: Augmented<'a>,
    /// Of the frames in whole sequences.
    labels: &'a [f32],
    shape: [usize; 4],
    len: usize,
}

impl<'a> Sequences<'a> {
    /// `frames` cut into sequences of `steps`; what does not fill a last one is left out. A sequence is changed by `augment` as a whole.
    pub fn new(frames: &'a FrameSet, steps: usize, augment: Augment) -> Self {
        let shape = [steps, frames.height, frames.width, 3];
        let len = frames.len().checked_div(steps).unwrap_or(0);
        Self { frames: Augmented::new(frames, augment), labels: &frames.labels[..len * steps], shape, len }
    }
}

impl Samples for Sequences<'_> {
    fn len(&self) -> usize {
        self.len
    }

    fn input_shape(&self) -> &[usize] {
        &self.shape
    }

    fn target(&self) -> Target {
        Target::Numbers(self.shape[0])
    }

    fn write(&self, index: usize, augment: Option<&mut ChaCha8Rng>, input: &mut [f32], target: &mut [f32]) {
        let steps = self.shape[0];
        let size = input.len() / steps;
        // Each frame is drawn from the same numbers: all are flipped, or none.
        for (step, (frame, label)) in input.chunks_exact_mut(size).zip(target.chunks_exact_mut(1)).enumerate() {
            let mut same = augment.as_deref().cloned();
            self.frames.write(index * steps + step, same.as_mut(), frame, label);
        }
    }

    fn digest(&self) -> u32 {
        digest(self, self.labels)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_sequence_is_mirrored_as_a_whole() {
        let labels: Vec<f32> = (0..7).map(|at| at as f32 / 10.0).collect();
        let pixels = (0..7 * 12).map(|at| at as u8).collect();
        let frames = FrameSet { height: 2, width: 2, pixels, labels };
        let flips = Augment { flip: 0.5, ..Augment::NONE };
        let samples = Sequences::new(&frames, 3, flips);
        assert_eq!(
            (samples.len(), samples.input_shape(), samples.target()),
            (2, &[3, 2, 2, 3][..], Target::Numbers(3))
        );
        let (mut input, mut target) = (vec![0.0; 36], vec![0.0; 3]);
        samples.write(1, None, &mut input, &mut target);
        assert_eq!((input[0], &target[..]), ((36.0 - 128.0) / 128.0, &[0.3, 0.4, 0.5][..]));
        let mut signs = std::collections::BTreeSet::new();
        for seed in 0..20 {
            samples.write(1, Some(&mut ChaCha8Rng::seed_from_u64(seed)), &mut input, &mut target);
            assert!(target.iter().all(|label| label.signum() == target[0].signum()));
            signs.insert(target[0] > 0.0);
        }
        assert_eq!(signs.len(), 2);
    }
}
