//! `ackermann recipe`: a network for each of the usual data sets, trained, quantized and measured by one command.
//!
//! A recipe is nothing but the command lines of `train`, `quantize` and `eval` with settings that are known to do well; it prints them.

use super::args::{Cli, Command, EvalArgs, QuantizeArgs, RecipeArgs, TrainArgs};
use super::eval::{self, Evaluation, Quality};
use super::train::{self, add_curves};
use super::{Output, quantize};
use crate::data::Target;
use crate::data::metrics::class_of;
use crate::report::chart::predicted_against_true;
use crate::report::{Report, Series, Table, format};
use crate::train::EpochRow;
use crate::{Error, Result, files};
use clap::Parser;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// File of a run that says which recipe it is of.
const FILE: &str = "recipe.txt";
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
    /// Options of `quantize`.
    quantize: &'static str,
    /// What it reaches on the validation split with the default seed.
    expected: Expected,
    /// How long it takes on one core, minutes.
    minutes: f64,
}

/// Figures of float and int8.
enum Expected {
    /// Mean absolute error, at most.
    Mae(f64, f64),
    /// Share of right classes, at least.
    Accuracy(f64, f64),
}

const RECIPES: [Recipe; 6] = [
    Recipe {
        name: "udacity",
        data: "driving-udacity",
        task: "steering, simulator, lake track",
        train: "--net micro --label steering_smooth --epochs 30",
        quantize: "",
        expected: Expected::Mae(0.024, 0.024),
        minutes: 1.0,
    },
    Recipe {
        name: "mountain",
        data: "driving-mountain",
        task: "steering, simulator, mountain track, three cameras",
        train: "--net micro --label steering_smooth --side-correction 0.04 --epochs 20",
        quantize: "",
        expected: Expected::Mae(0.053, 0.053),
        minutes: 1.2,
    },
    Recipe {
        name: "rc-real",
        data: "driving-rc-real",
        task: "steering, a real car indoors",
        train: "--net micro --label steering_smooth --crop 40..119 --epochs 30",
        quantize: "",
        expected: Expected::Mae(0.088, 0.088),
        minutes: 1.2,
    },
    Recipe {
        name: "mnist",
        data: "mnist",
        task: "handwritten digits",
        train: "--net vgg-small --epochs 8 --batch 64 --lr 2e-3 --smoothing 0.05",
        quantize: "",
        expected: Expected::Accuracy(0.985, 0.985),
        minutes: 4.0,
    },
    Recipe {
        name: "speech",
        data: "speech-digits",
        task: "spoken digits",
        train: "--net lstm --epochs 30 --lr 4e-3 --smoothing 0.05 --clip 1",
        quantize: "",
        expected: Expected::Accuracy(0.97, 0.97),
        minutes: 0.5,
    },
    Recipe {
        name: "sentiment",
        data: "sentiment",
        task: "whether a sentence about a film is positive",
        train: "--net text --stems --pairs --epochs 15 --batch 64 --lr 4e-3 --smoothing 0.1",
        quantize: "",
        expected: Expected::Accuracy(0.82, 0.82),
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

    fn figures(&self) -> [f64; 2] {
        match *self {
            Self::Mae(float, int8) | Self::Accuracy(float, int8) => [float, int8],
        }
    }

    /// Whether the qualities of float and int8 are at least these.
    fn is_reached(&self, found: [Option<Quality>; 2]) -> bool {
        self.figures().into_iter().zip(found).all(|(expected, found)| match (self, found) {
            (Self::Mae(..), Some(Quality::Numbers { mae, .. })) => mae <= expected,
            (Self::Accuracy(..), Some(Quality::Classes(accuracy))) => accuracy >= expected,
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
    let mut table = Table::new(["recipe", "data", "task", "figure", "float", "int8", "minutes"]).left_columns(4);
    let mut rows = Vec::new();
    for Recipe { name, data, task, expected, minutes, train, .. } in &RECIPES {
        let [float, int8] = expected.figures();
        let metric = expected.metric();
        let shown = |figure: f64| format::fixed(figure, 3);
        table.row(
            [name, data, task, metric, &shown(float), &shown(int8), &format::fixed(*minutes, 1)].map(String::from),
        );
        rows.push(json!({
            "name": name, "data": data, "task": task, "metric": metric, "float": float, "int8": int8, "minutes": minutes,
            "train": train,
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
    let history = train::run(&lines.train_args()?, output)?.summary.history;
    output.say(format!("2/3 {}", lines.quantize.join(" ")));
    let quantized = quantize::make(&lines.quantize_args()?, output)?.quantized;
    output.say(format!("3/3 {}", lines.eval.join(" ")));
    let found = eval::evaluate(&lines.eval_args()?, output)?;
    let seconds = started.elapsed().as_secs_f64();
    let path = out.join("report.html");
    report(recipe, &found, &history).write(&path)?;
    let reached = recipe.expected.is_reached([found.quality("float"), found.quality("int8")]);
    let [float, int8] = recipe.expected.figures();
    let verdict = if reached { "reached" } else { "NOT reached" };
    let text = format!(
        "{}\nexpected {}: {float} float, {int8} int8; {verdict}\nblob:   {} ({})\nreport: {}\nin {}",
        found.table().to_terminal(),
        recipe.expected.metric(),
        blob.display(),
        format::bytes(quantized.blob.len() as u64),
        path.display(),
        format::seconds(seconds)
    );
    let mut result = found.json();
    if let Value::Object(fields) = &mut result {
        let more = json!({
            "recipe": recipe.name, "expected": { "metric": recipe.expected.metric(), "float": float, "int8": int8 },
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
        let words = |fixed: &[&str], options: &str| -> Vec<String> {
            fixed.iter().copied().chain(options.split_whitespace()).map(String::from).collect()
        };
        let mut options = words(&[], recipe.train);
        if let Some(epochs) = args.epochs {
            match options.iter().position(|word| word == "--epochs") {
                Some(at) if at + 1 < options.len() => options[at + 1] = epochs.to_string(),
                _ => options.extend(["--epochs".into(), epochs.to_string()]),
            }
        }
        let seed = args.seed.to_string();
        let mut train =
            words(&["ackermann", "train", "--data", &data, "--seed", &seed, "--out", &run], &options.join(" "));
        let line = train.join(" ");
        let saved = std::fs::read_to_string(out.join(FILE)).ok().filter(|_| out.join("last.safetensors").is_file());
        match saved {
            _ if args.overwrite => train.push("--overwrite".into()),
            Some(saved) if saved.trim() == line => {
                train = words(&["ackermann", "train", "--resume", "--out", &run], "")
            }
            Some(_) => {
                let message = "holds a run of other settings; choose another --out, or --overwrite it";
                return Err(Error::usage(out.display(), message));
            }
            None => {}
        }
        files::write(&out.join(FILE), line.as_bytes())?;
        Ok(Self {
            train,
            quantize: words(&["ackermann", "quantize", &run, "--calibrate", &data, "--out", &blob], recipe.quantize),
            eval: words(&["ackermann", "eval", &run, &blob, "--data", &data], ""),
        })
    }

    fn train_args(&self) -> Result<TrainArgs> {
        match parsed(&self.train)? {
            Command::Train(args) => Ok(*args),
            _ => Err(not_a_command()),
        }
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
        Target::Class(classes) => {
            for (kind, _, _, outputs) in &found.rows {
                report
                    .section(&format!("True class (rows) by found class, {kind}"))
                    .table(&confusion(found, outputs, classes));
            }
        }
    }
    report
}

/// How many samples of each class were found to be of which.
fn confusion(found: &Evaluation, outputs: &[f32], classes: usize) -> Table {
    let mut counts = vec![vec![0u64; classes]; classes];
    let scores = (outputs.len() / found.dataset.len().max(1)).max(1);
    for (outputs, &truth) in outputs.chunks_exact(scores).zip(&found.dataset.targets) {
        if let Some(count) = counts.get_mut(truth as usize).and_then(|row| row.get_mut(class_of(outputs))) {
            *count += 1;
        }
    }
    let names = found.dataset.encoding.classes.names();
    let mut table = Table::new(std::iter::once("").chain(names.iter().map(String::as_str)));
    for (name, row) in names.iter().zip(&counts) {
        table.row(std::iter::once(name.clone()).chain(row.iter().map(ToString::to_string)));
    }
    table
}
