//! General convolutions, products of matrices, layer normalization, in numbers that cannot overflow.

use ackermann_core::blob::write::{Network, OperatorKind, TensorSpec};
use ackermann_core::blob::{GeneralSpec, LayerNormSpec, Rounding, Scaling};
use ackermann_core::ops::BatchMatmul;

use super::movement::{bytes, extended, flat, numbers};
use super::{Fixed, scale};

/// As TFLite scales a sum of 64 bits.
fn wide(sum: i64, multiplier: i32, shift: i32) -> i64 {
    let reduced = ((i128::from(multiplier) + 32_768) / 65_536).min(32_767);
    let divisor = 1i128 << (15 - shift);
    (i128::from(sum) * reduced + divisor / 2).div_euclid(divisor) as i64
}

/// Every product is added to the output that it belongs to.
pub fn conv2d(input: &TensorSpec, output: &TensorSpec, spec: &GeneralSpec, x: &[i8]) -> Vec<i8> {
    let values = numbers(input.element, x);
    let outputs = spec.bias.len();
    let [kh, kw] = spec.window.kernel;
    let read = spec.weights.len() / outputs / kh / kw * spec.groups;
    let image = |tensor: &TensorSpec, channels: usize| match (kh * kw, tensor.shape.len()) {
        (1, 1..=3) => [tensor.elements() / channels, 1, 1, channels],
        _ => extended(tensor).map(|d| d as usize),
    };
    let ([n, h, w, _], [_, oh, ow, _]) = (image(input, read), image(output, outputs));
    let per_group = [read / spec.groups, outputs / spec.groups];
    let mut sums: Vec<i64> = (0..n * oh * ow * outputs).map(|at| spec.bias[at % outputs]).collect();
    // Where tap k of the window at `position` of the smaller side lies on the larger side.
    let along = |axis: usize, position: usize, k: usize| {
        (position * spec.window.stride[axis] + k * spec.window.dilation[axis]) as i64 - spec.window.padding[axis] as i64
    };
    let [(small_h, small_w), (large_h, large_w)] =
        if spec.transposed { [(h, w), (oh, ow)] } else { [(oh, ow), (h, w)] };
    for place in 0..n * small_h * small_w * kh * kw {
        let (b, y, sx) =
            (place / (small_h * small_w * kh * kw), place / (small_w * kh * kw) % small_h, place / (kh * kw) % small_w);
        let (ky, kx) = (place / kw % kh, place % kw);
        let (ly, lx) = (along(0, y, ky), along(1, sx, kx));
        if !(0..large_h as i64).contains(&ly) || !(0..large_w as i64).contains(&lx) {
            continue;
        }
        let [small, large] = [(b * small_h + y) * small_w + sx, (b * large_h + ly as usize) * large_w + lx as usize];
        let (from, to) = if spec.transposed { (small, large) } else { (large, small) };
        for o in 0..outputs {
            for i in 0..per_group[0] {
                let channel = o / per_group[1] * per_group[0] + i;
                let weight = spec.weights[((o * kh + ky) * kw + kx) * per_group[0] + i];
                sums[to * outputs + o] +=
                    (values[from * read + channel] - i64::from(input.zero_point)) * i64::from(weight);
            }
        }
    }
    let finished = sums.iter().enumerate().map(|(at, sum)| {
        let (multiplier, shift) = spec.multipliers[at % outputs];
        let scaled = match spec.scaling {
            Scaling::Double => scale(*sum, (multiplier, shift), Rounding::Double),
            Scaling::Single => scale(*sum, (multiplier, shift), Rounding::Single),
            Scaling::Wide => wide(*sum, multiplier, shift),
        };
        (scaled + i64::from(output.zero_point)).clamp(i64::from(spec.range[0]), i64::from(spec.range[1]))
    });
    bytes(output.element, &finished.collect::<Vec<_>>())
}

