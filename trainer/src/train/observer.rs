//! Who watches a run: progress bars, logs, tests.

use super::EpochRow;

/// One training step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Epochs of the run.
    pub epochs: usize,
    /// Steps made in this epoch.
    pub step: usize,
    /// Steps of an epoch.
    pub steps: usize,
    /// Loss of this batch.
    pub loss: f64,
    /// Mean training loss of the epoch so far.
    pub mean_loss: f64,
    /// Learning rate of this step.
    pub lr: f64,
    /// Samples per second, of this epoch so far.
    pub rate: f64,
}

/// Called by [`super::fit`] as the run goes on. `()` watches nothing.
pub trait Observer {
    /// Before the first step, with the number of epochs that a resumed run has finished already.
    fn start(&mut self, _epochs: usize) {}

    /// After every step.
    fn step(&mut self, _report: &StepReport) {}

    /// After every epoch; `best` when it is the best one so far.
    fn epoch(&mut self, _row: &EpochRow, _best: bool) {}
}

impl Observer for () {}
