//! What a network costs: parameters, multiply-accumulates, bytes.

use ackermann_core::blob::write::Network as Int8Network;
use ackermann_core::blob::{Layout, keys, write::OperatorKind};
use ackermann_core::ops::Operator;
use serde::Serialize;

use super::quantize::outline;
use super::{arena_lower_bound, load};
use crate::Result;
use crate::nn::Network;

/// A network in figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// Name of the network; empty when the blob has none.
    pub name: String,
    /// Shape of the input, the batch of 1 included.
    pub input: Vec<usize>,
    /// Shape of the output.
    pub output: Vec<usize>,
    /// Multiply-accumulates of one run.
    pub macs: u64,
    /// Weights and biases.
    pub parameters: u64,
    /// Length of the blob.
    pub blob_bytes: usize,
    /// Arena of a session, scratch included.
    pub arena_bytes: usize,
    /// No arena plan could need fewer bytes.
    pub arena_lower_bound: usize,
    /// Keys and values that the blob carries, names of tensors and operators left out.
    pub metadata: Vec<(String, String)>,
    /// The operators in order.
    pub layers: Vec<InspectedLayer>,
}

/// One operator in figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InspectedLayer {
    /// Number of the operator.
    pub index: usize,
    /// Operator.
    pub op: &'static str,
    /// Name of the layer; may be empty.
    pub name: String,
    /// Shape of the output.
    pub shape: Vec<usize>,
    /// Weights and biases.
    pub parameters: u64,
    /// Multiply-accumulates of one run.
    pub macs: u64,
    /// Bytes of constants in the blob.
    pub bytes: usize,
}

/// Inspects a blob, which lies at a 16-byte boundary.
///
/// # Errors
/// What the loader refuses.
pub fn inspect_blob(blob: &[u8]) -> Result<Inspection> {
    let model = load(blob)?;
    let network = Int8Network::from_model(&model);
    let layout = model.steps().find_map(|step| match step.operator {
        Operator::Conv2d(conv) => Some(conv.weighted.layout),
        Operator::FullyConnected(dense) => Some(dense.weighted.layout),
        _ => None,
    });
    let layout = layout.unwrap_or(Layout::Natural);
    let layers: Vec<InspectedLayer> = model
        .steps()
        .zip(&network.operators)
        .enumerate()
        .map(|(index, (step, spec))| InspectedLayer {
            index,
            op: step.operator.opcode().name(),
            name: spec.name.clone(),
            shape: sizes(step.sides.output.shape()),
            parameters: step.operator.parameters(),
            macs: step.operator.macs(&step.sides),
            bytes: constants(&spec.kind),
        })
        .collect();
    Ok(Inspection {
        name: model.metadata().get(keys::NETWORK).unwrap_or_default().into(),
        input: model.input(0).map_or(Vec::new(), |tensor| sizes(tensor.shape())),
        output: model.output(0).map_or(Vec::new(), |tensor| sizes(tensor.shape())),
        macs: model.macs(),
        parameters: layers.iter().map(|layer| layer.parameters).sum(),
        blob_bytes: blob.len(),
        arena_bytes: model.arena_bytes(),
        arena_lower_bound: arena_lower_bound(&network, layout),
        metadata: network.metadata,
        layers,
    })
}

/// Inspects a network that is not trained: the figures of the blob it would make.
///
/// # Errors
/// A layer that the core cannot do.
pub fn inspect_network(network: &Network) -> Result<Inspection> {
    inspect_blob(&outline(network)?)
}

fn sizes(shape: &[u32]) -> Vec<usize> {
    shape.iter().map(|d| *d as usize).collect()
}

/// Weights (natural order), 16 bytes per output channel, tables.
fn constants(kind: &OperatorKind) -> usize {
    match kind {
        OperatorKind::Conv2d { weighted, .. }
        | OperatorKind::DepthwiseConv2d { weighted, .. }
        | OperatorKind::FullyConnected { weighted } => weighted.weights.len() + 16 * weighted.bias.len(),
        OperatorKind::GeneralConv2d(spec) => {
            spec.weights.len().div_ceil(if spec.int4 { 2 } else { 1 }) + 16 * spec.bias.len()
        }
        OperatorKind::LayerNorm(spec) => 6 * spec.gamma.len(),
        OperatorKind::Lut { .. } => 256,
        _ => 0,
    }
}
