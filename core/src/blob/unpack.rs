//! From bytes back to a [`Network`], so that a blob can be written again for another machine.

use std::string::String;

use super::format::Channel;
use super::write::{Network, OperatorKind, OperatorSpec, RecurrentSpec, Storage, TensorSpec, WeightedSpec, WriteError};
use super::{AlignedBytes, GeneralSpec, LayerNormSpec, Layout, Place, Quads, Target, keys, received};
use crate::Model;
use crate::ops::{AveragePool, DepthwiseConv2d, MaxPool, Operator, Recurrent, Sides, Weighted, gru, lstm};

/// The same network with its weights in the order for `target` (and the scratch that goes with it). A signature is dropped: it signs
/// other bytes.
///
/// # Errors
/// [`WriteError::Refused`] when [`received`] refuses the blob. `blob` may lie at any address.
pub fn repack(blob: &[u8], target: impl Into<Target>) -> Result<AlignedBytes, WriteError> {
    let blob = AlignedBytes::copy_of(blob);
    Network::from_model(&received(&blob).map_err(WriteError::Refused)?).to_bytes(target)
}

impl Network {
    /// What the model was written from: natural weights, biases unfolded.
    pub fn from_model(model: &Model<'_>) -> Self {
        let is_name = |key: &str| key.starts_with(keys::TENSOR) || key.starts_with(keys::OPERATOR);
        let owned = |(key, value): (&str, &str)| (String::from(key), String::from(value));
        Self {
            tensors: (0u16..).zip(model.tensors()).map(|(index, _)| tensor(model, index)).collect(),
            operators: (0u16..).take(model.operators()).filter_map(|index| operator(model, index)).collect(),
            inputs: model.inputs().to_vec(),
            outputs: model.outputs().to_vec(),
            metadata: model.metadata().filter(|(key, _)| !is_name(key)).map(owned).collect(),
        }
    }
}

fn tensor(model: &Model<'_>, index: u16) -> TensorSpec {
    let tensor = &model.tensors()[usize::from(index)];
    TensorSpec {
        shape: tensor.shape().to_vec(),
        scale: tensor.scale(),
        zero_point: tensor.zero_point(),
        element: tensor.element(),
        arena_offset: if tensor.place() == Place::Constant { 0 } else { tensor.offset },
        storage: match tensor.place() {
            Place::Arena => Storage::Arena,
            Place::State => Storage::State,
            Place::Constant => Storage::Constant(model.constants()[tensor.range()].to_vec()),
        },
        name: model.tensor_name(index).unwrap_or_default().into(),
    }
}

