//! Layers that read sequences.

use super::{Builder, unfit};
use crate::Result;
use crate::graph::NodeId;
use crate::nn::{Layer, Role};
use crate::ops::{Cell, Recurrent, Reshape, Slice};

/// What a recurrent layer is made of.
struct Cells {
    cell: Cell,
    units: usize,
    bidirectional: bool,
    sequence: bool,
}

impl Builder<'_> {
    /// Parameters of each direction (`""`, `"_reverse"`): `weight_ih_l0`, `weight_hh_l0`, and `bias_l0`, PyTorch's two biases behind one
    /// another.
    pub(super) fn recurrent(&mut self, name: &str, layer: &Layer, x: NodeId) -> Result<NodeId> {
        let cells = match *layer {
            Layer::Lstm { peephole: true, .. } => return unfit(name, "has peepholes, which cannot be built yet"),
            Layer::Lstm { units, bidirectional, sequence, .. } => {
                Cells { cell: Cell::Lstm, units, bidirectional, sequence }
            }
            Layer::Gru { units, bidirectional, sequence } => Cells { cell: Cell::Gru, units, bidirectional, sequence },
            Layer::Rnn { units, bidirectional, sequence } => Cells { cell: Cell::Tanh, units, bidirectional, sequence },
            _ => return Ok(x),
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
        if cells.sequence {
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
        self.push(name, Recurrent { cell, backward, clip: 0.0 }, &[x, w, r, b])
    }
}
