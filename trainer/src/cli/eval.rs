//! `ackermann eval`: a network's error on recorded driving, float beside int8.

use super::args::EvalArgs;
use super::blob::frame_size;
use super::recording::Recording;
use super::{Output, progress};
use crate::data::metrics::{Regression, regression};
use crate::data::{FrameSet, Window};
use crate::quant::{Int8Predictor, for_this_machine, load, read_blob};
use crate::report::{Table, format};
use crate::train::Predictor;
use crate::{Error, ErrorKind, Result};
use ackermann_core::blob::{AlignedBytes, keys};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Frames that are predicted between two looks at the progress bar.
const GROUP: usize = 64;

/// What there is to measure: a run, a blob, or both; and the frames that they take.
struct Models {
    float: Option<(PathBuf, Predictor)>,
    int8: Option<(PathBuf, AlignedBytes)>,
    input: [usize; 3],
    /// The part of each image that the blob looks at.
    window: Option<Window>,
}

/// Measures every model on the same frames.
pub fn eval(args: &EvalArgs, output: Output) -> Result<()> {
    let mut models = open(&args.models)?;
    let trained = match &models.float {
        Some((run, _)) => Recording::of_run(run)?,
        None => None,
    };
    let recording = Recording {
        label: args.data.label.clone(),
        label_scale: args.data.label_scale,
        window: args.data.crop.or(models.window),
        ..Recording::of(&args.data.data)
    };
    let recording = recording.like(trained.as_ref());
    let frames = recording.frames(&args.split, models.input, output)?;
    let mut table = Table::new(["", "MAE", "RMSE", "R2", "model"]);
    let (mut float, mut int8) = (Value::Null, Value::Null);
    if let Some((path, predictor)) = &mut models.float {
        float = row(
            &mut table,
            "float",
            &regression(&float_predictions(predictor, &frames, output)?, &frames.labels)?,
            path,
        );
    }
    if let Some((path, blob)) = &models.int8 {
        int8 = row(
            &mut table,
            "int8",
            &regression(&Int8Predictor::new(blob)?.predict(&frames.pixels)?, &frames.labels)?,
            path,
        );
    }
    let text = format!("{} frames of {}\n{}", frames.len(), args.data.data.display(), table.to_terminal());
    output.finish(text, &json!({ "float": float, "int8": int8, "n": frames.len() }))
}

fn open(paths: &[PathBuf]) -> Result<Models> {
    let mut models = Models { float: None, int8: None, input: [0; 3], window: None };
    for (index, path) in paths.iter().enumerate() {
        let (input, other) = if path.is_dir() {
            let predictor = Predictor::load(path)?;
            let input = predictor.network().frame_size()?;
            (input, models.float.replace((path.clone(), predictor)).map(|(path, _)| path))
        } else {
            let blob = read_blob(path)?;
            let model = load(&blob)?;
            let input = frame_size(&model, path)?;
            models.window = model.metadata().get(keys::INPUT_CROP).map(str::parse).transpose()?;
            (input, models.int8.replace((path.clone(), for_this_machine(&blob)?)).map(|(path, _)| path))
        };
        if let Some(other) = other {
            let message = format!("is of the same kind as {}; name one run and one blob", other.display());
            return Err(Error::usage(path.display(), message));
        }
        if index > 0 && input != models.input {
            let message = format!("takes frames of {input:?}, the other model of {:?}", models.input);
            return Err(Error::new(ErrorKind::Shape, path.display(), message));
        }
        models.input = input;
    }
    Ok(models)
}

/// The float network's steering for all frames.
pub fn float_predictions(predictor: &mut Predictor, frames: &FrameSet, output: Output) -> Result<Vec<f32>> {
    let bar = progress::bar(output, "evaluating", frames.len() as u64);
    let mut predicted = Vec::with_capacity(frames.len());
    for group in frames.pixels.chunks((frames.height * frames.width * 3 * GROUP).max(1)) {
        predicted.extend(predictor.predict(group)?);
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
