//! From float weights and scales to the integers of a recurrent operator. For hosts.
//!
//! Weights are symmetric per row, `w = round(real / scale)` in -127 to 127 with `scale = max |real| / 127`; biases are in units of
//! vector scale x weight scale. Both biases of a gate may be given (PyTorch, ONNX, Keras GRU); an LSTM of Keras has one.

use crate::blob::write::{MatrixSpec, RecurrentSpec};
use crate::ops::{Gru, lstm, rnn};
use crate::quantized::{Multiplier, quantize_multiplier};

/// Scale of the sums that a logistic or tanh takes.
pub const FUNCTION_SCALE: f32 = 1.0 / 4096.0;
/// Scale of what a logistic or tanh gives.
const VALUE_SCALE: f64 = 1.0 / 32768.0;
/// Largest bias in its units: sums stay below 2^29.
const MAX_BIAS: f64 = (1u64 << 28) as f64;

/// One matrix in float: gates x units x columns, row-major, and a bias for each row.
#[derive(Debug, Clone, Copy)]
pub struct FloatMatrix<'a> {
    /// Rows, gate after gate, each gate unit after unit.
    pub weights: &'a [f32],
    /// One per row; empty for zeros.
    pub bias: &'a [f32],
}

impl FloatMatrix<'_> {
    /// `rows` rows on vectors of scale `vector`, to sums of scale `sums`. `None` where lengths do not fit together, or numbers are not
    /// finite.
    fn quantized(&self, rows: usize, vector: f32, sums: f32) -> Option<MatrixSpec> {
        let biased = self.bias.len() == rows || self.bias.is_empty();
        let columns = self.weights.len().checked_div(rows).filter(|columns| columns * rows == self.weights.len())?;
        let finite = self.weights.iter().chain(self.bias).all(|value| value.is_finite());
        if columns == 0 || !biased || !finite {
            return None;
        }
        let vector = f64::from(vector);
        let mut spec = MatrixSpec::default();
        for (r, weights) in self.weights.chunks(columns).enumerate() {
            let bias = self.bias.get(r).map_or(0.0, |bias| f64::from(*bias));
            let largest = weights.iter().fold(0f32, |largest, w| largest.max(w.abs()));
            let scale = (f64::from(largest) / 127.0).max(bias.abs() / (vector * MAX_BIAS));
            let scale = if scale > 0.0 { scale } else { f64::from(sums) };
            spec.weights.extend(weights.iter().map(|w| (f64::from(*w) / scale).round() as i8));
            spec.bias.push((bias / (vector * scale)).round() as i32);
            spec.multipliers.push(quantize_multiplier(vector * scale / f64::from(sums)));
        }
        Some(spec)
    }
}

impl RecurrentSpec {
    /// The gates of an operator with `units` units, batch major and forward, from float weights on inputs of scale `scales[0]` and
    /// hidden states of scale `scales[1]`, with sums of scale `sums` ([`FUNCTION_SCALE`] but for an RNN with ReLU). The order of the gates is the
    /// operator's. `None` where lengths do not fit together, or numbers are not finite.
    pub fn from_float(
        input: FloatMatrix<'_>,
        hidden: FloatMatrix<'_>,
        units: usize,
        scales: [f32; 2],
        sums: f32,
    ) -> Option<Self> {
        let rows = hidden.weights.len().checked_div(units)?;
        let whole = rows.checked_rem(units) == Some(0) && rows > 0 && rows * units == hidden.weights.len();
        let positive = scales.iter().chain([&sums]).all(|scale| scale.is_finite() && *scale > 0.0);
        if !(whole && positive) {
            return None;
        }
        let [input, hidden] = [input.quantized(rows, scales[0], sums)?, hidden.quantized(rows, scales[1], sums)?];
        Some(Self { input, hidden, time_major: false, backward: false })
    }
}

/// From values of scale `from` to outputs of scale `to`; `None` where it is not below one.
fn multiplier(from: f64, to: f32) -> Option<Multiplier> {
    let (multiplier, shift) = quantize_multiplier(from / f64::from(to));
    (shift <= 0).then_some(Multiplier { multiplier, shift })
}

impl lstm::Cell {
    /// A cell for outputs of scale `output` and cell states up to `largest` in magnitude (it saturates beyond), in double
    /// rounding, without a clip. `None` for an output scale of 2^-30 or less.
    pub fn for_scales(largest: f32, output: f32) -> Option<Self> {
        let covers = |bits: &u32| largest < (1u32 << bits) as f32;
        let integer_bits = (0..lstm::MAX_INTEGER_BITS).find(covers).unwrap_or(lstm::MAX_INTEGER_BITS);
        let output = multiplier(VALUE_SCALE * VALUE_SCALE, output)?;
        Some(Self { rounding: Default::default(), integer_bits, clip: 0, output })
    }

    /// Scale of the cell state.
    pub fn state_scale(&self) -> f32 {
        1.0 / (1u32 << (15 - self.integer_bits.min(15))) as f32
    }
}

impl Gru<'_> {
    /// Scale of the memory.
    pub const STATE_SCALE: f32 = VALUE_SCALE as f32;

    /// The multiplier for outputs of scale `output`; `None` for 2^-15 or less.
    pub fn output_for_scale(output: f32) -> Option<Multiplier> {
        multiplier(VALUE_SCALE, output)
    }
}

impl rnn::Cell {
    /// A cell for outputs of scale `output`; of sums of scale `sums` for a ReLU. `None` for a scale that is not above that of the
    /// function's values.
    pub fn for_scales(function: rnn::Function, sums: f32, output: f32) -> Option<Self> {
        let from = match function {
            rnn::Function::Tanh => VALUE_SCALE,
            rnn::Function::Relu => f64::from(sums),
        };
        Some(Self { function, output: multiplier(from, output)? })
    }
}
