//! Recurrent layers.

use rand::Rng;

use super::case::Case;
use crate::graph::NodeId;
use crate::ops::*;

/// The case of an operator of recurrent layers.
pub fn case(op: &str, c: &mut Case) -> Option<NodeId> {
    if !["Recurrent", "RecurrentStates", "RecurrentGrad"].contains(&op) {
        return None;
    }
    let cell = [Cell::Lstm, Cell::Gru, Cell::Tanh, Cell::Relu][c.size(0..=3)];
    let layer = Recurrent { cell, backward: c.rng.random(), clip: [0.0, 0.4][c.size(0..=1)] };
    let peepholes = cell == Cell::Lstm && c.rng.random();
    let mut inputs = sequences(c, &layer, peepholes);
    Some(match op {
        "Recurrent" => c.graph.push(layer, &inputs).unwrap(),
        "RecurrentStates" => layer.train(&mut c.graph, "", &inputs).unwrap(),
        _ => {
            let tape = c.graph.push(RecurrentTape { layer: layer.clone() }, &inputs).unwrap();
            let (x, r) = (c.graph.shape(inputs[0]).clone(), c.graph.shape(inputs[2]).clone());
            inputs.extend([tape, c.leaf([x[0], x[1], r[1]])]);
            let input = c.rng.random();
            c.graph.push(RecurrentGrad { layer, input }, &inputs).unwrap()
        }
    })
}

/// Random sequences, and parameters for `layer`.
fn sequences(c: &mut Case, layer: &Recurrent, peepholes: bool) -> Vec<NodeId> {
    let (x, units) = ([c.size(1..=4), c.size(1..=5), c.size(1..=3)], c.size(1..=3));
    let rows = layer.cell.gates() * units;
    let mut inputs = vec![c.leaf(x), c.leaf([rows, x[2]]), c.leaf([rows, units]), c.leaf([2 * rows])];
    if peepholes {
        inputs.push(c.leaf([3 * units]));
    }
    inputs
}

/// First and second derivatives of every cell in either direction, with and without clip and peepholes.
#[test]
fn every_recurrent_layer_equals_central_differences() {
    let lstm = [(0.0, false), (0.4, false), (0.0, true), (0.4, true)];
    let others = [Cell::Gru, Cell::Tanh, Cell::Relu].map(|cell| (cell, 0.0, false));
    for (cell, clip, peepholes) in lstm.map(|(clip, peepholes)| (Cell::Lstm, clip, peepholes)).into_iter().chain(others)
    {
        for (backward, seed) in [(false, 0), (false, 1), (true, 2), (true, 3)] {
            let layer = Recurrent { cell, backward, clip };
            let name = format!("{layer:?} (peepholes: {peepholes})");
            let mut built = Case::new(seed);
            let inputs = sequences(&mut built, &layer, peepholes);
            let out = layer.train(&mut built.graph, "layer", &inputs).unwrap();
            if seed % 2 == 0 {
                built.check(&name, out);
                continue;
            }
            let square = built.graph.mul(out, out).unwrap();
            let loss = built.graph.sum(square).unwrap();
            let first = built.graph.gradients(loss, &inputs[1..2]).unwrap()[0];
            built.check(&name, first);
        }
    }
}
