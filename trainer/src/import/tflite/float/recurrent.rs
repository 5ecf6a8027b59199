//! Recurrent layers.

use super::conversion::Conversion;
use crate::Result;
use crate::graph::NodeId;
use crate::import::tflite::convert::{GATES, plain};
use crate::import::tflite::schema::Operator;
use crate::import::unusable;
use crate::ops::{Cell, Recurrent};

/// Distance of an input of the backward direction from the same one of the forward direction.
const BACKWARD: usize = 17;

/// `UnidirectionalSequenceLSTMOptions`: activation, cell_clip, proj_clip, time_major.
pub fn lstm<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    plain(operator)?;
    let time_major = operator.option_i8(3)? != 0;
    let sequence = turned(c, operator, time_major)?;
    let states = direction(c, operator, sequence, 0)?;
    back(c, operator, states, time_major)
}

/// `BidirectionalSequenceLSTMOptions`: activation, cell_clip, proj_clip, merge_outputs, time_major (unless left out).
pub fn bidirectional<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    for at in (9..12).chain(16..18).flat_map(|at| [at, at + BACKWARD]).chain(39..48) {
        if operator.input(at) != -1 {
            return Err(unusable(format!(
                "has peepholes, a projection or a second input (input {at}), which are not supported"
            )));
        }
    }
    if [1, 1 + BACKWARD].iter().any(|at| operator.input(*at) == -1) || operator.option_i8(0)? != 4 {
        return Err(unusable("couples its input and forget gates, or has another activation than tanh"));
    }
    let time_major = operator.options.map_or(Ok(1), |options| options.i8(4, 1))? != 0;
    let (sequence, name) = (turned(c, operator, time_major)?, c.name(operator)?);
    let both = [direction(c, operator, sequence, 0)?, direction(c, operator, sequence, BACKWARD)?];
    if operator.option_i8(3)? != 0 {
        let joined = c.builder.concat(&name, &both, 2)?;
        return back(c, operator, joined, time_major);
    }
    let second = operator.outputs.get(1).copied().ok_or_else(|| unusable("lacks an output"))?;
    let node = back(c, operator, both[1], time_major)?;
    c.set(second, node)?;
    back(c, operator, both[0], time_major)
}

/// `SequenceRNNOptions`: time_major, activation.
pub fn rnn<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    let cell = match operator.option_i8(1)? {
        1 => Cell::Relu,
        4 => Cell::Tanh,
        code => return Err(unusable(format!("has an activation (code {code}) other than ReLU and tanh"))),
    };
    let (time_major, name) = (operator.option_i8(0)? != 0, c.name(operator)?);
    let mut inputs = vec![turned(c, operator, time_major)?];
    for at in [1, 2] {
        let found = c.values(operator, at)?.ok_or_else(|| unusable("has weights that are not constant"))?;
        inputs.push(c.builder.param(&name, &found.0, found.1)?);
    }
    let (_, mut biases) = c.values(operator, 3)?.ok_or_else(|| unusable("has a bias that is not constant"))?;
    biases.resize(2 * biases.len(), 0.0);
    inputs.push(c.builder.param(&name, &[biases.len()], biases)?);
    let states = c.builder.push(&name, Recurrent { cell, backward: false, clip: 0.0 }, &inputs)?;
    back(c, operator, states, time_major)
}

/// Input 0, batch first.
fn turned<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>, time_major: bool) -> Result<NodeId> {
    let x = c.input(operator, 0)?;
    back(c, operator, x, time_major)
}

/// The first two dimensions exchanged where time stands first.
fn back<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>, x: NodeId, time_major: bool) -> Result<NodeId> {
    let name = c.name(operator)?;
    if time_major { c.builder.transpose(&name, x, &[1, 0, 2]) } else { Ok(x) }
}

/// An LSTM over a sequence; its weights begin `offset` inputs after those of the first direction.
fn direction<'f>(
    c: &mut Conversion<'_, 'f>,
    operator: &Operator<'f>,
    sequence: NodeId,
    offset: usize,
) -> Result<NodeId> {
    let name = c.name(operator)?;
    let mut inputs = vec![sequence];
    for part in 0..2 {
        let (mut rows, mut columns, mut all) = (0, 0, Vec::new());
        for gate in GATES {
            let found = c.values(operator, gate[part] + offset)?;
            let (shape, values) = found.ok_or_else(|| unusable("has weights that are not constant"))?;
            let &[units, inner] = &shape[..] else { return Err(unusable(format!("has weights of shape {shape:?}"))) };
            (rows, columns) = (rows + units, inner);
            all.extend(values);
        }
        inputs.push(matrix(c, &name, rows, columns, all)?);
    }
    let &[rows, units] = c.builder.shape(inputs[2]) else { return Err(unusable("has no such weights")) };
    if rows != GATES.len() * units {
        return Err(unusable(format!("has recurrent weights for {rows} gates of {units} units")));
    }
    let mut biases = Vec::new();
    for gate in GATES {
        let bias = c.values(operator, gate[2] + offset)?.map_or_else(|| vec![0.0; units], |(_, values)| values);
        biases.extend(bias);
    }
    // The hidden state's matrix has none.
    biases.resize(2 * GATES.len() * units, 0.0);
    inputs.push(c.builder.param(&name, &[biases.len()], biases)?);
    let clip = f64::from(operator.option_f32(1)?);
    c.builder.push(&name, Recurrent { cell: Cell::Lstm, backward: offset > 0, clip }, &inputs)
}

fn matrix(c: &mut Conversion<'_, '_>, name: &str, rows: usize, columns: usize, values: Vec<f32>) -> Result<NodeId> {
    if rows * columns != values.len() {
        return Err(unusable("has gates with weights of different shapes"));
    }
    c.builder.param(name, &[rows, columns], values)
}
