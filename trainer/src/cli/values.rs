//! Values of options that are more than a type: ranges that keep a typing error from asking for all memory.

use clap::builder::RangedU64ValueParser;

/// Most frames of one recording.
const MOST_FRAMES: u64 = 10_000_000;
/// Longest drive, simulated seconds.
const LONGEST_DRIVE: f32 = 3600.0;

/// A number of frames.
pub fn frames() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=MOST_FRAMES)
}

/// A number of epochs, tracks or samples in a step.
pub fn count() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=1_000_000)
}

/// A number of trials.
pub fn trials() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=9999)
}

/// One in so many.
pub fn eta() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(2..=1000)
}

/// A number of threads.
pub fn threads() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=1024)
}

/// The length of a drive, simulated seconds.
pub fn seconds(text: &str) -> Result<f32, String> {
    let seconds: f32 = text.parse().map_err(|_| "it is not a number".to_string())?;
    match (1.0..=LONGEST_DRIVE).contains(&seconds) {
        true => Ok(seconds),
        false => Err(format!("a drive takes 1 to {LONGEST_DRIVE} seconds")),
    }
}

/// A share of values in percent, at least half of them.
pub fn percentile(text: &str) -> Result<f32, String> {
    let value: f32 = text.parse().map_err(|error| format!("{error}"))?;
    if (50.0..=100.0).contains(&value) { Ok(value) } else { Err(format!("{value} is not in 50..=100")) }
}

/// A learning rate.
pub fn rate(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if value.is_finite() && value > 0.0 { Ok(value) } else { Err(format!("{value} is not a positive number")) }
}
