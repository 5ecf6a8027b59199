//! The command line.
//!
//! One file per command; [`Output`] decides once whether a command speaks to a person (tables, progress bars) or to a
//! machine (`--json`: one object on the last line of standard output). Every error ends in [`fail`].

mod args;
mod bench;
mod blob;
mod boards;
mod drive;
mod eval;
mod flash;
mod import;
mod inspect;
mod main_job;
mod output;
mod pictures;
mod progress;
mod quantize;
mod recording;
mod run;
mod steering;
mod stop;
mod train;

pub use args::Cli;
pub use output::Output;

use crate::error::{Error, Result};
use args::Command;
use clap::error::ErrorKind as ClapError;
use clap::{CommandFactory, Parser};
use std::process::ExitCode;

/// Parses the process's arguments, runs the command and turns its result into an exit code.
pub fn main() -> ExitCode {
    let wants_json = std::env::args().any(|argument| argument == "--json");
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if matches!(error.kind(), ClapError::DisplayHelp | ClapError::DisplayVersion) => error.exit(),
        Err(error) if wants_json => return fail(&usage_error(&error), true),
        Err(error) => error.exit(),
    };
    let output = Output::new(cli.global.json, cli.global.quiet);
    match dispatch(&cli, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error, output.json()),
    }
}

fn dispatch(cli: &Cli, output: Output) -> Result<()> {
    if let Some(threads) = cli.global.threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads.get())
            .build_global()
            .map_err(|error| Error::usage("--threads", error))?;
    }
    stop::install()?;
    match &cli.command {
        None => main_job::run(&cli.main, output),
        Some(Command::Train(args)) => train::train(args, output),
        Some(Command::Quantize(args)) => quantize::run(args, output),
        Some(Command::Inspect(args)) => inspect::inspect(args, output),
        Some(Command::Import(args)) => import::import(args, output),
        Some(Command::Run(args)) => run::run(args, output),
        Some(Command::Eval(args)) => eval::eval(args, output),
        Some(Command::Drive(args)) => drive::run(args, output),
        Some(Command::Bench(args)) => bench::bench(args, output),
        Some(Command::Flash(args)) => flash::flash(args, output),
        Some(Command::Boards) => boards::boards(output),
        Some(Command::Completions { shell }) => {
            clap_complete::generate(*shell, &mut Cli::command(), "ackermann", &mut std::io::stdout());
            Ok(())
        }
    }
}

/// Says what was wrong on standard error: one line for people, one object for machines.
fn fail(error: &Error, json: bool) -> ExitCode {
    if json {
        let object = serde_json::json!({
            "error": { "kind": error.kind.name(), "message": error.message, "where": error.place }
        });
        eprintln!("{object}");
    } else {
        eprintln!("error: {error}");
    }
    ExitCode::from(error.kind.exit_code())
}

/// clap's own message, first line only: the machine wants a sentence, not a usage page.
fn usage_error(error: &clap::Error) -> Error {
    let text = error.to_string();
    let sentence = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
    Error::usage("command line", sentence)
}
