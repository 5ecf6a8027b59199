//! Progress bars with rate and time left, on standard error.

use super::Output;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const TEMPLATE: &str = "{prefix:>12} {bar:32} {pos:>7}/{len} {per_sec:>12} eta {eta:>4} {msg}";

/// A bar over `length` steps, hidden where nobody would see it.
pub fn bar(output: Output, what: &'static str, length: u64) -> ProgressBar {
    let target = if output.progress() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(length), target).with_style(style).with_prefix(what)
}
