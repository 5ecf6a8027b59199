//! A recurrent layer as a graph of plain operators, step by step: slow, and differentiable any number of times. Second derivatives are
//! made of it.

use super::{Cell, Recurrent};
use crate::Result;
use crate::graph::{Graph, NodeId};
use crate::ops::{Clamp, Constant, Dense, Function, Relu, Slice, Tanh, Unary};

/// The sum of the states of `layer` of `inputs`, each times its element of `dy`.
pub fn pairing(layer: &Recurrent, graph: &mut Graph, inputs: &[NodeId], dy: NodeId) -> Result<NodeId> {
    let &[batch, time, units] = graph.shape(dy).dims() else { return Ok(dy) };
    let zeros = graph.push(Constant { value: 0.0, shape: [batch, units].into() }, &[])?;
    let mut steps = Steps::new(layer, graph, inputs, [zeros, zeros])?;
    let mut sum = zeros;
    for step in 0..time {
        let t = if layer.backward { time - 1 - step } else { step };
        steps.step(t)?;
        let weight = steps.at(dy, t)?;
        let product = steps.graph.mul(steps.state, weight)?;
        sum = steps.graph.add(sum, product)?;
    }
    graph.sum(sum)
}

impl Recurrent {
    /// Appends one step: inputs as of the layer's node, with `x [batch, 1, inputs]`, and state and cell before it, `[batch, units]`.
    /// Returns them after it (a cell that is not an LSTM's as it was).
    pub fn step(&self, graph: &mut Graph, inputs: &[NodeId], before: [NodeId; 2]) -> Result<[NodeId; 2]> {
        let mut steps = Steps::new(self, graph, inputs, before)?;
        steps.step(0)?;
        Ok([steps.state, steps.cell])
    }
}

struct Steps<'a> {
    layer: &'a Recurrent,
    graph: &'a mut Graph,
    /// As of the layer's node.
    inputs: &'a [NodeId],
    state: NodeId,
    cell: NodeId,
    /// Of the products with the input and with the state.
    biases: Vec<NodeId>,
    /// Of input, forget, output gate; or none.
    peepholes: Vec<NodeId>,
}

impl<'a> Steps<'a> {
    /// From a state and a cell, `[batch, units]`, on.
    fn new(
        layer: &'a Recurrent,
        graph: &'a mut Graph,
        inputs: &'a [NodeId],
        [state, cell]: [NodeId; 2],
    ) -> Result<Self> {
        let biases = parts(graph, inputs[3], 2)?;
        let peepholes = inputs.get(4).map_or(Ok(Vec::new()), |&p| parts(graph, p, 3))?;
        Ok(Self { layer, graph, inputs, state, cell, biases, peepholes })
    }

    /// Time `t` of a sequence.
    fn at(&mut self, sequence: NodeId, t: usize) -> Result<NodeId> {
        let (batch, width) = (self.graph.shape(sequence)[0], self.graph.shape(sequence)[2]);
        let part = self.graph.push(Slice::dense(vec![0, t, 0], [batch, 1, width].into()), &[sequence])?;
        self.graph.reshape(part, [batch, width])
    }

    /// One step, which reads time `t`.
    fn step(&mut self, t: usize) -> Result<()> {
        let x = self.at(self.inputs[0], t)?;
        let from_input = self.graph.push(Dense, &[x, self.inputs[1], self.biases[0]])?;
        let from_hidden = self.graph.push(Dense, &[self.state, self.inputs[2], self.biases[1]])?;
        if self.layer.cell == Cell::Gru {
            return self.gru(from_input, from_hidden);
        }
        let sums = self.graph.add(from_input, from_hidden)?;
        match self.layer.cell {
            Cell::Relu => self.state = self.graph.push(Relu, &[sums])?,
            Cell::Tanh => self.state = self.graph.push(Tanh, &[sums])?,
            _ => self.lstm(sums)?,
        }
        Ok(())
    }

    fn gate(&mut self, sums: NodeId, gate: usize) -> Result<NodeId> {
        let state = self.graph.shape(self.state).clone();
        self.graph.push(Slice::dense(vec![0, gate * state[1]], state), &[sums])
    }

    fn logistic(&mut self, sum: NodeId) -> Result<NodeId> {
        self.graph.push(Unary { function: Function::Sigmoid }, &[sum])
    }

    /// The logistic function of a gate's sum and its peephole to the cell.
    fn peeping(&mut self, sums: NodeId, gate: usize, peephole: usize) -> Result<NodeId> {
        let mut sum = self.gate(sums, gate)?;
        if let Some(&p) = self.peepholes.get(peephole) {
            let seen = self.graph.mul(self.cell, p)?;
            sum = self.graph.add(sum, seen)?;
        }
        self.logistic(sum)
    }

    fn lstm(&mut self, sums: NodeId) -> Result<()> {
        let (input, forget) = (self.peeping(sums, 0, 0)?, self.peeping(sums, 1, 1)?);
        let sum = self.gate(sums, 2)?;
        let candidate = self.graph.push(Tanh, &[sum])?;
        let (kept, new) = (self.graph.mul(forget, self.cell)?, self.graph.mul(input, candidate)?);
        self.cell = self.graph.add(kept, new)?;
        if self.layer.clip > 0.0 {
            self.cell = self.graph.push(Clamp { low: -self.layer.clip, high: self.layer.clip }, &[self.cell])?;
        }
        let output = self.peeping(sums, 3, 2)?;
        let bounded = self.graph.push(Tanh, &[self.cell])?;
        self.state = self.graph.mul(output, bounded)?;
        Ok(())
    }

    fn gru(&mut self, from_input: NodeId, from_hidden: NodeId) -> Result<()> {
        let sums = self.graph.add(from_input, from_hidden)?;
        let (reset, update) = (self.gate(sums, 0)?, self.gate(sums, 1)?);
        let (reset, update) = (self.logistic(reset)?, self.logistic(update)?);
        let (a, s) = (self.gate(from_input, 2)?, self.gate(from_hidden, 2)?);
        let kept = self.graph.mul(reset, s)?;
        let sum = self.graph.add(a, kept)?;
        let new = self.graph.push(Tanh, &[sum])?;
        let change = self.graph.sub(self.state, new)?;
        let kept = self.graph.mul(update, change)?;
        self.state = self.graph.add(new, kept)?;
        Ok(())
    }
}

/// A vector in so many parts of equal length.
fn parts(graph: &mut Graph, vector: NodeId, count: usize) -> Result<Vec<NodeId>> {
    let length = graph.shape(vector).elements() / count;
    (0..count).map(|part| graph.push(Slice::dense(vec![part * length], [length].into()), &[vector])).collect()
}
