//! Recurrent layers: LSTM, GRU, RNN, in one direction or both.

use super::constant::Constant;
use super::conversion::{Conversion, Entry};
use super::schema::Node;
use super::value::Value;
use crate::Result;
use crate::graph::NodeId;
use crate::import::unusable;
use crate::ops::{Cell, Recurrent, Slice};

/// Gates input, output, forget, cell in ONNX.
pub fn lstm<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    if node.int("input_forget", 0)? != 0 {
        return Err(unusable("couples its input and forget gates, which is not supported"));
    }
    if !activations(node, &["Sigmoid", "Tanh", "Tanh"])? {
        return Err(unusable("has other activations than Sigmoid, Tanh, Tanh"));
    }
    layer(c, node, Cell::Lstm, &[0, 2, 3, 1])
}

/// Gates update, reset, candidate in ONNX.
pub fn gru<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    if node.int("linear_before_reset", 0)? == 0 {
        let advice = "resets the hidden state before its matrix; linear_before_reset = 1 (PyTorch, Keras reset_after) is supported";
        return Err(unusable(advice));
    }
    if !activations(node, &["Sigmoid", "Tanh"])? {
        return Err(unusable("has other activations than Sigmoid, Tanh"));
    }
    layer(c, node, Cell::Gru, &[1, 0, 2])
}

/// No gates.
pub fn rnn<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<Vec<Value>> {
    let cell = if activations(node, &["Tanh"])? {
        Cell::Tanh
    } else if activations(node, &["Relu"])? {
        Cell::Relu
    } else {
        return Err(unusable("has other activations than Tanh or Relu"));
    };
    layer(c, node, cell, &[0])
}

/// Whether every direction has these activations, which are the default where none are stated.
fn activations(node: &Node<'_>, wanted: &[&str]) -> Result<bool> {
    let found = node.texts("activations")?;
    let same = |found: &[&str]| found.iter().zip(wanted).all(|(a, b)| a.eq_ignore_ascii_case(b));
    let is_default = found.is_empty() && wanted[0] != "Relu";
    Ok(is_default
        || !found.is_empty() && found.chunks(wanted.len()).all(|found| found.len() == wanted.len() && same(found)))
}

/// Inputs: sequences, weights and recurrent weights of each direction, biases of both, lengths, first states. `order`: ONNX's number
/// of each gate.
fn layer<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>, cell: Cell, order: &[usize]) -> Result<Vec<Value>> {
    plain(c, node)?;
    let (x, name) = (c.value(node, 0)?, node.outputs[0]);
    let batch_first = node.int("layout", 0)? != 0;
    let shape = x.shape();
    let (Some(&outer), Some(&inner), 3) = (shape.first(), shape.get(1), shape.len()) else {
        return Err(unusable(format!("has an input of shape {shape:?}")));
    };
    let (time, outermost) = if batch_first { (inner, [0, 1, 2]) } else { (outer, [1, 0, 2]) };
    let backward = match node.text("direction")?.unwrap_or("forward") {
        "forward" => &[false][..],
        "reverse" => &[true],
        "bidirectional" => &[false, true],
        other => return Err(unusable(format!("has the direction {other}"))),
    };
    let sequence = x.ordered(&mut c.builder, name, &outermost)?;
    let (w, r, b) = (c.constant(node, 1)?, c.constant(node, 2)?, c.known(node, 3)?);
    let (mut whole, mut ends) = (Vec::new(), Vec::new());
    for (direction, &backward) in backward.iter().enumerate() {
        let mut inputs = vec![sequence];
        for (constant, halves) in [(Some(&w), 1), (Some(&r), 1), (b.as_ref(), 2)] {
            let rows = w.shape.get(1).copied().unwrap_or(0) * halves;
            inputs.push(part(c, name, constant, (direction, rows), (order, halves))?);
        }
        let states = c.builder.push(name, Recurrent { cell, backward, clip: 0.0 }, &inputs)?;
        let &[batch, _, units] = c.builder.shape(states) else { return Err(unusable("gives no sequence")) };
        let last = Slice::dense(vec![0, if backward { 0 } else { time - 1 }, 0], [batch, 1, units].into());
        ends.push((states, last));
        whole.push(states);
    }
    result(c, node, &whole, &ends, batch_first)
}

