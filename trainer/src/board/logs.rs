//! The program that decodes a board's log. Its decoder is heavy to compile, so it is built only when somebody wants to see a log.

use std::path::PathBuf;

use super::image::{cargo, executable, repository};
use crate::Result;

/// Builds `ackermann-logs` if it is not there yet; returns its path.
pub fn log_decoder() -> Result<PathBuf> {
    let mut command = cargo(&repository()?);
    command.args(["build", "--quiet", "--package", "ackermann-logs"]);
    executable(command, "ackermann-logs")
}
