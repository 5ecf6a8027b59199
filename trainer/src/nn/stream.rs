//! A network that goes along with a sequence: one step in each run, the states of recurrent layers handed on by who runs it.

use super::{Mode, Network};
use crate::Result;
use crate::graph::{Graph, NodeId};
use crate::ops::Op;

/// The graph of one step.
#[derive(Debug, Clone)]
pub struct Stream {
    /// The graph.
    pub graph: Graph,
    /// Input node: what one step of a sequence holds, behind a batch of 1.
    pub input: NodeId,
    /// Output node.
    pub output: NodeId,
    /// Input node of each state, zeros before the first step, and the node of its value for the next step.
    pub states: Vec<(NodeId, NodeId)>,
}

impl Network {
    /// The graph of one step of its sequences. Errors name the layer that needs more than the steps so far.
    pub fn stream(&self) -> Result<Stream> {
        let built = self.build(1, Mode::Step)?;
        let (mut graph, mut states, mut places) = (Graph::new(), Vec::new(), Vec::<NodeId>::new());
        for node in built.graph.nodes() {
            let inputs: Vec<NodeId> = node.inputs.iter().map(|input| places[input.index()]).collect();
            places.push(match &node.op {
                Op::Input(_) => graph.input(&node.name, node.shape.clone()),
                Op::Parameter(_) => graph.param(&node.name, node.shape.clone()),
                Op::Recurrent(layer) => {
                    let units = node.shape.elements();
                    let before = ["state", "cell"].map(|of| graph.input(&format!("{}.{of}", node.name), [1, units]));
                    let after = layer.step(&mut graph, &inputs, before)?;
                    // What has no cell hands on what it was given.
                    states.extend(before.into_iter().zip(after).filter(|(before, after)| before != after));
                    graph.reshape(after[0], node.shape.clone())?
                }
                op => graph.push_named(&node.name, op.clone(), &inputs)?,
            });
        }
        let [input, output] = [built.input, built.output].map(|node| places[node.index()]);
        Ok(Stream { graph, input, output, states })
    }
}
