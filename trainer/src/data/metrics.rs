//! How good predictions are: one definition for training, evaluation and reports.

use serde::Serialize;

use crate::{Error, ErrorKind, Result};

/// Quality of predicted numbers, in the unit of the labels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Regression {
    /// How many pairs.
    pub n: usize,
    /// Mean absolute error.
    pub mae: f64,
    /// Root of the mean squared error.
    pub rmse: f64,
    /// Share of the variance explained: 1 - squared error / variance. `None` where the truth does not vary.
    pub r2: Option<f64>,
}

/// Compares predictions with the truth.
///
/// # Errors
/// Different lengths, nothing to compare, or a value that is not finite (`place` says which).
pub fn regression(predicted: &[f32], truth: &[f32]) -> Result<Regression> {
    same_length(predicted.len(), truth.len())?;
    for (name, values) in [("prediction", predicted), ("label", truth)] {
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            let message = format!("is {}; the metrics need finite numbers", values[index]);
            return Err(Error::new(ErrorKind::NotFinite, format!("{name} {index}"), message));
        }
    }
    let n = truth.len() as f64;
    let errors = || predicted.iter().zip(truth).map(|(&p, &t)| f64::from(p) - f64::from(t));
    let squared: f64 = errors().map(|e| e * e).sum();
    let center = f64::from(truth[0]);
    // Around the first label, so that equal labels have a variance of exactly 0.
    let offsets = || truth.iter().map(|&t| f64::from(t) - center);
    let mean = offsets().sum::<f64>() / n;
    let variance: f64 = offsets().map(|t| (t - mean) * (t - mean)).sum();
    Ok(Regression {
        n: truth.len(),
        mae: errors().map(f64::abs).sum::<f64>() / n,
        rmse: (squared / n).sqrt(),
        r2: (variance > 0.0).then(|| 1.0 - squared / variance),
    })
}

/// The quality of always answering the mean of the training labels: what a network has to beat.
///
/// # Errors
/// As [`regression`].
pub fn baseline(train: &[f32], truth: &[f32]) -> Result<Regression> {
    let mean = train.iter().map(|&label| f64::from(label)).sum::<f64>() / train.len().max(1) as f64;
    regression(&vec![mean as f32; truth.len()], truth)
}

/// Share of classes that are right, 0 to 1.
///
/// # Errors
/// Different lengths or nothing to compare.
pub fn accuracy(predicted: &[usize], truth: &[usize]) -> Result<f64> {
    same_length(predicted.len(), truth.len())?;
    let right = predicted.iter().zip(truth).filter(|(p, t)| p == t).count();
    Ok(right as f64 / truth.len() as f64)
}

/// The class that a network's outputs say: that of the largest score; of a single score, 1 where it is positive.
pub fn class_of(outputs: &[f32]) -> usize {
    match outputs {
        [score] => usize::from(*score > 0.0),
        scores => argmax(scores),
    }
}

/// Index of the largest score, the first of equals; 0 for none.
pub fn argmax<T: PartialOrd>(scores: &[T]) -> usize {
    let mut best = 0;
    for (index, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = index;
        }
    }
    best
}

fn same_length(predicted: usize, truth: usize) -> Result<()> {
    match (predicted, truth) {
        (p, t) if p != t => {
            Err(Error::new(ErrorKind::Shape, "", format!("{p} predictions cannot be compared with {t} labels")))
        }
        (_, 0) => Err(Error::new(ErrorKind::BadFile, "", "there is nothing to compare: no samples")),
        _ => Ok(()),
    }
}
