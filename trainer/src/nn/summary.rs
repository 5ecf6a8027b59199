//! What each layer of a network costs.

use super::{Mode, Network};
use crate::Result;
use crate::graph::Shape;
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
        let layers = graph.nodes().iter().filter(|n| !n.inputs.is_empty());
        Ok(layers
            .map(|node| {
                let weights = node.inputs.iter().skip(1).map(|&id| graph.node(id));
                let trainable = weights.filter(|n| matches!(n.op, Op::Parameter(_)) && !n.name.contains(".running_"));
                let macs = match node.op {
                    Op::Conv2d(_) | Op::Dense(_) => {
                        let weight = graph.shape(node.inputs[1]);
                        node.shape.elements() * weight.elements() / weight[0].max(1)
                    }
                    _ => 0,
                };
                LayerSummary {
                    name: node.name.clone(),
                    op: node.op.name(),
                    shape: node.shape[1..].into(),
                    parameters: trainable.map(|n| n.shape.elements()).sum(),
                    macs,
                }
            })
            .collect())
    }
}
