//! `ackermann eval`: how well a network does on data it was not trained on, float beside int8.

use super::args::EvalArgs;
use super::recording::Recording;
use super::{Output, progress};
use crate::data::metrics::{accuracy, class_of, regression};
use crate::data::{Changes, Dataset, Encoding, Samples, Target, Window};
use crate::quant::{Int8Predictor, for_this_machine, load, read_blob, sample_shape};
use crate::report::{Table, format};
use crate::train::{Predictor, RunConfig, predictions, read_config};
use crate::{Error, ErrorKind, Result};
use ackermann_core::blob::{AlignedBytes, keys};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// What there is to measure: a run, a blob, or both; and the inputs that they take.
struct Models {
    float: Option<(PathBuf, Predictor)>,
    int8: Option<(PathBuf, AlignedBytes)>,
    input: Vec<usize>,
    /// The part of each image that the blob looks at.
    window: Option<Window>,
}

/// How well predictions are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Quality {
    /// Of numbers.
    Numbers {
        /// Mean absolute error.
        mae: f64,
        /// Root of the mean squared error.
        rmse: f64,
        /// Share of the variance explained; `None` where the truth does not vary.
        r2: Option<f64>,
    },
    /// Of classes: share that is right.
    Classes(f64),
}

impl Quality {
    /// As `{"mae", "rmse", "r2", "accuracy"}`, null where one does not apply.
    pub fn json(self) -> Value {
        match self {
            Self::Numbers { mae, rmse, r2 } => json!({ "mae": mae, "rmse": rmse, "r2": r2, "accuracy": null }),
            Self::Classes(accuracy) => json!({ "mae": null, "rmse": null, "r2": null, "accuracy": accuracy }),
        }
    }
}

/// What was found of a dataset.
pub struct Evaluation {
    /// The data.
    pub dataset: Dataset,
    /// Each model: its kind, quality, file, and predictions of all samples.
    pub rows: Vec<(&'static str, Quality, PathBuf, Vec<f32>)>,
}

impl Evaluation {
    /// The table that people see.
    pub fn table(&self) -> Table {
        let classes = matches!(self.dataset.target, Target::Class(_));
        let mut table = if classes {
            Table::new(["", "accuracy", "model"])
        } else {
            Table::new(["", "MAE", "RMSE", "R2", "model"])
        };
        for (kind, quality, path, _) in &self.rows {
            let figures = match *quality {
                Quality::Numbers { mae, rmse, r2 } => {
                    vec![format::fixed(mae, 5), format::fixed(rmse, 5), format::optional(r2, 3)]
                }
                Quality::Classes(accuracy) => vec![format::percent(accuracy, 2)],
            };
            table.row([vec![kind.to_string()], figures, vec![path.display().to_string()]].concat());
        }
        table
    }

    /// Quality of a kind, where it was measured.
    pub fn quality(&self, kind: &str) -> Option<Quality> {
        self.rows.iter().find(|row| row.0 == kind).map(|row| row.1)
    }

