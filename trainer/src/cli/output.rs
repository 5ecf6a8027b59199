//! Where a command's words go.

use serde_json::Value;

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

    /// A line for people; nothing under `--json`.
    pub fn say(self, line: impl std::fmt::Display) {
        if !self.json {
            println!("{line}");
        }
    }

    /// The command's result: `text` for people, `value` for machines.
    pub fn finish(self, text: impl std::fmt::Display, value: &Value) {
        if self.json {
            println!("{value}");
        } else {
            println!("{text}");
        }
    }
}
