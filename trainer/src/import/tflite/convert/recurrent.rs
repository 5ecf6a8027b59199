//! Recurrent layers.

use ackermann_core::blob::write::{MatrixSpec, OperatorKind, RecurrentSpec};
use ackermann_core::blob::{Element, Rounding};
use ackermann_core::ops::lstm;
use ackermann_core::quantized::{Multiplier, quantize_multiplier};

use super::Conversion;
use crate::Result;
use crate::import::tflite::schema::{INT8, INT16, Operator, unusable};

/// Input, forget, cell, output: where their weights on the input, weights on the hidden state, and biases are.
pub const GATES: [[usize; 3]; 4] = [[1, 5, 12], [2, 6, 13], [3, 7, 14], [4, 8, 15]];
/// Inputs that plain LSTMs do not have.
const VARIANTS: [(usize, &str); 4] =
    [(9, "peepholes"), (16, "a projection"), (20, "layer normalization"), (21, "layer normalization")];
/// Codes of `enum ActivationFunctionType`.
const TANH: i8 = 4;

/// `UnidirectionalSequenceLSTMOptions`: activation, cell_clip, proj_clip, time_major.
pub fn lstm<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    plain(operator)?;
    let (input, output) = c.sides(operator)?;
    let hidden = c.state(operator, 18, INT8, Element::Int8)?;
    let memory = c.state(operator, 19, INT16, Element::Int16)?;
    let rounding: Rounding = c.options.rounding.into();
    let scales = [c.spec(input).scale, c.spec(hidden).scale];
    let gates = RecurrentSpec {
        input: matrix(c, operator, 0, scales[0])?,
        hidden: matrix(c, operator, 1, scales[1])?,
        time_major: operator.option_i8(3)? != 0,
        backward: false,
    };
    let cell = lstm::Cell {
        rounding,
        integer_bits: integer_bits(c.spec(memory).scale)?,
        clip: clip(operator.option_f32(1)?, c.spec(memory).scale),
        output: output_multiplier(scales[1], rounding)?,
    };
    if rounding == Rounding::Single && c.spec(output).zero_point != 0 {
        let message = "has an output zero point other than 0, which LiteRT's kernel subtracts where it should add it; import it \
                       with double rounding";
        return Err(unusable(String::from(message)));
    }
    c.push(&[input, hidden, memory], output, OperatorKind::Lstm { gates, cell })
}

/// Bidirectional LSTMs have no int8 form in TFLite: its converter writes two of one direction.
pub fn bidirectional<'f>(_: &mut Conversion<'_, 'f>, _: &Operator<'f>) -> Result<()> {
    Err(unusable(String::from("has no int8 form in TFLite; two UNIDIRECTIONAL_SEQUENCE_LSTM are supported")))
}

/// Refuses variants by name.
pub fn plain(operator: &Operator<'_>) -> Result<()> {
    if operator.input(1) == -1 {
        return Err(unusable(String::from("couples its input and forget gates (CIFG), which is not supported")));
    }
    if let Some((_, name)) = VARIANTS.iter().find(|(at, _)| operator.input(*at) != -1) {
        return Err(unusable(format!("has {name}, which is not supported")));
    }
    match operator.option_i8(0)? {
        TANH => Ok(()),
        code => Err(unusable(format!("has an activation (code {code}) other than tanh"))),
    }
}

/// The four gates' matrices on the input (`part` 0) or the hidden state (1).
fn matrix<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>, part: usize, scale: f32) -> Result<MatrixSpec> {
    let mut spec = MatrixSpec::default();
    for gate in GATES {
        let weights = c.constant(operator, gate[part], INT8)?;
        c.take_constants(weights.data.len())?;
        let (&[weight_scale], true) = (&weights.scales[..], weights.zero_points.iter().all(|z| *z == 0)) else {
            return Err(unusable(String::from("has weights that are not symmetric with one scale")));
        };
        let rows = weights.dimensions()?.first().map_or(0, |d| *d as usize);
        spec.weights.extend(weights.data.iter().map(|byte| *byte as i8));
        let biased = part == 0 && operator.input(gate[2]) != -1;
        let bias = if biased { c.integers(operator, gate[2])? } else { vec![0; rows] };
        if bias.len() != rows {
            return Err(unusable(format!("has {} biases for {rows} units", bias.len())));
        }
        spec.bias.extend(bias);
        // The product of the scales is computed in f32.
        let multiplier = quantize_multiplier(f64::from(scale * weight_scale) * 4096.0);
        spec.multipliers.extend(std::iter::repeat_n(multiplier, rows));
    }
    Ok(spec)
}

/// Bits before the point of an int16 with this scale, a power of two.
fn integer_bits(scale: f32) -> Result<u32> {
    let found = (0..=lstm::MAX_INTEGER_BITS).find(|bits| scale == 2f32.powi(*bits as i32 - 15));
    found.ok_or_else(|| {
        unusable(format!("has a cell state of scale {scale}, which is no power of two from 2^-15 to 2^-9"))
    })
}

/// The clip of the cell state as int16; 0 for none.
fn clip(real: f32, scale: f32) -> i16 {
    if real > 0.0 { (f64::from(real) / f64::from(scale)).min(32767.0) as i16 } else { 0 }
}

/// 2^-30 / output scale; LiteRT computes it in f32.
fn output_multiplier(scale: f32, rounding: Rounding) -> Result<Multiplier> {
    let real = match rounding {
        Rounding::Double => 2f64.powi(-30) / f64::from(scale),
        Rounding::Single => f64::from(2f32.powi(-15) / scale * 2f32.powi(-15)),
    };
    let (multiplier, shift) = quantize_multiplier(real);
    if shift > 0 {
        return Err(unusable(format!("has an output scale of {scale}, which is far too small")));
    }
    Ok(Multiplier { multiplier, shift })
}
