//! Recurrent layers.

use super::conversion::Conversion;
use crate::Result;
use crate::graph::NodeId;
use crate::import::tflite::convert::{GATES, plain};
use crate::import::tflite::schema::Operator;
use crate::import::unusable;
use crate::ops::{Cell, Recurrent};

/// `UnidirectionalSequenceLSTMOptions`: activation, cell_clip, proj_clip, time_major.
pub fn lstm<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<NodeId> {
    plain(operator)?;
    let (x, name) = (c.input(operator, 0)?, c.name(operator)?);
    let time_major = operator.option_i8(3)? != 0;
    let sequence = if time_major { c.builder.transpose(&name, x, &[1, 0, 2])? } else { x };
    let mut inputs = vec![sequence];
    for part in 0..2 {
        let (mut rows, mut columns, mut all) = (0, 0, Vec::new());
        for gate in GATES {
            let found = c.values(operator, gate[part])?;
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
        let bias = c.values(operator, gate[2])?.map_or_else(|| vec![0.0; units], |(_, values)| values);
        biases.extend(bias);
    }
    // The hidden state's matrix has none.
    biases.resize(2 * GATES.len() * units, 0.0);
    inputs.push(c.builder.param(&name, &[biases.len()], biases)?);
    let clip = f64::from(operator.option_f32(1)?);
    let states = c.builder.push(&name, Recurrent { cell: Cell::Lstm, backward: false, clip }, &inputs)?;
    if time_major { c.builder.transpose(&name, states, &[1, 0, 2]) } else { Ok(states) }
}

fn matrix(c: &mut Conversion<'_, '_>, name: &str, rows: usize, columns: usize, values: Vec<f32>) -> Result<NodeId> {
    if rows * columns != values.len() {
        return Err(unusable("has gates with weights of different shapes"));
    }
    c.builder.param(name, &[rows, columns], values)
}
