//! The fake-quant graph: a float graph in which every layer gives exactly what the int8 core will give.

use std::collections::HashMap;
use std::sync::Arc;

use ackermann_core::blob::write::Network as Int8Network;

use super::Int8Layer;
use crate::Result;
use crate::graph::{Graph, NodeId, Params};
use crate::ops::{FakeQuant, Int8, Op, RoundWeights};
use crate::quant::lower::lower_values;
use crate::quant::program::{FloatGraph, Program};
use crate::quant::sources::Source;

/// Name of the parameter that holds the factors of all ranges, `[rows, 2]`.
pub const FACTORS: &str = "quantization.factors";

/// A fake-quant graph.
#[derive(Debug)]
pub struct FakeQuantized {
    /// The computation; its parameters are those of the float graph and [`FACTORS`].
    pub graph: Graph,
    /// Nodes that are fed.
    pub inputs: Vec<NodeId>,
    /// Nodes whose values are asked for.
    pub outputs: Vec<NodeId>,
    /// For each value of the program the node that holds it.
    pub values: Vec<NodeId>,
    /// The factors.
    pub factors: NodeId,
}

/// What a fake-quant graph is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To train: each layer is also computed in float, for its derivative.
    Train,
    /// To look at: int8 alone.
    Simulate,
}

impl FakeQuantized {
    /// Of `float` (its `program` and `sources` with so many `rows`). Steps for which `in_int8` says no stay in float.
    ///
    /// # Errors
    /// A layer whose shapes do not fit.
    pub fn new(
        float: &FloatGraph,
        program: &Program,
        (sources, rows): (&[Source], usize),
        purpose: Purpose,
        in_int8: &dyn Fn(usize) -> bool,
    ) -> Result<Self> {
        let mut graph = Graph::new();
        let factors = graph.param(FACTORS, [rows.max(1), 2]);
        let steps: HashMap<NodeId, usize> =
            program.steps.iter().enumerate().map(|(at, step)| (step.node, at)).collect();
        let rounded = rounded(float, program, in_int8);
        let mut builder = Builder { float, graph, factors, new: HashMap::new(), purpose };
        for (&input, source) in program.inputs.iter().zip(sources) {
            builder.input(input, *source, program.steps.iter().enumerate().all(|(step, _)| in_int8(step)))?;
        }
        let fed = program.inputs.iter().map(|input| builder.fed(*input)).collect();
        for id in float.graph.needed(&float.outputs) {
            builder.node(id, &rounded)?;
            if let Some(&step) = steps.get(&id).filter(|step| in_int8(**step)) {
                let layer = Int8Layer::new(float, program, step, sources)?;
                builder.int8(id, layer, &program.nodes(), sources[program.inputs.len() + step])?;
            }
        }
        let new = |id: &NodeId| builder.new[id];
        let (outputs, values) = (float.outputs.iter().map(new).collect(), program.nodes().iter().map(new).collect());
        Ok(Self { graph: builder.graph, inputs: fed, outputs, values, factors })
    }
}

/// Weights that an int8 layer rounds: of convolutions and dense layers.
fn rounded(float: &FloatGraph, program: &Program, in_int8: &dyn Fn(usize) -> bool) -> Vec<NodeId> {
    let steps = program.steps.iter().enumerate().filter(|(at, step)| in_int8(*at) && step.kind.weighted().is_some());
    let names: Vec<&str> = steps.map(|(_, step)| step.name.as_str()).collect();
    let nodes = float.graph.nodes().iter().filter(|node| names.contains(&node.name.as_str()));
    let weighted = nodes
        .filter(|node| matches!(node.op, Op::Conv2d(_) | Op::DepthwiseConv2d(_) | Op::GroupedConv2d(_) | Op::Dense(_)));
    weighted.filter_map(|node| node.inputs.get(1).copied()).collect()
}

struct Builder<'a> {
    float: &'a FloatGraph,
    graph: Graph,
    factors: NodeId,
    /// The new node of each old one.
    new: HashMap<NodeId, NodeId>,
    purpose: Purpose,
}

impl Builder<'_> {
    fn input(&mut self, id: NodeId, source: Source, in_int8: bool) -> Result<()> {
        let node = self.float.graph.node(id);
        let input = self.graph.input(&node.name, node.shape.clone());
        let input = match source {
            Source::Fixed(_) | Source::Range { .. } if in_int8 => {
                self.graph.push(FakeQuant { source }, &[input, self.factors])?
            }
            _ => input,
        };
        self.new.insert(id, input);
        Ok(())
    }

    /// The node that feeds what stands for the old input `id`.
    fn fed(&self, id: NodeId) -> NodeId {
        let new = self.new[&id];
        self.graph.node(new).inputs.first().copied().unwrap_or(new)
    }

    /// The float computation of `id`.
    fn node(&mut self, id: NodeId, rounded: &[NodeId]) -> Result<()> {
        if self.new.contains_key(&id) {
            return Ok(());
        }
        let node = self.float.graph.node(id);
        let made = if matches!(node.op, Op::Parameter(_)) {
            self.graph.param(&node.name, node.shape.clone())
        } else {
            let mut inputs: Vec<NodeId> = node.inputs.iter().map(|input| self.new[input]).collect();
            if let Some(weights) = node.inputs.get(1).filter(|weights| rounded.contains(weights)) {
                inputs[1] = self.graph.push(RoundWeights, &[self.new[weights]])?;
            }
            self.graph.push_named(&node.name, node.op.clone(), &inputs)?
        };
        self.new.insert(id, made);
        Ok(())
    }

    /// From here on `id` is what the core makes of it.
    fn int8(&mut self, id: NodeId, layer: Int8Layer, nodes: &[NodeId], source: Source) -> Result<()> {
        let values = layer.values().iter().map(|value| self.new[&nodes[*value]]);
        let params = layer.params().iter().map(|param| self.new[param]);
        let inputs: Vec<NodeId> = values.chain(params).chain([self.factors]).collect();
        let exact = self.graph.push_named(&self.float.graph.node(id).name, Int8 { layer: Arc::new(layer) }, &inputs)?;
        let made = match self.purpose {
            Purpose::Simulate => exact,
            Purpose::Train => self.graph.push(FakeQuant { source }, &[self.new[&id], self.factors, exact])?,
        };
        self.new.insert(id, made);
        Ok(())
    }
}

/// What the fake-quant graph of `float` with these parameters and factors computes, as a network of the core, and each value's tensor.
///
/// # Errors
/// As `lower_values`.
pub fn int8(
    float: &FloatGraph,
    program: &Program,
    sources: &[Source],
    params: &Params,
    factors: &[f32],
) -> Result<(Int8Network, Vec<u16>)> {
    let mut float = FloatGraph { params: params.clone(), ..float.clone() };
    for (node, source) in program.nodes().into_iter().zip(sources).filter(|(_, source)| **source != Source::Integers) {
        float.given.values.insert(node, source.at(factors));
    }
    lower_values(&float, &Program::new(&float)?, None, false)
}
