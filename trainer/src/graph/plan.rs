//! Which nodes to run, and which buffer each one writes: buffers are handed on as soon as their last reader has run, or to it.

use super::{Graph, NodeId};
use crate::ops::{Op, Operator};

/// Where the value of a node lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Not needed for the outputs.
    Unused,
    /// Fed by the caller: number of the input.
    Input(usize),
    /// Read from the parameters: number of the parameter node.
    Param(usize),
    /// Computed into this buffer.
    Buffer(usize),
}

/// A memory plan of a graph for chosen outputs.
#[derive(Debug)]
pub struct Plan {
    /// One per node.
    pub places: Vec<Place>,
    /// Length of each buffer in elements.
    pub buffers: Vec<usize>,
    /// Input nodes in order of their number.
    pub inputs: Vec<NodeId>,
    /// Parameter nodes in order of their number.
    pub params: Vec<NodeId>,
    /// Nodes to run, in order.
    pub order: Vec<NodeId>,
}

impl Plan {
    /// Plans `graph` so that `outputs` hold their values when the run ends.
    pub fn new(graph: &Graph, outputs: &[NodeId]) -> Self {
        let last_use = last_uses(graph, outputs);
        let mut plan = Self {
            places: vec![Place::Unused; graph.nodes().len()],
            buffers: Vec::new(),
            inputs: Vec::new(),
            params: Vec::new(),
            order: Vec::new(),
        };
        let mut free: Vec<usize> = Vec::new();
        for id in graph.ids().filter(|id| last_use[id.index()].is_some()) {
            let taken = plan.overwritten(graph, id, &last_use);
            plan.places[id.index()] = plan.place(graph, id, taken, &mut free);
            let mut dead: Vec<NodeId> = graph.node(id).inputs.clone();
            dead.retain(|input| last_use[input.index()] == Some(id.index()));
            dead.sort();
            dead.dedup();
            free.extend(dead.iter().filter_map(|input| match plan.places[input.index()] {
                Place::Buffer(buffer) if taken != Some(buffer) => Some(buffer),
                _ => None,
            }));
        }
        plan
    }

    /// The buffer of an input that `id` may write over: it is read for the last time, and by nothing else of the node.
    fn overwritten(&self, graph: &Graph, id: NodeId, last_use: &[Option<usize>]) -> Option<usize> {
        let node = graph.node(id);
        let input = *node.inputs.get(node.op.overwrites()?)?;
        let once = node.inputs.iter().filter(|other| **other == input).count() == 1;
        let last = last_use[input.index()] == Some(id.index());
        let fits = graph.shape(input).elements() == node.shape.elements();
        match self.places[input.index()] {
            Place::Buffer(buffer) if once && last && fits => Some(buffer),
            _ => None,
        }
    }

    fn place(&mut self, graph: &Graph, id: NodeId, taken: Option<usize>, free: &mut Vec<usize>) -> Place {
        match graph.node(id).op {
            Op::Input(_) => {
                self.inputs.push(id);
                Place::Input(self.inputs.len() - 1)
            }
            Op::Parameter(_) => {
                self.params.push(id);
                Place::Param(self.params.len() - 1)
            }
            _ => {
                self.order.push(id);
                Place::Buffer(taken.unwrap_or_else(|| self.buffer(graph.shape(id).elements(), free)))
            }
        }
    }

    /// The free buffer that wastes least; else the largest one, grown; else a new one.
    fn buffer(&mut self, len: usize, free: &mut Vec<usize>) -> usize {
        let fitting = (0..free.len()).filter(|&i| self.buffers[free[i]] >= len).min_by_key(|&i| self.buffers[free[i]]);
        let chosen = fitting.or_else(|| (0..free.len()).max_by_key(|&i| self.buffers[free[i]]));
        match chosen {
            Some(i) => {
                let buffer = free.swap_remove(i);
                self.buffers[buffer] = self.buffers[buffer].max(len);
                buffer
            }
            None => {
                self.buffers.push(len);
                self.buffers.len() - 1
            }
        }
    }
}

/// For each node the index of its last reader; outputs are read at the end; `None` where no output needs the node.
fn last_uses(graph: &Graph, outputs: &[NodeId]) -> Vec<Option<usize>> {
    let mut last_use = vec![None; graph.nodes().len()];
    for output in outputs {
        last_use[output.index()] = Some(usize::MAX);
    }
    for id in graph.ids().rev() {
        if last_use[id.index()].is_some() {
            for input in &graph.node(id).inputs {
                last_use[input.index()].get_or_insert(id.index());
            }
        }
    }
    last_use
}
