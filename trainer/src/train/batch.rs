//! Batches of samples, written in parallel and in a seeded order.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::data::Samples;

/// The batches of an epoch: while one is worked on, the next is written.
pub struct Batches<'a> {
    samples: &'a dyn Samples,
    order: Vec<usize>,
    size: usize,
    augment: Augmentation,
    ready: Batch,
    next: Batch,
}

impl<'a> Batches<'a> {
    /// Batches of `size` samples (at least 1) from step `first` on; samples that do not fill a last batch wait for another epoch.
    pub fn new(samples: &'a dyn Samples, size: usize, augment: Augmentation, first: usize) -> Self {
        let order = shuffled(samples.len(), augment.seed, augment.epoch);
        let batches = Self { samples, order, size, augment, ready: Batch::default(), next: Batch::default() };
        let mut ready = Batch::default();
        ready.fill(samples, batches.indices(first), Some(augment));
        Self { ready, ..batches }
    }

    /// Steps of the epoch.
    pub fn steps(&self) -> usize {
        self.order.len() / self.size
    }

    /// Works on the batch of `step` while that of the next step is written. Steps are asked for in their order.
    pub fn work<T: Send>(&mut self, step: usize, work: impl FnOnce(&mut Batch) -> T + Send) -> T {
        let Self { samples, augment, .. } = *self;
        let (mut ready, mut next) = (std::mem::take(&mut self.ready), std::mem::take(&mut self.next));
        let indices = self.indices(step + 1);
        let (done, ()) = rayon::join(|| work(&mut ready), || next.fill(samples, indices, Some(augment)));
        (self.ready, self.next) = (next, ready);
        done
    }

    fn indices(&self, step: usize) -> &[usize] {
        self.order.chunks_exact(self.size).nth(step).unwrap_or(&[])
    }
}

/// Inputs and targets of some samples, one after another.
#[derive(Debug, Default)]
pub struct Batch {
    /// Inputs.
    pub inputs: Vec<f32>,
    /// Targets.
    pub targets: Vec<f32>,
}

/// Seeds the augmentation of samples: (run seed, epoch).
#[derive(Debug, Clone, Copy)]
pub struct Augmentation {
    pub seed: u64,
    pub epoch: u64,
}

impl Augmentation {
    fn rng(&self, index: usize) -> ChaCha8Rng {
        seeded(self.seed, self.epoch, index as u64, 1)
    }
}

/// The order of `len` samples in an epoch.
pub fn shuffled(len: usize, seed: u64, epoch: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    order.shuffle(&mut seeded(seed, epoch, 0, 2));
    order
}

fn seeded(seed: u64, epoch: u64, index: u64, purpose: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (part, value) in key.chunks_exact_mut(8).zip([seed, epoch, index, purpose]) {
        part.copy_from_slice(&value.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

impl Batch {
    /// Writes samples `indices`, augmented or as recorded. Allocates only when the batch grows.
    pub fn fill(&mut self, samples: &dyn Samples, indices: &[usize], augment: Option<Augmentation>) {
        let input: usize = samples.input_shape().iter().product();
        let target = samples.target().values();
        self.inputs.resize(indices.len() * input, 0.0);
        self.targets.resize(indices.len() * target, 0.0);
        let tensors = self.inputs.par_chunks_mut(input.max(1)).zip(self.targets.par_chunks_mut(target.max(1)));
        tensors.zip(indices).for_each(|((input, target), &index)| match augment {
            Some(augment) => samples.write(index, Some(&mut augment.rng(index)), input, target),
            None => samples.write(index, None, input, target),
        });
    }
}