/// One sum after the other.
pub fn batch_matmul(tensors: &[&TensorSpec], output: &TensorSpec, spec: &BatchMatmul, x: &[&[i8]]) -> Vec<i8> {
    let shapes = [extended(tensors[0]), extended(tensors[1])];
    let read = |side: usize, place: [i64; 2], row: i64, column: i64| {
        let [a, b, ..] = shapes[side];
        let [row, column] = if spec.adjoint[side] { [column, row] } else { [row, column] };
        let at = [place[0].min(a - 1), place[1].min(b - 1), row, column];
        i64::from(x[side][flat(shapes[side], at)]) - i64::from(tensors[side].zero_point)
    };
    let inner = shapes[0][if spec.adjoint[0] { 2 } else { 3 }];
    let [a, b, rows, columns] = extended(output);
    let mut result = Vec::new();
    for at in 0..a * b * rows * columns {
        let (place, y, x) = ([at / columns / rows / b, at / columns / rows % b], at / columns % rows, at % columns);
        let sum = (0..inner).map(|i| read(0, place, y, i) * read(1, place, i, x)).sum();
        let scaled = scale(sum, (spec.scale.multiplier, spec.scale.shift), Rounding::Double);
        result.push((scaled + i64::from(output.zero_point)).clamp(-128, 127) as i8);
    }
    result
}

/// 2^31 / sqrt(x) times 2^`right`, as `GetInvSqrtQuantizedMultiplierExp` describes it.
fn inverse_sqrt(x: i128) -> (i128, i32) {
    if x <= 1 {
        return (i128::from(i32::MAX), 0);
    }
    let (mut x, mut right) = (x, 11);
    while x >= 1 << 29 {
        (x, right) = (x / 4, right + 1);
    }
    while x < 1 << 27 {
        (x, right) = (x * 4, right - 1);
    }
    let x = Fixed::<32>::new(x >> 1, 3);
    let (half, three_halves) = (x.over(1), Fixed::new(3 << 27, 3));
    let mut y = Fixed::new(1 << 28, 3);
    for _ in 0..5 {
        let cube = y.times(y).times(y).rescaled(3);
        let product = half.times(cube);
        y = three_halves.times(y).plus(Fixed::new(-product.raw, product.bits)).rescaled(3);
    }
    let root = Fixed::new((2f64.sqrt() / 2.0 * f64::from(1u32 << 31)).round() as i128, 0);
    (y.times(root).raw << (-right).max(0), right.max(0))
}

/// Row by row.
pub fn layer_norm(output: &TensorSpec, spec: &LayerNormSpec, x: &[i8]) -> Vec<i8> {
    let depth = spec.gamma.len();
    let mut result = Vec::new();
    for row in x.chunks(depth) {
        let (n, q) = (depth as i128, |at: usize| i128::from(row[at]));
        let sum: i128 = (0..depth).map(q).sum();
        let squares: i128 = (0..depth).map(|at| q(at) * q(at)).sum();
        let (mut v, mut fours) = (n * squares - sum * sum + i128::from(spec.epsilon), 0);
        while v > i128::from(i32::MAX) {
            (v, fours) = (v / 4, fours + 1);
        }
        let (multiplier, right) = inverse_sqrt(v);
        for at in 0..depth {
            let divisor = 1i128 << (19 + right + fours);
            let r = ((n * q(at) - sum) * multiplier + divisor / 2).div_euclid(divisor);
            let sum = r * i128::from(spec.gamma[at]) + i128::from(spec.beta[at]);
            let scaled = wide(sum as i64, spec.scale.multiplier, spec.scale.shift);
            result.push((scaled + i64::from(output.zero_point)).clamp(-128, 127) as i8);
        }
    }
    result
}

/// What a network of one layer normalization would give without rounding, in steps of its output, not clamped.
pub fn float_layer_norm(network: &Network, x: &[i8]) -> Vec<f64> {
    let OperatorKind::LayerNorm(spec) = &network.operators[0].kind else { panic!("no layer normalization") };
    let depth = spec.gamma.len();
    let step = f64::from(spec.scale.multiplier) * 2f64.powi(spec.scale.shift - 31);
    let mut result = Vec::new();
    for row in x.chunks(depth) {
        let mean = row.iter().map(|q| f64::from(*q)).sum::<f64>() / depth as f64;
        let variance = row.iter().map(|q| (f64::from(*q) - mean).powi(2)).sum::<f64>() / depth as f64;
        let root = (variance + spec.epsilon as f64 / (depth as f64).powi(2)).sqrt();
        for ((q, gamma), beta) in row.iter().zip(&spec.gamma).zip(&spec.beta) {
            let normal = (f64::from(*q) - mean) / root;
            let value = (normal * 4096.0 * f64::from(*gamma) + f64::from(*beta)) * step;
            result.push(value + f64::from(network.tensors[1].zero_point));
        }
    }
    result
}