/// Refuses what the core's layers do not have, by name.
fn plain<'f>(c: &mut Conversion<'_, 'f>, node: &Node<'f>) -> Result<()> {
    if node.float("clip", 0.0)? != 0.0 {
        return Err(unusable("clips its sums, which is not supported"));
    }
    for (at, name) in [(4, "sequence lengths"), (7, "peepholes")] {
        if node.input(at).is_some()
            && c.known(node, at).ok().flatten().is_none_or(|k| at == 4 || k.values.iter().any(|v| *v != 0.0))
        {
            return Err(unusable(format!("has {name}, which are not supported")));
        }
    }
    for at in [5, 6] {
        let zero = match c.operand(node, at)? {
            None => true,
            Some(Entry::Constant(state)) => state.values.iter().all(|value| *value == 0.0),
            Some(Entry::Value(_)) => false,
        };
        if !zero {
            return Err(unusable("has first states other than zeros; the blob keeps states from run to run"));
        }
    }
    Ok(())
}

/// Rows of one direction, gates in our order (zeros where there is no constant); `halves` lists of them.
fn part(
    c: &mut Conversion<'_, '_>,
    name: &str,
    constant: Option<&Constant>,
    (direction, rows): (usize, usize),
    (order, halves): (&[usize], usize),
) -> Result<NodeId> {
    let Some(constant) = constant else { return c.builder.param(name, &[rows], vec![0.0; rows]) };
    let wrong = || unusable(format!("has weights or biases of shape {:?}", constant.shape));
    let (&found, inner) = constant.shape.get(1..).and_then(|rest| rest.split_first()).ok_or_else(wrong)?;
    let row: usize = inner.iter().product();
    let gate = found / (order.len() * halves) * row;
    if found != rows || gate * order.len() * halves != found * row || gate == 0 {
        return Err(wrong());
    }
    let values = constant.values.chunks(found * row).nth(direction).ok_or_else(wrong)?;
    let mut sorted = Vec::new();
    for half in values.chunks(gate * order.len()) {
        for source in order {
            sorted.extend(half[source * gate..][..gate].iter().map(|value| *value as f32));
        }
    }
    c.builder.param(name, &constant.shape[1..], sorted)
}

/// All hidden states, `[time, directions, batch, units]`, and the last of each direction, `[directions, batch, units]` (batch first in
/// the other layout).
fn result<'f>(
    c: &mut Conversion<'_, 'f>,
    node: &Node<'f>,
    whole: &[NodeId],
    ends: &[(NodeId, Slice)],
    batch_first: bool,
) -> Result<Vec<Value>> {
    let mut values = Vec::new();
    for (at, output) in node.outputs.iter().take(2).enumerate() {
        // The states that nobody asks for cost nothing.
        let parts = match at {
            0 => whole.to_vec(),
            _ if output.is_empty() => whole.to_vec(),
            _ => {
                let slice = |(states, last): &(NodeId, Slice)| c.builder.push(output, last.clone(), &[*states]);
                ends.iter().map(slice).collect::<Result<_>>()?
            }
        };
        let joined = if parts.len() == 1 { parts[0] } else { c.builder.concat(output, &parts, 2)? };
        let &[batch, time, width] = c.builder.shape(joined) else { return Err(unusable("gives no sequence")) };
        let stored = vec![batch, time, parts.len(), width / parts.len()];
        let dims: &[usize] = match (at, batch_first) {
            (0, false) => &[1, 2, 0, 3],
            (0, true) => &[0, 1, 2, 3],
            (_, false) => &[2, 0, 3],
            (_, true) => &[0, 2, 3],
        };
        values.push(Value { node: joined, stored, dims: dims.iter().map(|dim| vec![*dim]).collect() });
    }
    Ok(values)
}
