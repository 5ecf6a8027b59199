//! Options of quantization.

use super::super::values;
use crate::quant::Observer;
use crate::{Error, Result};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// What --observer percentile keeps, percent.
const PERCENTILE: f32 = 99.99;

/// `ackermann quantize`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ackermann quantize runs/lake --calibrate drives/lake --out lake.ackm
  ackermann quantize runs/lake --calibrate drives/lake --out lake.ackm --layers
  ackermann quantize runs/lake --calibrate drives/lake --out lake.ackm --observer mse --equalize
  ackermann quantize runs/lake --calibrate drives/lake --out lake.ackm --qat --epochs 5
  ackermann quantize runs/lake --calibrate drives/lake --out lake.ackm --sensitivity --report lake.html")]
pub struct QuantizeArgs {
    /// Run folder of a trained network.
    pub run: PathBuf,
    /// Data (or `sim`) whose samples show the ranges of the activations.
    #[arg(long, value_name = "DIR")]
    pub calibrate: PathBuf,
    /// Split of it to use.
    #[arg(long, default_value = "train", value_name = "NAME")]
    pub split: String,
    /// How many samples of it, evenly spread.
    #[arg(long, default_value_t = 1000, value_name = "N", value_parser = values::frames())]
    pub frames: usize,
    /// The blob to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// How the ranges of the activations are made of the values seen; auto takes what comes nearest to float.
    #[arg(long, value_enum, default_value = "auto")]
    pub observer: ObserverName,
    /// Share of each range's values in percent that is kept, the rest saturates; implies --observer percentile, whose own is 99.99.
    #[arg(long, value_name = "PERCENT", value_parser = values::percentile)]
    pub percentile: Option<f32>,
    /// Take the mean error of rounded weights out of the biases.
    #[arg(long, value_enum, default_value = "auto", default_missing_value = "on", num_args = 0..=1)]
    pub bias_correction: Switch,
    /// Equalize channels across layers before rounding.
    #[arg(long, value_enum, default_value = "auto", default_missing_value = "on", num_args = 0..=1)]
    pub equalize: Switch,
    /// Train on in int8 arithmetic (quantization-aware) before the blob is written; keeps what is best on the validation split.
    #[arg(long)]
    pub qat: bool,
    /// Passes over the training split with --qat.
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = values::count(), requires = "qat")]
    pub epochs: usize,
    /// Learning rate of --qat at the start.
    #[arg(long, default_value_t = 1e-4, value_name = "RATE", value_parser = values::rate, requires = "qat")]
    pub lr: f64,
    /// Split that --qat is validated on.
    #[arg(long, default_value = "val", value_name = "NAME", requires = "qat")]
    pub val_split: String,
    /// Also print float against int8 error per layer.
    #[arg(long)]
    pub layers: bool,
    /// Also print what each layer costs: it alone in int8, and all but it.
    #[arg(long)]
    pub sensitivity: bool,
    /// Write the tables and the choice as an HTML report; implies --sensitivity.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// Observers by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ObserverName {
    /// What the command takes by itself.
    Auto,
    /// Smallest to largest.
    Minmax,
    /// Without the outermost values.
    Percentile,
    /// Least expected squared error.
    Mse,
    /// Least divergence of the distribution (KL).
    Entropy,
}

impl ObserverName {
    /// The observer; `None` leaves it to the command. A percentage alone asks for percentiles.
    ///
    /// # Errors
    /// A percentage with another observer.
    pub fn observer(self, percentile: Option<f32>) -> Result<Option<Observer>> {
        Ok(match (self, percentile) {
            (Self::Auto, None) => None,
            (Self::Percentile, None) => Some(Observer::Percentile(PERCENTILE)),
            (Self::Auto | Self::Percentile, Some(inside)) => Some(Observer::Percentile(inside)),
            (_, Some(_)) => return Err(Error::usage("--percentile", "belongs to --observer percentile")),
            (Self::Minmax, None) => Some(Observer::MinMax),
            (Self::Mse, None) => Some(Observer::Mse),
            (Self::Entropy, None) => Some(Observer::Entropy),
        })
    }
}

/// Something done or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// Where it comes nearer to float.
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

impl Switch {
    /// Whether; `None` to try both.
    pub fn wanted(self) -> Option<bool> {
        match self {
            Self::Auto => None,
            Self::On => Some(true),
            Self::Off => Some(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_never_ignored() {
        let observer = |name: ObserverName, percentile| name.observer(percentile);
        assert_eq!(observer(ObserverName::Auto, None), Ok(None));
        assert_eq!(observer(ObserverName::Auto, Some(99.5)), Ok(Some(Observer::Percentile(99.5))));
        assert_eq!(observer(ObserverName::Percentile, Some(99.5)), Ok(Some(Observer::Percentile(99.5))));
        assert_eq!(observer(ObserverName::Percentile, None), Ok(Some(Observer::Percentile(99.99))));
        for other in [ObserverName::Minmax, ObserverName::Mse, ObserverName::Entropy] {
            assert_eq!(observer(other, Some(99.5)).unwrap_err().place, "--percentile");
        }
    }
}
