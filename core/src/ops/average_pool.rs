//! Average pooling.
//!
//! `output(n, y, x, c) = clamp(round(sum over the window of input(n, ., ., c) / count))`, where `count` is the number of
//! taps inside the input (padding takes no part) and ties round away from zero. Input and output have the same scale and
//! zero point. Source: TFLite `reference_integer_ops::AveragePool`.

use super::{Pool, Sides};

/// Mean of each window.
#[derive(Debug, Clone, Copy)]
pub struct AveragePool(pub Pool);

impl AveragePool {
    /// Input NHWC, output NHWC.
    pub fn run(&self, sides: Sides<'_>, input: &[i8], output: &mut [i8]) {
        self.0.run(sides, input, output, 0, |sum, q| sum + q, rounded_mean);
    }
}

/// `sum / count`, ties away from zero; `count` is at least 1 in a loaded model.
fn rounded_mean(sum: i32, count: i32) -> i32 {
    let half = count / 2;
    let shifted = if sum > 0 { sum + half } else { sum - half };
    shifted.checked_div(count).unwrap_or(0)
}
