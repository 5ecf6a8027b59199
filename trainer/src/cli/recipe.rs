//! `ackermann recipe`: a network for each of the usual data sets, trained, quantized and measured by one command.
//!
//! A recipe is nothing but the command lines of `train`, `quantize` and `eval` with settings that are known to do well; it prints them.

use super::args::{Cli, Command, EvalArgs, QuantizeArgs, RecipeArgs, TrainArgs};
use super::eval::{self, Evaluation, Quality};
use super::job::is_of;
use super::train::{self, add_confusion, add_curves};
use super::{Output, quantize};
use crate::data::Target;
use crate::report::chart::predicted_against_true;
use crate::report::{Report, Series, Table, format};
use crate::train::{EpochRow, LAST};
use crate::{Error, Result, files};
use clap::Parser;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Folders that data sets are looked for in.
const PLACES: [&str; 2] = ["data", "../shared/data"];

/// A way to train that is known to do well.
struct Recipe {
    name: &'static str,
    /// Folder of its data set.
    data: &'static str,
    /// What it learns.
    task: &'static str,
    /// Options of `train`.
    train: &'static str,
    /// What it reaches on the validation split with the default seed.
    expected: Expected,
    /// How long it takes on one core, minutes.
    minutes: f64,
}

/// What float and int8 reach.
enum Expected {
    /// Mean absolute error, at most.
    Mae(f64),
    /// Share of right classes, at least.
    Accuracy(f64),
}

const RECIPES: [Recipe; 6] = [
    Recipe {
        name: "udacity",
        data: "driving-udacity",
        task: "steering, simulator, lake track",
        train: "--net micro --label steering_smooth --epochs 30",
        expected: Expected::Mae(0.024),
        minutes: 1.0,
    },
    Recipe {
        name: "mountain",
        data: "driving-mountain",
        task: "steering, simulator, mountain track, three cameras",
        train: "--net micro --label steering_smooth --side-correction 0.04 --epochs 20",
        expected: Expected::Mae(0.053),
        minutes: 1.2,
    },
    Recipe {
        name: "rc-real",
        data: "driving-rc-real",
        task: "steering, a real car indoors",
        train: "--net micro --label steering_smooth --crop 40..119 --epochs 30",
        expected: Expected::Mae(0.088),
        minutes: 1.2,
    },
    Recipe {
        name: "mnist",
        data: "mnist",
        task: "handwritten digits",
        train: "--net vgg-small --epochs 8 --batch 64 --lr 2e-3 --smoothing 0.05",
        expected: Expected::Accuracy(0.985),
        minutes: 4.0,
    },
    Recipe {
        name: "speech",
        data: "speech-digits",
        task: "spoken digits",
        train: "--net lstm --epochs 30 --lr 4e-3 --smoothing 0.05 --clip 1",
        expected: Expected::Accuracy(0.97),
        minutes: 0.5,
    },
    Recipe {
        name: "sentiment",
        data: "sentiment",
        task: "whether a sentence about a film is positive",
        train: "--net text --stems --pairs --epochs 15 --batch 64 --lr 4e-3 --smoothing 0.1",
        expected: Expected::Accuracy(0.82),
        minutes: 0.5,
    },
];

impl Expected {
    fn metric(&self) -> &'static str {
        match self {
            Self::Mae(..) => "MAE",
            Self::Accuracy(..) => "accuracy",
        }
    }

    fn figure(&self) -> f64 {
        match *self {
            Self::Mae(figure) | Self::Accuracy(figure) => figure,
        }
    }

    /// Whether all of these qualities are at least this one.
    fn is_reached(&self, found: [Option<Quality>; 2]) -> bool {
        found.into_iter().all(|found| match (self, found) {
            (Self::Mae(most), Some(Quality::Numbers { mae, .. })) => mae <= *most,
            (Self::Accuracy(least), Some(Quality::Classes(accuracy))) => accuracy >= *least,
            _ => false,
        })
    }
}

