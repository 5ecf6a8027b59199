//! Operators that move elements or combine them one by one: every output element from its index, one at a time.

use ackermann_core::blob::Element;
use ackermann_core::blob::write::{OperatorKind, TensorSpec};
use ackermann_core::ops::{Argmax, ResizeBilinear};

use super::{by, clamped, combined};

/// The shape with ones in front.
pub(super) fn extended(tensor: &TensorSpec) -> [i64; 4] {
    let mut shape = [1; 4];
    let first = 4 - tensor.shape.len();
    for (axis, d) in tensor.shape.iter().enumerate() {
        shape[first + axis] = i64::from(*d);
    }
    shape
}

fn index(shape: [i64; 4], mut flat: i64) -> [i64; 4] {
    let mut index = [0; 4];
    for axis in (0..4).rev() {
        index[axis] = flat % shape[axis];
        flat /= shape[axis];
    }
    index
}

pub(super) fn flat(shape: [i64; 4], index: [i64; 4]) -> usize {
    (0..4).fold(0, |flat, axis| {
        assert!((0..shape[axis]).contains(&index[axis]), "{index:?} of {shape:?}");
        flat * shape[axis] + index[axis]
    }) as usize
}

/// Elements as numbers, and numbers as the bytes of elements (saturated).
pub(super) fn numbers(element: Element, bytes: &[i8]) -> Vec<i64> {
    let raw: Vec<u8> = bytes.iter().map(|b| *b as u8).collect();
    match element {
        Element::Int8 => bytes.iter().map(|b| i64::from(*b)).collect(),
        Element::Int16 => raw.as_chunks::<2>().0.iter().map(|b| i64::from(i16::from_le_bytes(*b))).collect(),
        Element::Int32 => raw.as_chunks::<4>().0.iter().map(|b| i64::from(i32::from_le_bytes(*b))).collect(),
    }
}

pub(super) fn bytes(element: Element, numbers: &[i64]) -> Vec<i8> {
    let bits = 8 * element.bytes() as u32;
    let (low, high) = (-(1i64 << (bits - 1)), (1i64 << (bits - 1)) - 1);
    let le = numbers.iter().flat_map(|n| n.clamp(&low, &high).to_le_bytes().into_iter().take(element.bytes()));
    le.map(|b| b as i8).collect()
}

/// The output of one of these operators; `None` for all others.
pub fn run(kind: &OperatorKind, tensors: &[&TensorSpec], output: &TensorSpec, inputs: &[&[i8]]) -> Option<Vec<i8>> {
    let values: Vec<Vec<i64>> = tensors.iter().zip(inputs).map(|(t, b)| numbers(t.element, b)).collect();
    let shapes: Vec<[i64; 4]> = tensors.iter().map(|t| extended(t)).collect();
    let whole = extended(output);
    let element = |at: [i64; 4]| element(kind, tensors, output, &values, &shapes, at);
    let count = whole.iter().product::<i64>();
    let all: Option<Vec<i64>> = (0..count).map(|at| element(index(whole, at))).collect();
    Some(bytes(output.element, &all?))
}

fn element(
    kind: &OperatorKind,
    tensors: &[&TensorSpec],
    output: &TensorSpec,
    values: &[Vec<i64>],
    shapes: &[[i64; 4]],
    at: [i64; 4],
) -> Option<i64> {
    let zero = |side: usize| i64::from(tensors[side].zero_point);
    let out_zero = i64::from(output.zero_point);
    let read = |side: usize, at: [i64; 4]| values[side][flat(shapes[side], at)];
    let broadcast = |side: usize| read(side, std::array::from_fn(|d| if shapes[side][d] == 1 { 0 } else { at[d] }));
    let with = |axis: usize, i: i64| std::array::from_fn(|d| if d == axis { i } else { at[d] });
    let int8 = |x: i64| x.clamp(-128, 127);
    Some(match kind {
        OperatorKind::Add(sum) => combined(sum, [broadcast(0) - zero(0), broadcast(1) - zero(1)], 1, output),
        OperatorKind::Sub(sub) => combined(&sub.0, [broadcast(0) - zero(0), broadcast(1) - zero(1)], -1, output),
        OperatorKind::Mul(mul) => {
            let product = (broadcast(0) - zero(0)) * (broadcast(1) - zero(1));
            clamped(by(product, mul.output) + out_zero, mul.activation, output)
        }
        OperatorKind::Prelu(prelu) => {
            let (x, slope) = (broadcast(0) - zero(0), broadcast(1) - zero(1));
            int8(out_zero + if x >= 0 { by(x, prelu.identity) } else { by(x * slope, prelu.slope) })
        }
        OperatorKind::Requantize(requantize) => {
            let [low, high] = requantize.range.map(i64::from);
            (by(read(0, at) - zero(0), requantize.scale) + out_zero).clamp(low, high)
        }
        OperatorKind::Transpose(transpose) => {
            let mut from = [0; 4];
            (0..4).for_each(|d| from[transpose.order[d]] = at[d]);
            read(0, from)
        }
        OperatorKind::StridedSlice(slice) => {
            read(0, std::array::from_fn(|d| slice.begin[d] as i64 + at[d] * slice.step[d] as i64))
        }
        OperatorKind::Pad(pad) => {
            let from: [i64; 4] = std::array::from_fn(|d| at[d] - pad.before[d] as i64);
            let inside = (0..4).all(|d| (0..shapes[0][d]).contains(&from[d]));
            if inside { read(0, from) } else { i64::from(pad.value) }
        }
        OperatorKind::Concat(concat) => {
            let (mut side, mut i) = (0, at[concat.axis]);
            while i >= shapes[side][concat.axis] {
                i -= shapes[side][concat.axis];
                side += 1;
            }
            read(side, with(concat.axis, i))
        }
        OperatorKind::ResizeNearest { table } => {
            let (y, x) = (at[1] as usize, extended(output)[1] as usize + at[2] as usize);
            read(0, [at[0], i64::from(table[y]), i64::from(table[x]), at[3]])
        }
        OperatorKind::ResizeBilinear(resize) => bilinear(resize, shapes[0], at, |y, x| read(0, [at[0], y, x, at[3]])),
        OperatorKind::Mean(mean) => {
            let sum = sum_onto(mean.over, shapes[0], extended(output), at, |from| read(0, from) - zero(0));
            int8(by(sum, mean.scale) + out_zero)
        }
        OperatorKind::Argmax(argmax) => place_of_best(argmax, shapes[0], &values[0], extended(output), at),
        OperatorKind::Gather(gather) => picked(gather.axis, shapes[0], values, extended(output), at),
        _ => return None,
    })
}

