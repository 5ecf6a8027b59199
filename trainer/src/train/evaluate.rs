//! How well a network does on samples it was not trained on.

use super::batch::Batch;
use super::{Loss, Predictor};
use crate::Result;
use crate::data::metrics::class_of;
use crate::data::{Samples, Target};

/// Samples that are written and predicted at once.
const BATCH: usize = 256;

/// Errors over a set of samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metrics {
    /// Mean loss.
    pub loss: f64,
    /// Mean absolute error of [`Loss::prediction`], for numbers.
    pub mae: Option<f64>,
    /// Share of samples whose class is found, 0 to 1, for classes.
    pub accuracy: Option<f64>,
}

/// Evaluates samples as recorded (no augmentation). `None` when there are none.
pub fn evaluate(predictor: &mut Predictor, samples: &dyn Samples, loss: Loss) -> Result<Option<Metrics>> {
    measure(&mut |inputs| predictor.predict_inputs(inputs), samples, loss)
}

/// [`evaluate`] of anything that makes outputs of inputs.
pub fn measure(
    predict: &mut dyn FnMut(&[f32]) -> Result<Vec<f32>>,
    samples: &dyn Samples,
    loss: Loss,
) -> Result<Option<Metrics>> {
    let target = samples.target();
    let (mut losses, mut absolute, mut right) = (0.0, 0.0, 0usize);
    predictions(predict, samples, |found, wanted| {
        losses += loss.of(found, wanted);
        match target {
            Target::Numbers(_) => absolute += mean_distance(found, wanted, loss),
            Target::Class(_) => right += usize::from(class_of(found) == wanted[0] as usize),
        }
    })?;
    let count = samples.len();
    let mean = |sum: f64| sum / count as f64;
    Ok((count > 0).then(|| match target {
        Target::Numbers(_) => Metrics { loss: mean(losses), mae: Some(mean(absolute)), accuracy: None },
        Target::Class(_) => Metrics { loss: mean(losses), mae: None, accuracy: Some(mean(right as f64)) },
    }))
}

/// Predicts every sample as recorded, in order, and hands its outputs and its target to `visit`.
///
/// # Errors
/// A sample that cannot be read, what `predict` says.
pub fn predictions(
    predict: &mut dyn FnMut(&[f32]) -> Result<Vec<f32>>,
    samples: &dyn Samples,
    mut visit: impl FnMut(&[f32], &[f32]),
) -> Result<()> {
    let indices: Vec<usize> = (0..samples.len()).collect();
    let values = samples.target().values().max(1);
    let mut batch = Batch::default();
    for group in indices.chunks(BATCH) {
        batch.fill(samples, group, None);
        if let Some(error) = samples.failure() {
            return Err(error);
        }
        let found = predict(&batch.inputs)?;
        let outputs = (found.len() / group.len()).max(1);
        found
            .chunks_exact(outputs)
            .zip(batch.targets.chunks_exact(values))
            .for_each(|(found, wanted)| visit(found, wanted));
    }
    Ok(())
}

/// How often samples of each class (rows) are taken for each class (columns): by their outputs, one after another, and their `targets`.
pub fn confusion_matrix(outputs: &[f32], targets: &[f32], classes: usize) -> Vec<Vec<usize>> {
    let mut counts = vec![vec![0; classes]; classes];
    let scores = (outputs.len() / targets.len().max(1)).max(1);
    for (found, &wanted) in outputs.chunks_exact(scores).zip(targets) {
        if let Some(count) = counts.get_mut(wanted as usize).and_then(|row| row.get_mut(class_of(found))) {
            *count += 1;
        }
    }
    counts
}

fn mean_distance(found: &[f32], wanted: &[f32], loss: Loss) -> f64 {
    let distance = |(&f, &w)| (f64::from(loss.prediction(f)) - f64::from(w)).abs();
    let sum: f64 = found.iter().zip(wanted).map(distance).sum();
    sum / wanted.len().max(1) as f64
}
