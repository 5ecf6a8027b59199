//! What a run of the command left behind, and what must be true of it.

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Output;

/// A finished run.
pub struct Outcome {
    line: String,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    pub fn new(line: &str, output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            line: line.to_string(),
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// It went well, silently on standard error.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "`ackermann {}`: {}", self.line, self.stderr);
        assert_eq!(self.stderr, "", "`ackermann {}` speaks on standard error", self.line);
        self
    }

    /// The object on the last line of standard output; under `--json` it is the only line.
    #[track_caller]
    pub fn json(self) -> Value {
        let outcome = self.ok();
        assert_eq!(outcome.stdout.lines().count(), 1, "`ackermann {}`: {}", outcome.line, outcome.stdout);
        serde_json::from_str(&outcome.stdout).unwrap()
    }

    /// It failed with this exit code and one line on standard error that holds all of `words`.
    #[track_caller]
    pub fn fails(&self, code: i32, words: &[&str]) {
        let (line, stderr) = (&self.line, &self.stderr);
        assert_eq!(self.code, Some(code), "`ackermann {line}`: {stderr}");
        assert!(stderr.starts_with("error: ") && stderr.ends_with('\n'), "`ackermann {line}`: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "`ackermann {line}`: {stderr}");
        for word in words {
            assert!(stderr.contains(word), "`ackermann {line}`: `{word}` is not in: {stderr}");
        }
    }

    /// It failed with this exit code and one object on standard error, and nothing on standard output.
    #[track_caller]
    pub fn fails_as_json(&self, code: i32, kind: &str) {
        let (line, stderr) = (&self.line, &self.stderr);
        assert_eq!(self.code, Some(code), "`ackermann {line}`: {stderr}");
        assert_eq!(self.stdout, "", "`ackermann {line}`");
        assert_eq!(stderr.lines().count(), 1, "`ackermann {line}`: {stderr}");
        let error: Value = serde_json::from_str(stderr).unwrap();
        let fields = error["error"].as_object().unwrap();
        assert_eq!(fields.len(), 3, "{error}");
        assert_eq!(fields["kind"], kind, "`ackermann {line}`: {error}");
        assert!(fields["message"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
        assert!(fields["where"].is_string(), "{error}");
    }
}

/// Every file and folder under `folder`, sorted: what must be the same before and after a failure.
pub fn listing(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        found.push(entry.path().display().to_string());
        if entry.path().is_dir() {
            found.extend(listing(&entry.path()));
        }
    }
    found.sort();
    found
}

/// Runs `line` in `folder` as a person and as a machine: both fail with `code`, the one says `words`, the other `kind`,
/// and nothing is left behind.
#[track_caller]
pub fn refused(folder: &Path, line: &str, code: i32, kind: &str, words: &[&str]) {
    let before = listing(folder);
    super::ackermann(folder, line).fails(code, words);
    super::ackermann(folder, &format!("{line} --json")).fails_as_json(code, kind);
    assert_eq!(listing(folder), before, "`ackermann {line}` left something behind");
}
