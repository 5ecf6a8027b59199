//! The command line.
//!
//! One file per command; [`Output`] decides once whether a command speaks to a person (tables, progress bars) or to a
//! machine (`--json`: one object on the last line of standard output). Every error ends in [`fail`].

mod args;
mod output;
mod progress;
mod stop;

pub use args::Cli;
pub use output::Output;

use crate::error::{Error, Result};
use clap::Parser;
use clap::error::ErrorKind as ClapError;
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
    match run(cli, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error, output.json()),
    }
}

fn run(cli: Cli, output: Output) -> Result<()> {
    if let Some(threads) = cli.global.threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads.get())
            .build_global()
            .map_err(|error| Error::usage("--threads", error))?;
    }
    stop::install()?;
    let _ = output;
    Ok(())
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
