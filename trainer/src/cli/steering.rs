//! Networks as drivers.

use super::stop;
use crate::quant::Int8Predictor;
use crate::sim::Policy;
use crate::train::Predictor;
use crate::{Error, ErrorKind, Frame, Result};
use indicatif::ProgressBar;
use std::sync::atomic::Ordering;

fn first(outputs: &[f32]) -> Result<f32> {
    outputs.first().copied().ok_or_else(|| Error::new(ErrorKind::Shape, "network", "has no output to steer by"))
}

impl Policy for Predictor {
    fn steer(&mut self, frame: &Frame) -> Result<f32> {
        let in_time = self.network().steps().is_some();
        first(&if in_time { self.step(&frame.rgb)? } else { self.predict(&frame.rgb)? })
    }
}

impl Policy for Int8Predictor<'_> {
    fn steer(&mut self, frame: &Frame) -> Result<f32> {
        first(&self.predict(&frame.rgb)?)
    }
}

/// A policy that moves a progress bar and listens to Ctrl-C.
pub struct Watched<'a> {
    policy: &'a mut dyn Policy,
    bar: &'a ProgressBar,
}

impl<'a> Watched<'a> {
    /// Watches `policy`; every frame is one step of `bar`.
    pub fn new(policy: &'a mut dyn Policy, bar: &'a ProgressBar) -> Self {
        Self { policy, bar }
    }
}

impl Policy for Watched<'_> {
    fn steer(&mut self, frame: &Frame) -> Result<f32> {
        if stop::flag().load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Interrupted, "", "the drive was stopped"));
        }
        self.bar.inc(1);
        self.policy.steer(frame)
    }
}
