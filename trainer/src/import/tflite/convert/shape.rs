//! What changes shapes and places, not values.

use ackermann_core::blob::format::MAX_INPUTS;
use ackermann_core::blob::write::OperatorKind;
use ackermann_core::ops::{Concat, Pad, Transpose};

use super::{Conversion, place_of};
use crate::Result;
use crate::import::tflite::schema::{INT8, Operator, unusable};

/// RESHAPE, SQUEEZE, EXPAND_DIMS: the new shape is the output's.
pub fn reshape<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    c.push(&[input], output, OperatorKind::Reshape)
}

/// A dimension as the core counts them: shapes get ones in front, up to four.
pub fn of_four(axis: usize, rank: usize) -> usize {
    axis + 4_usize.saturating_sub(rank)
}

/// Input 1: the order of the dimensions.
pub fn transpose<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    let (order, rank) = (c.integers(operator, 1)?, c.shape(input).len());
    if order.len() != rank {
        return Err(unusable(format!("orders {} dimensions of {rank}", order.len())));
    }
    let mut all = [0, 1, 2, 3];
    for (to, from) in order.iter().enumerate() {
        all[of_four(to, rank)] = of_four(place_of(*from, rank)?, rank);
    }
    c.push(&[input], output, OperatorKind::Transpose(Transpose { order: all }))
}

/// PAD: with the zero point. Input 1: elements before and after, for each dimension.
pub fn pad<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    let value = c.quantization(input).zero_point;
    push_pad(c, operator, [input, output], value)
}

/// PADV2: with the value of input 2.
pub fn pad_v2<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let (input, output) = c.sides(operator)?;
    let &[value] = c.constant(operator, 2, INT8)?.data else {
        return Err(unusable(String::from("pads with more than one value")));
    };
    push_pad(c, operator, [input, output], value as i8)
}

fn push_pad<'f>(
    c: &mut Conversion<'_, 'f>,
    operator: &Operator<'f>,
    [input, output]: [u16; 2],
    value: i8,
) -> Result<()> {
    let (sizes, rank) = (c.integers(operator, 1)?, c.shape(input).len());
    let sizes: Option<Vec<usize>> = sizes.iter().map(|size| usize::try_from(*size).ok()).collect();
    let sizes = sizes.filter(|sizes| sizes.len() == 2 * rank && c.shape(output).len() == rank);
    let sizes = sizes.ok_or_else(|| unusable(String::from("has paddings that do not fit its input")))?;
    let mut before = [0; 4];
    for (axis, pair) in sizes.chunks_exact(2).enumerate() {
        before[of_four(axis, rank)] = pair[0];
        let whole = c.shape(input)[axis] as usize + pair[0] + pair[1];
        if whole != c.shape(output)[axis] as usize {
            return Err(unusable(format!("pads dimension {axis} to {whole}, its output has another length")));
        }
    }
    c.push(&[input], output, OperatorKind::Pad(Pad { before, value }))
}

/// `ConcatenationOptions`: axis, activation (none).
pub fn concatenation<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    if operator.option_i8(1)? != 0 {
        return Err(unusable(String::from("has a fused activation, which is not supported")));
    }
    let inputs = (0..operator.inputs.len()).map(|at| c.input(operator, at)).collect::<Result<Vec<_>>>()?;
    let output = c.output(operator)?;
    let axis = place_of(operator.option_i32(0, 0)?, c.shape(output).len())?;
    push_concat(c, inputs, output, axis)
}

/// `PackOptions`: number of inputs, axis. A concatenation of tensors that get one more dimension.
pub fn pack<'f>(c: &mut Conversion<'_, 'f>, operator: &Operator<'f>) -> Result<()> {
    let output = c.output(operator)?;
    let axis = place_of(operator.option_i32(1, 0)?, c.shape(output).len())?;
    let mut shape = c.shape(output).to_vec();
    shape[axis] = 1;
    let mut parts = Vec::new();
    for at in 0..operator.inputs.len() {
        let input = c.input(operator, at)?;
        let part = c.between(input, &shape)?;
        c.push(&[input], part, OperatorKind::Reshape)?;
        parts.push(part);
    }
    push_concat(c, parts, output, axis)
}

/// However many tensors, as many at a time as an operator takes.
fn push_concat(c: &mut Conversion<'_, '_>, mut parts: Vec<u16>, output: u16, axis: usize) -> Result<()> {
    let rank = c.shape(output).len();
    if parts.is_empty() || parts.iter().any(|part| c.shape(*part).len() != rank) {
        return Err(unusable(String::from("concatenates tensors of different ranks")));
    }
    let kind = OperatorKind::Concat(Concat { axis: of_four(axis, rank) });
    while parts.len() > MAX_INPUTS {
        let first: Vec<u16> = parts.drain(..MAX_INPUTS).collect();
        let mut shape = c.shape(first[0]).to_vec();
        shape[axis] = first.iter().map(|part| c.shape(*part)[axis]).fold(0, u32::saturating_add);
        let joined = c.between(first[0], &shape)?;
        c.push(&first, joined, kind.clone())?;
        parts.insert(0, joined);
    }
    c.push(&parts, output, kind)
}
