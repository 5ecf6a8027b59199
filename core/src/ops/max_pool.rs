//! Max pooling.
//!
//! `output(n, y, x, c) = clamp(max over the window of input(n, ., ., c))`; padding takes no part.
//! Input and output have the same scale and zero point. Source: TFLite `reference_integer_ops::MaxPool`.

use super::{Pool, Sides};

/// Largest value of each window.
#[derive(Debug, Clone, Copy)]
pub struct MaxPool(pub Pool);

impl MaxPool {
    /// Input NHWC, output NHWC.
    pub fn run(&self, sides: Sides<'_>, input: &[i8], output: &mut [i8]) {
        self.0.run(sides, input, output, i32::from(i8::MIN), i32::max, |largest, _| largest);
    }
}