/// Sum of all that falls onto `at` when the dimensions `over` shrink to one.
fn sum_onto(over: [bool; 4], shape: [i64; 4], output: [i64; 4], at: [i64; 4], value: impl Fn([i64; 4]) -> i64) -> i64 {
    let shape_of_kept = std::array::from_fn(|d| if over[d] { 1 } else { shape[d] });
    let falls_here = |from: [i64; 4]| {
        let kept = std::array::from_fn(|d| if over[d] { 0 } else { from[d] });
        flat(shape_of_kept, kept) == flat(output, at)
    };
    (0..shape.iter().product::<i64>()).map(|i| index(shape, i)).filter(|from| falls_here(*from)).map(value).sum()
}

fn place_of_best(argmax: &Argmax, shape: [i64; 4], values: &[i64], output: [i64; 4], at: [i64; 4]) -> i64 {
    let [outer, inner] = around(shape, argmax.axis);
    let (length, place) = (shape[argmax.axis], flat(output, at) as i64);
    assert_eq!(outer * inner, output.iter().product::<i64>());
    let value = |i: i64| values[((place / inner * length + i) * inner + place % inner) as usize];
    let better = |a: i64, b: i64| if argmax.smallest { a < b } else { a > b };
    (1..length).fold(0, |best, i| if better(value(i), value(best)) { i } else { best })
}

/// Of the first values what the second say, along `axis`.
fn picked(axis: usize, shape: [i64; 4], values: &[Vec<i64>], output: [i64; 4], at: [i64; 4]) -> i64 {
    let [_, inner] = around(shape, axis);
    let (length, picks) = (shape[axis], &values[1]);
    let (place, count) = (flat(output, at) as i64, picks.len() as i64);
    let (outer, pick, i) = (place / inner / count, place / inner % count, place % inner);
    let pick = picks[pick as usize].clamp(0, length - 1);
    values[0][((outer * length + pick) * inner + i) as usize]
}

/// Numbers of elements before and after `axis`.
fn around(shape: [i64; 4], axis: usize) -> [i64; 2] {
    [shape[..axis].iter().product(), shape[axis + 1..].iter().product()]
}

/// As `ResizeBilinearInteger` has it: 10 fractional bits.
fn bilinear(resize: &ResizeBilinear, shape: [i64; 4], at: [i64; 4], read: impl Fn(i64, i64) -> i64) -> i64 {
    let place = |axis: usize| {
        let scale = i64::from(resize.scale[axis]);
        let half = if resize.half_pixel_centers { scale / 2 - 512 } else { 0 };
        let (place, last) = (at[axis + 1] * scale + half, shape[axis + 1] - 1);
        let (below, above) = ((place / 1024).max(0), ((place + 1023) / 1024).min(last));
        (below.min(last), above.max(0), place - 1024 * below.min(last))
    };
    let ((top, bottom, v), (left, right, u)) = (place(0), place(1));
    let sum = read(top, left) * (1024 - v) * (1024 - u)
        + read(top, right) * (1024 - v) * u
        + read(bottom, left) * v * (1024 - u)
        + read(bottom, right) * v * u;
    ((sum + if sum > 0 { 1 << 19 } else { -(1 << 19) }) / (1 << 20)).clamp(-128, 127)
}