fn operator(model: &Model<'_>, index: u16) -> Option<OperatorSpec> {
    let step = model.step(usize::from(index))?;
    let (inputs, output) = model.operands(usize::from(index))?;
    let kind = match step.operator {
        Operator::Conv2d(conv) => OperatorKind::Conv2d {
            window: conv.window,
            weighted: weighted(&conv.weighted, conv.quads(), conv.window.kernel, step.sides),
        },
        Operator::DepthwiseConv2d(conv) => OperatorKind::DepthwiseConv2d {
            window: conv.window,
            multiplier: conv.multiplier,
            weighted: depthwise(&conv, step.sides),
        },
        Operator::FullyConnected(dense) => {
            OperatorKind::FullyConnected { weighted: weighted(&dense.weighted, dense.quads(), [1, 1], step.sides) }
        }
        Operator::MaxPool(MaxPool(p)) => OperatorKind::MaxPool { window: p.window, activation: p.activation },
        Operator::AveragePool(AveragePool(p)) => {
            OperatorKind::AveragePool { window: p.window, activation: p.activation }
        }
        Operator::Reshape(_) => OperatorKind::Reshape,
        Operator::Lut(lut) => OperatorKind::Lut { table: *lut.table },
        Operator::Add(add) => OperatorKind::Add(add),
        Operator::Softmax(softmax) => OperatorKind::Softmax(softmax),
        Operator::Sub(it) => OperatorKind::Sub(it),
        Operator::Mul(it) => OperatorKind::Mul(it),
        Operator::Concat(it) => OperatorKind::Concat(it),
        Operator::StridedSlice(it) => OperatorKind::StridedSlice(it),
        Operator::Pad(it) => OperatorKind::Pad(it),
        Operator::Transpose(it) => OperatorKind::Transpose(it),
        Operator::Mean(it) => OperatorKind::Mean(it),
        Operator::ResizeBilinear(it) => OperatorKind::ResizeBilinear(it),
        Operator::Prelu(it) => OperatorKind::Prelu(it),
        Operator::Argmax(it) => OperatorKind::Argmax(it),
        Operator::Gather(it) => OperatorKind::Gather(it),
        Operator::Requantize(it) => OperatorKind::Requantize(it),
        Operator::Lstm(it) => {
            OperatorKind::Lstm { gates: recurrent(&it.recurrent, lstm::GATES, step.sides), cell: it.cell }
        }
        Operator::Gru(it) => {
            OperatorKind::Gru { gates: recurrent(&it.recurrent, gru::GATES, step.sides), output: it.output }
        }
        Operator::Rnn(it) => OperatorKind::Rnn { gates: recurrent(&it.recurrent, 1, step.sides), cell: it.cell },
        Operator::BatchMatmul(it) => OperatorKind::BatchMatmul(it),
        Operator::GeneralConv2d(it) => OperatorKind::GeneralConv2d(GeneralSpec::unpack(&it, step.sides.input)),
        Operator::LayerNorm(it) => OperatorKind::LayerNorm(LayerNormSpec::unpack(&it)),
        Operator::ResizeNearest(resize) => OperatorKind::ResizeNearest { table: resize.table.to_vec() },
    };
    let name = model.operator_name(index).unwrap_or_default().into();
    Some(OperatorSpec { inputs: inputs.to_vec(), output, kind, name })
}

fn weighted(from: &Weighted<'_>, quads: Quads, kernel: [usize; 2], sides: Sides<'_>) -> WeightedSpec {
    let Quads { rows, row } = quads;
    let weight = |at: usize| {
        let taps = rows * row;
        let tap = from.layout.tap(kernel, taps / (kernel[0] * kernel[1]), at % taps);
        from.weight(quads, [at / taps, tap / row, tap % row])
    };
    let doubled = from.layout == Layout::DspWide;
    let weights = (0..from.channels.len() * rows * row).map(|at| (weight(at) >> i32::from(doubled)) as i8).collect();
    unfolded(from, weights, rows * row, sides)
}

fn recurrent(from: &Recurrent<'_>, gates: usize, sides: Sides<'_>) -> RecurrentSpec {
    RecurrentSpec::unpack(from, gates, [sides.input, sides.output].map(|tensor| tensor.zero_point()))
}

fn depthwise(conv: &DepthwiseConv2d<'_>, sides: Sides<'_>) -> WeightedSpec {
    let (taps, outputs) = (conv.taps(), conv.weighted.channels.len());
    let weights = (0..taps * outputs).map(|at| conv.weighted.weights[at % taps * outputs + at / taps]).collect();
    unfolded(&conv.weighted, weights, taps, sides)
}

/// The zero point taken out of the biases again.
fn unfolded(from: &Weighted<'_>, weights: Vec<i8>, taps: usize, sides: Sides<'_>) -> WeightedSpec {
    let channels: Vec<Channel> = from.channels.iter().filter_map(|stored| from.layout.channel(*stored)).collect();
    let unfold = |(weights, channel): (&[i8], &Channel)| {
        let sum: i32 = weights.iter().map(|w| i32::from(*w)).sum();
        channel.bias.wrapping_add(sides.input.zero_point().wrapping_mul(sum))
    };
    WeightedSpec {
        bias: weights.chunks_exact(taps).zip(&channels).map(unfold).collect(),
        multipliers: channels.iter().map(|c| (c.multiplier, c.shift)).collect(),
        weights,
        rounding: from.rounding,
        activation: from.activation,
    }
}
