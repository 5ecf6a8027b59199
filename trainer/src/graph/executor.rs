//! Runs a graph over buffers that are planned and allocated once.

use std::mem;

use super::plan::{Place, Plan};
use super::{Graph, NodeId, Params, Real};
use crate::ops::{Io, MAX_NODE_INPUTS, Operator, View};
use crate::{Error, ErrorKind, Result};

/// A graph ready to run in the number type `T`.
#[derive(Debug)]
pub struct Executor<T: Real> {
    graph: Graph,
    plan: Plan,
    outputs: Vec<NodeId>,
    buffers: Vec<Vec<T>>,
    inputs: Vec<Vec<T>>,
    scratch: Vec<T>,
    /// For each parameter node its place in the parameters of the last run.
    param_places: Vec<usize>,
    step: u64,
}

impl<T: Real> Executor<T> {
    /// Plans `graph` so that the values of `outputs` can be read after a run. Nodes that no output needs never run.
    pub fn new(graph: &Graph, outputs: &[NodeId]) -> Self {
        let plan = Plan::new(graph, outputs);
        let scratch = plan.order.iter().map(|&id| scratch_of(graph, id)).max().unwrap_or(0);
        Self {
            buffers: plan.buffers.iter().map(|&len| vec![T::ZERO; len]).collect(),
            inputs: plan.inputs.iter().map(|&id| vec![T::ZERO; graph.shape(id).elements()]).collect(),
            scratch: vec![T::ZERO; scratch],
            param_places: Vec::with_capacity(plan.params.len()),
            graph: graph.clone(),
            outputs: outputs.to_vec(),
            plan,
            step: 0,
        }
    }

    /// The tensor that feeds input node `id`, to be filled before a run; empty when nothing that runs reads it.
    pub fn input_mut(&mut self, id: NodeId) -> &mut [T] {
        match self.plan.places[id.index()] {
            Place::Input(at) => &mut self.inputs[at],
            _ => &mut [],
        }
    }

    /// Exchanges the tensor that feeds input node `id` for `tensor`, without copying.
    ///
    /// # Panics
    /// When `tensor` has another length than the input.
    pub fn swap_input(&mut self, id: NodeId, tensor: &mut Vec<T>) {
        if let Place::Input(at) = self.plan.places[id.index()] {
            assert_eq!(tensor.len(), self.inputs[at].len(), "elements of an input");
            mem::swap(&mut self.inputs[at], tensor);
        }
    }

    /// The training step, which seeds dropout masks.
    pub fn set_step(&mut self, step: u64) {
        self.step = step;
    }

    /// Runs every node that an output needs. Errors when `params` lacks a parameter or has it in another shape.
    pub fn run(&mut self, params: &Params<T>) -> Result<()> {
        self.find_params(params)?;
        for at in 0..self.plan.order.len() {
            self.run_node(self.plan.order[at], params);
        }
        Ok(())
    }

    /// Value of an output after a run.
    ///
    /// # Panics
    /// When `id` is not one of the outputs the executor was made for: another node may have reused its memory.
    pub fn value(&self, id: NodeId) -> &[T] {
        assert!(self.outputs.contains(&id), "node {} is not an output of this executor", id.index());
        match self.plan.places[id.index()] {
            Place::Buffer(buffer) => &self.buffers[buffer][..self.graph.shape(id).elements()],
            Place::Input(at) => &self.inputs[at],
            _ => &[],
        }
    }

    /// Bytes of all buffers.
    pub fn bytes(&self) -> usize {
        let elements = self.buffers.iter().chain(&self.inputs).map(Vec::len).sum::<usize>() + self.scratch.len();
        elements * size_of::<T>()
    }

    fn run_node(&mut self, id: NodeId, params: &Params<T>) {
        let Place::Buffer(target) = self.plan.places[id.index()] else { return };
        let mut output = mem::take(&mut self.buffers[target]);
        let mut scratch = mem::take(&mut self.scratch);
        let node = self.graph.node(id);
        let mut views = [View { shape: &node.shape, data: &[] }; MAX_NODE_INPUTS];
        for (view, &input) in views.iter_mut().zip(&node.inputs) {
            let shape = self.graph.shape(input);
            let data: &[T] = match self.plan.places[input.index()] {
                // The output takes this input's memory.
                Place::Buffer(buffer) if buffer == target => &[],
                Place::Buffer(buffer) => &self.buffers[buffer][..shape.elements()],
                Place::Input(at) => &self.inputs[at],
                Place::Param(at) => &params.entries()[self.param_places[at]].data,
                Place::Unused => &[],
            };
            *view = View { shape, data };
        }
        node.op.forward(Io {
            inputs: &views[..node.inputs.len()],
            output: &mut output[..node.shape.elements()],
            shape: &node.shape,
            scratch: &mut scratch,
            step: self.step,
        });
        self.buffers[target] = output;
        self.scratch = scratch;
    }

    fn find_params(&mut self, params: &Params<T>) -> Result<()> {
        self.param_places.clear();
        for &id in &self.plan.params {
            let node = self.graph.node(id);
            let at = params.position(&node.name).ok_or_else(|| {
                Error::new(ErrorKind::Shape, &node.name, "the network has this parameter, the values given have not")
            })?;
            let shape = &params.entries()[at].shape;
            if *shape != node.shape {
                let message = format!("the network has it as {}, the values given as {shape}", node.shape);
                return Err(Error::new(ErrorKind::Shape, &node.name, message));
            }
            self.param_places.push(at);
        }
        Ok(())
    }
}

fn scratch_of(graph: &Graph, id: NodeId) -> usize {
    let node = graph.node(id);
    let mut shapes = [&node.shape; MAX_NODE_INPUTS];
    for (shape, &input) in shapes.iter_mut().zip(&node.inputs) {
        *shape = graph.shape(input);
    }
    node.op.scratch(&shapes[..node.inputs.len()], &node.shape)
}