/// Lists the recipes, or cooks one.
pub fn recipe(args: &RecipeArgs, output: Output) -> Result<()> {
    let Some(name) = &args.name else { return list(output) };
    let recipe = RECIPES.iter().find(|recipe| recipe.name == name).ok_or_else(|| {
        let names: Vec<&str> = RECIPES.iter().map(|recipe| recipe.name).collect();
        Error::usage("recipe", format!("there is no recipe `{name}`; there are {}", names.join(", ")))
    })?;
    cook(recipe, args, output)
}

fn list(output: Output) -> Result<()> {
    let mut table = Table::new(["recipe", "data", "task", "figure", "float and int8", "minutes"]).left_columns(4);
    let mut rows = Vec::new();
    for Recipe { name, data, task, expected, minutes, train } in &RECIPES {
        let (metric, figure) = (expected.metric(), expected.figure());
        table.row([name, data, task, metric, &format::fixed(figure, 3), &format::fixed(*minutes, 1)].map(String::from));
        rows.push(json!({
            "name": name, "data": data, "task": task, "metric": metric, "expected": figure, "minutes": minutes, "train": train,
        }));
    }
    let text =
        format!("{}\n`ackermann recipe NAME --data DIR` trains, quantizes and measures one", table.to_terminal());
    output.finish(text, &json!({ "recipes": rows }))
}

fn cook(recipe: &Recipe, args: &RecipeArgs, output: Output) -> Result<()> {
    let started = Instant::now();
    let data = data_folder(recipe, args)?;
    let out = args.out.clone().unwrap_or_else(|| Path::new("runs").join(recipe.name));
    let blob = out.join(format!("{}.ackm", recipe.name));
    files::check_folder(&out)?;
    let lines = Lines::new(recipe, args, &data, &out, &blob)?;
    output.say(format!("1/3 {}", lines.train.join(" ")));
    let history = train::run(&train_args(&lines.train)?, output)?.summary.history;
    output.say(format!("2/3 {}", lines.quantize.join(" ")));
    let quantized = quantize::make(&lines.quantize_args()?, output)?.quantized;
    output.say(format!("3/3 {}", lines.eval.join(" ")));
    let found = eval::evaluate(&lines.eval_args()?, output)?;
    let seconds = started.elapsed().as_secs_f64();
    let path = out.join("report.html");
    report(recipe, &found, &history).write(&path)?;
    let reached = recipe.expected.is_reached([found.quality("float"), found.quality("int8")]);
    let (metric, figure) = (recipe.expected.metric(), recipe.expected.figure());
    let verdict = if reached { "reached" } else { "NOT reached" };
    let text = format!(
        "{}\nexpected {metric} of float and int8: {figure}; {verdict}\nblob:   {} ({})\nreport: {}\nin {}",
        found.table().to_terminal(),
        blob.display(),
        format::bytes(quantized.blob.len() as u64),
        path.display(),
        format::seconds(seconds)
    );
    let mut result = found.json();
    if let Value::Object(fields) = &mut result {
        let more = json!({
            "recipe": recipe.name, "metric": metric, "expected": figure,
            "reached": reached, "seconds": seconds, "run": out, "blob": blob, "blob_bytes": quantized.blob.len(),
            "arena_bytes": quantized.arena_bytes, "macs": quantized.macs, "report": path,
            "commands": [lines.train.join(" "), lines.quantize.join(" "), lines.eval.join(" ")],
        });
        fields.extend(more.as_object().cloned().unwrap_or_default());
    }
    output.finish(text, &result)
}

fn data_folder(recipe: &Recipe, args: &RecipeArgs) -> Result<PathBuf> {
    let places = || PLACES.iter().map(|place| Path::new(place).join(recipe.data));
    match &args.data {
        Some(data) => Ok(data.clone()),
        None => places().find(|place| place.is_dir()).ok_or_else(|| {
            let places: Vec<String> = places().map(|place| place.display().to_string()).collect();
            Error::usage(
                "--data",
                format!("name the folder of `{}`; it is not at {}", recipe.data, places.join(" or ")),
            )
        }),
    }
}

