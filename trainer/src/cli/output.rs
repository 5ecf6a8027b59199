//! Where a command's words go.

use crate::{Error, Result};
use serde_json::Value;
use std::io::{ErrorKind, Write};
use std::path::Path;

/// Chooses between tables for people and one JSON object for machines.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
    quiet: bool,
}

impl Output {
    /// `json`: standard output carries one object, on its last line; `quiet`: no progress bars.
    pub fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet }
    }

    /// Whether a machine is listening.
    pub fn json(self) -> bool {
        self.json
    }

    /// Whether progress bars are wanted (they are drawn on standard error, and only on a terminal).
    pub fn progress(self) -> bool {
        !self.quiet && !self.json
    }

    /// A line for people; nothing under `--json`. The work goes on even if nobody can read it.
    pub fn say(self, line: impl std::fmt::Display) {
        if !self.json {
            let _ = writeln!(std::io::stdout(), "{line}");
        }
    }

    /// The command's result: `text` for people, `value` for machines.
    ///
    /// # Errors
    /// As [`print`].
    pub fn finish(self, text: impl std::fmt::Display, value: &Value) -> Result<()> {
        if self.json { print(format_args!("{value}\n")) } else { print(format_args!("{text}\n")) }
    }
}

/// Prints a result.
///
/// # Errors
/// Standard output that cannot be written; but that a reader has closed it (`| head`) is none.
pub fn print(text: std::fmt::Arguments<'_>) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_fmt(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::writing(Path::new("standard output"), &error))
        }
        _ => Ok(()),
    }
}
