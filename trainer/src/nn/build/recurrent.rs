//! Layers that read sequences.

use super::{Builder, unfit};
use crate::Result;
use crate::graph::NodeId;
use crate::nn::{Layer, Mode, Role};
use crate::ops::{Cell, Recurrent, Reshape, Slice};

/// What a recurrent layer is made of.
struct Cells {
    cell: Cell,
    units: usize,
    peephole: bool,
    bidirectional: bool,
    sequence: bool,
}

impl Builder<'_> {
    /// Parameters of each direction (`""`, `"_reverse"`): `weight_ih_l0`, `weight_hh_l0`, and `bias_l0`, PyTorch's two biases behind one
    /// another; with peepholes `peephole_l0`, which PyTorch has not.
    pub(super) fn recurrent(&mut self, name: &str, layer: &Layer, x: NodeId) -> Result<NodeId> {
        let cells = match *layer {
            Layer::Lstm { units, bidirectional, peephole, sequence } => {
                Cells { cell: Cell::Lstm, units, peephole, bidirectional, sequence }
            }
            Layer::Gru { units, bidirectional, sequence } => {
                Cells { cell: Cell::Gru, units, peephole: false, bidirectional, sequence }
            }
            Layer::Rnn { units, bidirectional, sequence } => {
                Cells { cell: Cell::Tanh, units, peephole: false, bidirectional, sequence }
            }
            _ => return Ok(x),
        };
        let step = self.mode == Mode::Step;
        if step && cells.bidirectional {
            return unfit(name, "reads sequences from their end, so it cannot go along with them step by step");
        }
        let x = match self.shape(x).dims() {
            &[batch, inputs] if step => self.push("", Reshape { shape: [batch, 1, inputs].into() }, &[x])?,
            _ => x,
        };
        let &[batch, time, inputs] = self.shape(x).dims() else {
            let shape = self.shape(x);
            return unfit(name, format!("takes sequences (batch x time x features), not {shape}"));
        };
        let directions = if cells.bidirectional { &[("", false), ("_reverse", true)][..] } else { &[("", false)] };
        let mut parts = Vec::new();
        for (suffix, backward) in directions {
            let states = self.direction(name, &cells, (suffix, *backward), inputs, x)?;
            parts.push(if cells.sequence {
                states
            } else {
                let begin = vec![0, if *backward { 0 } else { time.saturating_sub(1) }, 0];
                self.push("", Slice::dense(begin, [batch, 1, cells.units].into()), &[states])?
            });
        }
        let whole = self.concat(name, &parts, 2)?;
        if cells.sequence && !step {
            return Ok(whole);
        }
        self.push("", Reshape { shape: [batch, cells.units * parts.len()].into() }, &[whole])
    }

    fn direction(
        &mut self,
        name: &str,
        cells: &Cells,
        (suffix, backward): (&str, bool),
        inputs: usize,
        x: NodeId,
    ) -> Result<NodeId> {
        let (cell, units) = (cells.cell, cells.units);
        let rows = cell.gates().saturating_mul(units);
        let role = Role::Gates { units, fan_in: inputs };
        let w = self.param(name, &format!("weight_ih_l0{suffix}"), [rows, inputs], role);
        let r = self.param(name, &format!("weight_hh_l0{suffix}"), [rows, units], Role::Recurrent { units });
        let role = if cell == Cell::Lstm { Role::LstmBias { units } } else { Role::GateBias { units } };
        let b = self.param(name, &format!("bias_l0{suffix}"), [2 * rows], role);
        let mut inputs = vec![x, w, r, b];
        if cells.peephole {
            // From zero, as biases: the gates begin without them.
            let role = Role::GateBias { units };
            inputs.push(self.param(name, &format!("peephole_l0{suffix}"), [3 * units], role));
        }
        let layer = Recurrent { backward, ..Recurrent::new(cell) };
        match self.mode {
            Mode::Train { .. } => layer.train(&mut self.built.graph, name, &inputs),
            Mode::Eval | Mode::Step => self.push(name, layer, &inputs),
        }
    }
}
