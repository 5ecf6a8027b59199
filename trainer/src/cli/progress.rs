//! Progress bars with rate and time left, on standard error.

use super::Output;
use crate::train::{EpochRow, Observer, StepReport};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const TEMPLATE: &str = "{prefix:>10} {bar:30} {pos:>7}/{len} {per_sec:>13} eta {eta:>4} {msg}";
const SHARE: &str = "{prefix:>10} {bar:30} {percent:>3} % eta {eta:>4} {msg}";

/// A bar over `length` steps, hidden where nobody would see it.
pub fn bar(output: Output, what: &'static str, length: u64) -> ProgressBar {
    let target = if output.progress() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(length), target).with_style(style).with_prefix(what)
}

/// A bar of a share of the work, for what has no rate of its own; its length is set later.
pub fn share(output: Output, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template(SHARE).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar(output, what, 0).with_style(style)
}

/// The bar of a training run: steps of all epochs, with loss and rate.
pub struct Training {
    bar: ProgressBar,
    best: Option<String>,
}

impl Training {
    /// A bar whose length is known with the first step.
    pub fn new(output: Output) -> Self {
        Self { bar: bar(output, "training", 0), best: None }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Observer for Training {
    fn step(&mut self, report: &StepReport) {
        if self.bar.length() == Some(0) {
            // A resumed run begins where it stopped: its rate and time left count from there.
            self.bar.set_length((report.epochs * report.steps) as u64);
            self.bar.set_position(((report.epoch - 1) * report.steps + report.step - 1) as u64);
            self.bar.reset_eta();
        }
        self.bar.inc(1);
        let best = self.best.as_deref().unwrap_or_default();
        let StepReport { epoch, epochs, mean_loss, rate, .. } = *report;
        self.bar.set_message(format!("epoch {epoch}/{epochs}, loss {mean_loss:.5}, {rate:.0} samples/s{best}"));
    }

    fn epoch(&mut self, row: &EpochRow, best: bool) {
        if best {
            let accuracy = row.val_accuracy.map(|share| format!(", best accuracy {share:.4}"));
            self.best = row.val_mae.map(|mae| format!(", best MAE {mae:.4}")).or(accuracy);
        }
    }
}
