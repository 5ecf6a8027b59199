//! One graph for training, quantizing and exporting; gradients are nodes of the same graph.
//!
//! A [`Graph`] only grows, and a node's inputs come before it, so the node list is its own topological order.
//! [`Graph::gradients`] appends the derivative as more nodes, so derivatives of derivatives need nothing new. An
//! [`Executor`] plans buffers once and then runs the graph in them any number of times.

mod attention;
mod build;
mod executor;
mod functions;
mod gradient;
mod lanes;
mod params;
mod plan;
mod product;
mod real;
mod shape;

#[cfg(test)]
mod tests;

pub use executor::Executor;
pub use lanes::Lanes;
pub use params::{Param, Params};
pub use product::{Matrix, product};
pub use real::Real;
pub use shape::Shape;

use crate::ops::{Input, Op, Operator, Parameter};
use crate::{Error, ErrorKind, Result};

/// A node of one graph; ids grow in topological order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(usize);

impl NodeId {
    /// Place in [`Graph::nodes`].
    pub fn index(self) -> usize {
        self.0
    }
}

/// An operator applied to earlier nodes; it has one output.
#[derive(Debug, Clone)]
pub struct Node {
    /// What it computes.
    pub op: Op,
    /// What from.
    pub inputs: Vec<NodeId>,
    /// Shape of its output.
    pub shape: Shape,
    /// Name of the layer or parameter it belongs to; empty for inner nodes.
    pub name: String,
}

/// A computation: nodes in topological order.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    nodes: Vec<Node>,
}

impl Graph {
    /// A graph without nodes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Nodes in topological order; [`NodeId::index`] is the place.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node of this id.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// Shape of the output of `id`.
    pub fn shape(&self, id: NodeId) -> &Shape {
        &self.nodes[id.0].shape
    }

    /// Ids of all nodes, in topological order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = NodeId> + use<> {
        (0..self.nodes.len()).map(NodeId)
    }

    /// Ids of the nodes that `outputs` are computed from, they themselves included, in topological order.
    pub fn needed(&self, outputs: &[NodeId]) -> Vec<NodeId> {
        let mut needed = vec![false; self.nodes.len()];
        outputs.iter().for_each(|output| needed[output.0] = true);
        for (at, node) in self.nodes.iter().enumerate().rev() {
            if needed[at] {
                node.inputs.iter().for_each(|input| needed[input.0] = true);
            }
        }
        self.ids().filter(|id| needed[id.0]).collect()
    }

    /// A tensor fed at each run.
    pub fn input(&mut self, name: &str, shape: impl Into<Shape>) -> NodeId {
        self.append(Input.into(), Vec::new(), shape.into(), name)
    }

    /// A tensor read from [`Params`] under `name`; asking twice for one name gives one node, so weights can be shared.
    pub fn param(&mut self, name: &str, shape: impl Into<Shape>) -> NodeId {
        let known = self.nodes.iter().position(|n| matches!(n.op, Op::Parameter(_)) && n.name == name);
        match known {
            Some(at) => NodeId(at),
            None => self.append(Parameter.into(), Vec::new(), shape.into(), name),
        }
    }

    /// Applies an operator. Errors when the shapes of `inputs` do not fit it.
    pub fn push(&mut self, op: impl Into<Op>, inputs: &[NodeId]) -> Result<NodeId> {
        self.push_named("", op, inputs)
    }

    /// Applies an operator as the layer `name`.
    pub fn push_named(&mut self, name: &str, op: impl Into<Op>, inputs: &[NodeId]) -> Result<NodeId> {
        let op = op.into();
        let shapes: Vec<&Shape> = inputs.iter().map(|id| self.shape(*id)).collect();
        let shape = op.shape(&shapes).map_err(|e| {
            let place = if name.is_empty() { op.name().to_string() } else { format!("{name} ({})", op.name()) };
            Error::new(ErrorKind::Shape, place, e.message)
        })?;
        Ok(self.append(op, inputs.to_vec(), shape, name))
    }

    fn append(&mut self, op: Op, inputs: Vec<NodeId>, shape: Shape, name: &str) -> NodeId {
        self.nodes.push(Node { op, inputs, shape, name: name.to_string() });
        NodeId(self.nodes.len() - 1)
    }
}