    /// `{"float", "int8", "n"}`.
    pub fn json(&self) -> Value {
        let of = |kind| self.quality(kind).map_or(Value::Null, Quality::json);
        json!({ "float": of("float"), "int8": of("int8"), "n": self.dataset.len() })
    }
}

/// Measures every model on the same samples and says how well they do.
pub fn eval(args: &EvalArgs, output: Output) -> Result<()> {
    let found = evaluate(args, output)?;
    let (count, noun, data) = (found.dataset.len(), found.dataset.noun(), args.data.data.display());
    output.finish(format!("{count} {noun} of {data}\n{}", found.table().to_terminal()), &found.json())
}

/// Measures every model on the same samples.
pub fn evaluate(args: &EvalArgs, output: Output) -> Result<Evaluation> {
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
    let config = read_config(folder(&models)).ok();
    let encoding = encoding(&models, config.as_ref())?;
    let dataset = recording.dataset(&args.split, &models.input, Some(&encoding), output)?;
    let samples = recording.samples(&dataset, &models.input, Changes::NONE)?;
    // Numbers as they are predicted, classes by their scores.
    let predicted = |mut outputs: Vec<f32>| {
        if let (Some(config), Target::Numbers(_)) = (&config, dataset.target) {
            outputs.iter_mut().for_each(|output| *output = config.train.loss.prediction(*output));
        }
        outputs
    };
    let mut rows = Vec::new();
    if let Some((path, predictor)) = &mut models.float {
        let outputs = predicted(predict(&samples, output, |inputs| predictor.predict_inputs(inputs))?);
        rows.push(("float", quality(&dataset, path, &outputs)?, path.clone(), outputs));
    }
    if let Some((path, blob)) = &models.int8 {
        let mut predictor = Int8Predictor::new(blob)?;
        let outputs = predicted(predict(&samples, output, |inputs| predictor.predict_inputs(inputs))?);
        rows.push(("int8", quality(&dataset, path, &outputs)?, path.clone(), outputs));
    }
    Ok(Evaluation { dataset, rows })
}

/// The run, else the folder that the blob lies in.
fn folder(models: &Models) -> &Path {
    let beside = models.int8.as_ref().and_then(|(path, _)| path.parent());
    models.float.as_ref().map(|(run, _)| run.as_path()).or(beside).unwrap_or(Path::new(""))
}

/// Numbers of classes and words; they must fit the run's network, where its `config` is known.
fn encoding(models: &Models, config: Option<&RunConfig>) -> Result<Encoding> {
    let (folder, length) = (folder(models), models.input.first().copied().unwrap_or(0));
    let known = match config {
        Some(config) => Encoding::of_network(folder, &config.network)?,
        None => Encoding::of_run(folder, length)?,
    };
    Ok(Encoding { length, ..known })
}

fn quality(dataset: &Dataset, path: &Path, outputs: &[f32]) -> Result<Quality> {
    let (found, asked) = (outputs.len() / dataset.len().max(1), dataset.target.outputs());
    // One output tells two classes apart.
    if found != asked && (dataset.target, found) != (Target::Class(2), 1) {
        let message = format!("puts out {found} numbers, these {} ask for {asked}", dataset.noun());
        return Err(Error::new(ErrorKind::Shape, path.display(), message));
    }
    match dataset.target {
        Target::Numbers(_) => {
            let found = regression(outputs, &dataset.targets)?;
            Ok(Quality::Numbers { mae: found.mae, rmse: found.rmse, r2: found.r2 })
        }
        Target::Class(_) => {
            let predicted: Vec<usize> = outputs.chunks_exact(found.max(1)).map(class_of).collect();
            let truth: Vec<usize> = dataset.targets.iter().map(|&class| class as usize).collect();
            accuracy(&predicted, &truth).map(Quality::Classes)
        }
    }
}

/// Outputs of all samples, one after another, with a progress bar.
pub fn predict(
    samples: &dyn Samples,
    output: Output,
    mut predict: impl FnMut(&[f32]) -> Result<Vec<f32>>,
) -> Result<Vec<f32>> {
    let bar = progress::bar(output, "evaluating", samples.len() as u64);
    let mut outputs = Vec::new();
    predictions(&mut predict, samples, |found, _| {
        outputs.extend_from_slice(found);
        bar.inc(1);
    })?;
    bar.finish_and_clear();
    Ok(outputs)
}

fn open(paths: &[PathBuf]) -> Result<Models> {
    let mut models = Models { float: None, int8: None, input: Vec::new(), window: None };
    for (index, path) in paths.iter().enumerate() {
        let (input, other) = if path.is_dir() {
            let predictor = Predictor::load(path)?;
            let input = predictor.network().input.clone();
            (input, models.float.replace((path.clone(), predictor)).map(|(path, _)| path))
        } else {
            let blob = read_blob(path)?;
            let model = load(&blob)?;
            let input = sample_shape(&model).map_err(|error| Error { place: path.display().to_string(), ..error })?;
            models.window = model.metadata().get(keys::INPUT_CROP).map(str::parse).transpose()?;
            (input, models.int8.replace((path.clone(), for_this_machine(&blob)?)).map(|(path, _)| path))
        };
        if let Some(other) = other {
            let message = format!("is of the same kind as {}; name one run and one blob", other.display());
            return Err(Error::usage(path.display(), message));
        }
        if index > 0 && input != models.input {
            let message = format!("takes inputs of {input:?}, the other model of {:?}", models.input);
            return Err(Error::new(ErrorKind::Shape, path.display(), message));
        }
        models.input = input;
    }
    Ok(models)
}
