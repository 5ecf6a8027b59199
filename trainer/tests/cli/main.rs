//! The `ackermann` command as its users meet it: the built binary, on data made here.
//!
//! Wrong input to every command must end in one clear line, exit code 2 (1 where writing failed) and nothing half-written;
//! right input in the outputs that the documentation promises.

mod any_data;
mod corrupt;
mod data;
mod early;
mod exchange;
mod foreign;
mod full_disk;
mod good;
#[path = "../../src/data/tests/jpeg.rs"]
mod jpeg;
mod main_job;
mod misfits;
mod outcome;
mod search;
mod stop;
mod temporal;
mod train;
mod wrong_data;
mod wrong_files;
mod wrong_options;

use outcome::Outcome;
use std::path::Path;
use std::process::{Command, Stdio};

/// The command, ready to be run in `folder`.
fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ackermann"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).env_remove("RUST_BACKTRACE");
    command
}

/// Runs `line`, words separated by spaces, in `folder`.
fn ackermann(folder: &Path, line: &str) -> Outcome {
    let arguments: Vec<&str> = line.split_whitespace().collect();
    Outcome::new(line, &command(folder, &arguments).output().unwrap())
}
