//! How well a network does on samples it was not trained on.

use super::batch::Batch;
use super::{Loss, Predictor};
use crate::Result;
use crate::data::Samples;

/// Samples that are written and predicted at once.
const BATCH: usize = 256;

/// Errors over a set of samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metrics {
    /// Mean loss.
    pub loss: f64,
    /// Mean absolute error.
    pub mae: f64,
}

/// Evaluates samples as recorded (no augmentation). `None` when there are none.
pub fn evaluate(predictor: &mut Predictor, samples: &dyn Samples, loss: Loss) -> Result<Option<Metrics>> {
    let indices: Vec<usize> = (0..samples.len()).collect();
    let mut batch = Batch::default();
    let (mut losses, mut absolute, mut count) = (0.0, 0.0, 0usize);
    for group in indices.chunks(BATCH) {
        batch.fill(samples, group, None);
        for (&found, &target) in predictor.predict_inputs(&batch.inputs)?.iter().zip(&batch.targets) {
            let difference = f64::from(found) - f64::from(target);
            losses += loss.of(difference);
            absolute += difference.abs();
            count += 1;
        }
    }
    Ok((count > 0).then(|| Metrics { loss: losses / count as f64, mae: absolute / count as f64 }))
}