/// The command lines of a recipe, words apart.
struct Lines {
    train: Vec<String>,
    quantize: Vec<String>,
    eval: Vec<String>,
}

impl Lines {
    /// Training goes on where a run of the same recipe stopped.
    fn new(recipe: &Recipe, args: &RecipeArgs, data: &Path, out: &Path, blob: &Path) -> Result<Self> {
        let [data, run, blob] = [data, out, blob].map(|path| path.display().to_string());
        let words = |words: &[&str]| -> Vec<String> { words.iter().copied().map(String::from).collect() };
        let mut options: Vec<String> = recipe.train.split_whitespace().map(String::from).collect();
        if let Some(epochs) = args.epochs {
            match options.iter().position(|word| word == "--epochs") {
                Some(at) if at + 1 < options.len() => options[at + 1] = epochs.to_string(),
                _ => options.extend(["--epochs".into(), epochs.to_string()]),
            }
        }
        let seed = args.seed.to_string();
        let mut train = words(&["ackermann", "train", "--data", &data, "--seed", &seed, "--out", &run]);
        train.extend(options);
        if args.overwrite {
            train.push("--overwrite".into());
        } else if out.join(LAST).exists() {
            if !is_of(out, &train_args(&train)?)? {
                let message = format!(
                    "holds another run than recipe {} with these settings; choose another --out, or --overwrite it",
                    recipe.name
                );
                return Err(Error::usage(out.display(), message));
            }
            train = words(&["ackermann", "train", "--resume", "--out", &run]);
        }
        Ok(Self {
            train,
            quantize: words(&["ackermann", "quantize", &run, "--calibrate", &data, "--out", &blob]),
            eval: words(&["ackermann", "eval", &run, &blob, "--data", &data]),
        })
    }

    fn quantize_args(&self) -> Result<QuantizeArgs> {
        match parsed(&self.quantize)? {
            Command::Quantize(args) => Ok(args),
            _ => Err(not_a_command()),
        }
    }

    fn eval_args(&self) -> Result<EvalArgs> {
        match parsed(&self.eval)? {
            Command::Eval(args) => Ok(args),
            _ => Err(not_a_command()),
        }
    }
}

fn train_args(line: &[String]) -> Result<TrainArgs> {
    match parsed(line)? {
        Command::Train(args) => Ok(*args),
        _ => Err(not_a_command()),
    }
}

fn parsed(line: &[String]) -> Result<Command> {
    let cli = Cli::try_parse_from(line).map_err(|error| Error::usage("recipe", error))?;
    cli.command.ok_or_else(not_a_command)
}

fn not_a_command() -> Error {
    Error::new(crate::ErrorKind::Internal, "recipe", "is no command line")
}

fn report(recipe: &Recipe, found: &Evaluation, history: &[EpochRow]) -> Report {
    let mut report = Report::new(&format!("Recipe {}: {}", recipe.name, recipe.task));
    let (count, noun) = (found.dataset.len(), found.dataset.noun());
    report.lead(&format!("Measured on {} {noun} of the validation split.", format::count(count as u64)));
    report.table(&found.table());
    add_curves(&mut report, "loss", history);
    match found.dataset.target {
        Target::Numbers(_) => {
            let pairs = |outputs: &[f32]| -> Vec<(f64, f64)> {
                found.dataset.targets.iter().zip(outputs).map(|(&t, &p)| (f64::from(t), f64::from(p))).collect()
            };
            let rows: Vec<_> = found.rows.iter().map(|row| (row.0, pairs(&row.3))).collect();
            let series: Vec<_> = rows.iter().map(|(name, points)| Series { name, points }).collect();
            report.section("Predictions").figure(&predicted_against_true("Validation samples.", "label", &series));
        }
        Target::Class(_) => {
            for (kind, _, _, outputs) in &found.rows {
                add_confusion(&mut report, kind, &found.dataset, outputs);
            }
        }
    }
    report
}
