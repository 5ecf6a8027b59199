//! The parameters of operators that consist of numbers alone, in the order their `decode` reads them.

use std::vec::Vec;

use super::Activation;
use super::write::OperatorKind;
use crate::quantized::Multiplier;

/// Parameters of `kind`; none for operators with a window or constants, which `pack` writes; of recurrent operators those of
/// the cell.
pub(super) fn parameters(kind: &OperatorKind) -> Vec<i32> {
    match kind {
        OperatorKind::Add(add) => sum(add),
        OperatorKind::Sub(sub) => sum(&sub.0),
        OperatorKind::Mul(mul) => [number(mul.output), range(mul.activation)].concat(),
        OperatorKind::Prelu(prelu) => [number(prelu.identity), number(prelu.slope)].concat(),
        OperatorKind::Softmax(softmax) => number(softmax.scale).to_vec(),
        OperatorKind::Requantize(requantize) => [number(requantize.scale), requantize.range].concat(),
        OperatorKind::Concat(concat) => vec![size(concat.axis)],
        OperatorKind::BatchMatmul(matmul) => [matmul.adjoint.map(i32::from), number(matmul.scale)].concat(),
        OperatorKind::Gather(gather) => vec![size(gather.axis)],
        OperatorKind::Argmax(argmax) => vec![size(argmax.axis), i32::from(argmax.smallest)],
        OperatorKind::Transpose(transpose) => transpose.order.map(size).to_vec(),
        OperatorKind::StridedSlice(slice) => [slice.begin.map(size), slice.step.map(step)].concat(),
        OperatorKind::Pad(pad) => [&pad.before.map(size)[..], &[i32::from(pad.value)]].concat(),
        OperatorKind::Mean(mean) => [&mean.over.map(i32::from)[..], &number(mean.scale)].concat(),
        OperatorKind::ResizeBilinear(resize) => {
            vec![resize.scale[0], resize.scale[1], i32::from(resize.half_pixel_centers)]
        }
        OperatorKind::Lstm { cell, .. } => {
            [[size(cell.integer_bits as usize), i32::from(cell.clip)], number(cell.output)].concat()
        }
        OperatorKind::Gru { output, .. } => number(*output).to_vec(),
        OperatorKind::Rnn { cell, .. } => [&[cell.function as i32], &number(cell.output)[..]].concat(),
        _ => Vec::new(),
    }
}

fn sum(add: &crate::ops::Add) -> Vec<i32> {
    let [a, b] = add.inputs;
    [number(a), number(b), number(add.output), range(add.activation)].concat()
}

fn number(number: Multiplier) -> [i32; 2] {
    [number.multiplier, number.shift]
}

fn range(activation: Activation) -> [i32; 2] {
    [i32::from(activation.min), i32::from(activation.max)]
}

/// What does not fit becomes what the loader refuses.
fn size(value: usize) -> i32 {
    i32::try_from(value).unwrap_or(-1)
}

fn step(value: isize) -> i32 {
    i32::try_from(value).unwrap_or(0)
}
