//! What each layer of a network costs.

use super::{Mode, Network};
use crate::Result;
use crate::graph::{Graph, Node, Shape};
use crate::ops::Op;

/// One row of `ackermann inspect`.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerSummary {
    /// Name of the layer: `conv1`, `fc2`.
    pub name: String,
    /// Operator: `Conv2d`, `Dense`.
    pub op: &'static str,
    /// Shape of the output for one input, without the batch.
    pub shape: Shape,
    /// Trainable parameters.
    pub parameters: usize,
    /// Multiply-accumulates for one input.
    pub macs: usize,
}

impl Network {
    /// Shape, parameters and multiply-accumulates of each layer that runs in evaluation.
    pub fn summary(&self) -> Result<Vec<LayerSummary>> {
        let graph = self.build(1, Mode::Eval)?.graph;
        let layers =
            graph.nodes().iter().filter(|n| !n.inputs.is_empty() && (!n.name.is_empty() || macs(&graph, n) > 0));
        Ok(layers
            .map(|node| {
                let inputs = node.inputs.iter().map(|&id| graph.node(id));
                let trained = inputs.filter(|n| matches!(n.op, Op::Parameter(_)) && !n.name.contains(".running_"));
                LayerSummary {
                    name: node.name.clone(),
                    op: node.op.name(),
                    shape: node.shape.get(1..).unwrap_or_default().into(),
                    parameters: trained.map(|n| n.shape.elements()).sum(),
                    macs: macs(&graph, node),
                }
            })
            .collect())
    }
}

/// Multiply-accumulates of an operator.
fn macs(graph: &Graph, node: &Node) -> usize {
    let shape = |at: usize| graph.shape(node.inputs[at]);
    let per_output = |weight: &Shape| weight.elements() / weight.first().copied().unwrap_or(1).max(1);
    match node.op {
        Op::Conv2d(_) | Op::GroupedConv2d(_) | Op::DepthwiseConv2d(_) | Op::Dense(_) => {
            node.shape.elements() * per_output(shape(1))
        }
        Op::TransposedConv2d(_) => shape(0).elements() * per_output(shape(1)),
        Op::BatchMatMul(_) => node.shape.elements() * shape(0).last().copied().unwrap_or(1),
        Op::Recurrent(_) => {
            let steps = node.shape.elements() / node.shape.last().copied().unwrap_or(1).max(1);
            steps * (shape(1).elements() + shape(2).elements())
        }
        _ => 0,
    }
}
