//! The command line.
//!
//! One file per command; [`Output`] decides once whether a command speaks to a person (tables, progress bars) or to a
//! machine (`--json`: one object on the last line of standard output). Every error ends in `fail`.

mod args;
mod bench;
mod blob;
mod boards;
mod descent;
mod drive;
mod eval;
mod export;
mod flash;
mod import;
mod import_weights;
mod inspect;
mod job;
mod main_job;
mod operators;
mod output;
mod pictures;
mod progress;
mod quantize;
mod recipe;
mod recording;
mod run;
mod search;
mod steering;
mod stop;
mod temporal;
mod train;
mod values;

pub use args::Cli;
pub use output::Output;

use crate::error::{Error, Result};
use args::{Command, MainArgs};
use clap::error::ErrorKind as ClapError;
use clap::parser::ValueSource;
use clap::{Args, CommandFactory, FromArgMatches};
use std::io::Write;
use std::process::ExitCode;

/// Parses the process's arguments, runs the command and turns its result into an exit code.
pub fn main() -> ExitCode {
    let wants_json = std::env::args().any(|argument| argument == "--json");
    let cli = match parse() {
        Ok(cli) => cli,
        Err(error) if matches!(error.kind(), ClapError::DisplayHelp | ClapError::DisplayVersion) => error.exit(),
        Err(error) => return fail(&usage_error(&error), wants_json),
    };
    let output = Output::new(cli.global.json, cli.global.quiet);
    match dispatch(&cli, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error, output.json()),
    }
}

/// Reads the command line. Options of the main job before a command are refused, those of every command are not: clap can
/// only refuse both.
fn parse() -> std::result::Result<Cli, clap::Error> {
    let mut command = Cli::command();
    let matches = command.try_get_matches_from_mut(std::env::args_os())?;
    if let Some(name) = matches.subcommand_name() {
        let main = MainArgs::augment_args(clap::Command::new(""));
        let typed = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
        if let Some(argument) = main.get_arguments().find(|argument| typed(argument.get_id().as_str())) {
            let message = format!("--{} before `{name}` is an option of the main job", argument.get_id());
            return Err(command.error(ClapError::ArgumentConflict, message));
        }
    }
    Cli::from_arg_matches(&matches)
}

fn dispatch(cli: &Cli, output: Output) -> Result<()> {
    if let Some(threads) = cli.global.threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()
            .map_err(|error| Error::usage("--threads", error))?;
    }
    stop::install(output)?;
    match &cli.command {
        None => main_job::run(&cli.main, output),
        Some(Command::Train(args)) => train::train(args, output),
        Some(Command::Search(args)) => search::run(args, output),
        Some(Command::Quantize(args)) => quantize::run(args, output),
        Some(Command::Inspect(args)) => inspect::inspect(args, output),
        Some(Command::Import(args)) => import::import(args, output),
        Some(Command::Export(args)) => export::export(args, output),
        Some(Command::ImportWeights(args)) => import_weights::import_weights(args, output),
        Some(Command::Run(args)) => run::run(args, output),
        Some(Command::Eval(args)) => eval::eval(args, output),
        Some(Command::Recipe(args)) => recipe::recipe(args, output),
        Some(Command::Drive(args)) => drive::run(args, output),
        Some(Command::Temporal(args)) => temporal::run(args, output),
        Some(Command::Bench(args)) => bench::bench(args, output),
        Some(Command::Flash(args)) => flash::flash(args, output),
        Some(Command::Operators(args)) => operators::operators(args, output),
        Some(Command::Boards) => boards::boards(output),
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "ackermann", &mut script);
            let script = String::from_utf8_lossy(&script);
            let json = serde_json::json!({ "shell": shell.to_string(), "script": script });
            output.finish(script.trim_end(), &json)
        }
    }
}

/// Says what was wrong on standard error: one line for people, one object for machines.
fn fail(error: &Error, json: bool) -> ExitCode {
    let line = if json {
        let fields = serde_json::json!({ "kind": error.kind.name(), "message": error.message, "where": error.place });
        serde_json::json!({ "error": fields }).to_string()
    } else {
        format!("error: {error}")
    };
    // Where standard error is closed, the exit code says it.
    let _ = writeln!(std::io::stderr(), "{line}");
    ExitCode::from(error.kind.exit_code())
}

/// clap's own message and tip in one line, without its usage page.
fn usage_error(error: &clap::Error) -> Error {
    let text = error.to_string();
    let page = text.find("\n\nUsage:").or_else(|| text.find("\n\nFor more")).unwrap_or(text.len());
    let words: Vec<_> = text.get(..page).unwrap_or(&text).split_whitespace().collect();
    let sentence = words.join(" ");
    let sentence = sentence.trim_start_matches("error: ");
    Error::usage("command line", format!("{sentence}; --help shows what there is"))
}
