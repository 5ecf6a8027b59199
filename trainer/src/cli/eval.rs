//! `ackermann eval`: a network's error on recorded driving, float beside int8.

use super::args::EvalArgs;
use super::blob::{frame_size, read_blob, refused};
use super::recording::Recording;
use super::{Output, progress};
use crate::data::FrameSet;
use crate::data::metrics::{Regression, regression};
use crate::quant::Int8Predictor;
use crate::report::{Table, format};
use crate::train::Predictor;
use crate::{Error, Result};
use ackermann_core::Model;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Frames that are predicted between two looks at the progress bar.
const GROUP: usize = 64;

/// What there is to measure.
#[derive(Default)]
struct Models {
    float: Option<(PathBuf, Predictor)>,
    int8: Option<(PathBuf, Int8Predictor)>,
}

/// Measures every model on the same frames.
pub fn eval(args: &EvalArgs, output: Output) -> Result<()> {
    let mut models = Models::default();
    let (mut trained, mut input) = (None, None);
    for path in &args.models {
        let size = if path.is_dir() {
            let predictor = Predictor::load(path)?;
            trained = Recording::of_run(path)?;
            let size = predictor.network().input;
            place(&mut models.float, path, predictor)?;
            size
        } else {
            let blob = read_blob(path)?;
            let model = Model::load(&blob).map_err(|error| refused(path, error))?;
            let (height, width) = frame_size(&model, path)?;
            place(&mut models.int8, path, Int8Predictor::new(&blob)?)?;
            [height, width, 3]
        };
        if input.is_some_and(|other| other != size) {
            return Err(Error::usage(path.display(), format!("takes frames of {size:?}, the other model of {input:?}")));
        }
        input = Some(size);
    }
    let Some(input) = input else { return Err(Error::usage("MODELS", "name a run folder, a blob, or both")) };
    let recording = Recording::of(&args.data.data, args.data.label.clone(), args.data.crop).like(trained.as_ref());
    let frames = recording.frames(&args.split, input, output)?;
    let mut table = Table::new(["", "MAE", "RMSE", "R2", "model"]);
    let (mut float, mut int8) = (Value::Null, Value::Null);
    if let Some((path, predictor)) = &mut models.float {
        let found = measure(&frames, output, |group| predictor.predict(group))?;
        float = row(&mut table, "float", &found, path);
    }
    if let Some((path, predictor)) = &mut models.int8 {
        let found = measure(&frames, output, |group| predictor.predict(group))?;
        int8 = row(&mut table, "int8", &found, path);
    }
    let text = format!("{} frames of {}\n{}", frames.len(), args.data.data.display(), table.to_terminal());
    output.finish(text, &json!({ "float": float, "int8": int8, "n": frames.len() }));
    Ok(())
}

fn place<T>(slot: &mut Option<(PathBuf, T)>, path: &Path, model: T) -> Result<()> {
    match slot.replace((path.to_path_buf(), model)) {
        None => Ok(()),
        Some((other, _)) => {
            Err(Error::usage(path.display(), format!("is of the same kind as {}; name one run and one blob", other.display())))
        }
    }
}

/// Error of a predictor (one output per frame) on frames.
pub fn measure(frames: &FrameSet, output: Output, mut predict: impl FnMut(&[u8]) -> Result<Vec<f32>>) -> Result<Regression> {
    let predicted = predict_all(frames, output, &mut predict)?;
    regression(&predicted, &frames.labels)
}

/// Predictions for all frames.
pub fn predict_all(
    frames: &FrameSet,
    output: Output,
    mut predict: impl FnMut(&[u8]) -> Result<Vec<f32>>,
) -> Result<Vec<f32>> {
    let bar = progress::bar(output, "evaluating", frames.len() as u64);
    let mut predicted = Vec::with_capacity(frames.len());
    for group in frames.pixels.chunks((frames.height * frames.width * 3 * GROUP).max(1)) {
        predicted.extend(predict(group)?);
        bar.set_position(predicted.len() as u64);
    }
    bar.finish_and_clear();
    Ok(predicted)
}

fn row(table: &mut Table, kind: &str, found: &Regression, path: &Path) -> Value {
    table.row([
        kind.to_string(),
        format::fixed(found.mae, 5),
        format::fixed(found.rmse, 5),
        format::optional(found.r2, 3),
        path.display().to_string(),
    ]);
    json!({ "mae": found.mae, "rmse": found.rmse, "r2": found.r2, "accuracy": null })
}
