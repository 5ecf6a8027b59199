//! What TFLite's reference kernels compute, written from their formulas in wide integers, without looking at the core's
//! kernels: zero points are subtracted where they stand, nothing is folded, nothing is fast.

mod fixed;
mod general;
mod movement;
mod recurrent;

use ackermann_core::blob::write::{Network, OperatorKind, OperatorSpec, Storage, TensorSpec, WeightedSpec};
use ackermann_core::blob::{Activation, Element, Rounding, Window};
use ackermann_core::ops::Add;
use ackermann_core::quantized::Multiplier;

use fixed::{Fixed, exponential, nearest, one_over_one_plus};
pub use general::float_layer_norm;

/// Runs `network`, without a past, on `inputs` and returns every operator's output.
pub fn run(network: &Network, inputs: &[Vec<i8>]) -> Vec<Vec<i8>> {
    Oracle::new(network).run(inputs)
}

/// A network and the bytes of its tensors; those of states stay.
pub struct Oracle<'n> {
    network: &'n Network,
    values: Vec<Vec<i8>>,
}

impl<'n> Oracle<'n> {
    /// No past.
    pub fn new(network: &'n Network) -> Self {
        let content = |tensor: &TensorSpec| match &tensor.storage {
            Storage::Constant(bytes) => bytes.iter().map(|b| *b as i8).collect(),
            Storage::State => vec![tensor.zero_point as i8; tensor.bytes()],
            Storage::Arena => Vec::new(),
        };
        Self { network, values: network.tensors.iter().map(content).collect() }
    }

    /// Every operator's output on `inputs`.
    pub fn run(&mut self, inputs: &[Vec<i8>]) -> Vec<Vec<i8>> {
        for (tensor, value) in self.network.inputs.iter().zip(inputs) {
            self.values[usize::from(*tensor)] = value.clone();
        }
        let mut outputs = Vec::new();
        for spec in &self.network.operators {
            let result = recurrent::run(self.network, spec, &mut self.values).unwrap_or_else(|| {
                let inputs: Vec<&[i8]> =
                    spec.inputs.iter().map(|input| &self.values[usize::from(*input)][..]).collect();
                operator(self.network, spec, &inputs)
            });
            self.values[usize::from(spec.output)] = result.clone();
            outputs.push(result);
        }
        outputs
    }
}

fn operator(network: &Network, spec: &OperatorSpec, inputs: &[&[i8]]) -> Vec<i8> {
    let tensors: Vec<&TensorSpec> = spec.inputs.iter().map(|input| &network.tensors[usize::from(*input)]).collect();
    let (x, input, output) = (inputs[0], tensors[0], &network.tensors[usize::from(spec.output)]);
    match &spec.kind {
        OperatorKind::Conv2d { window, weighted } => conv2d(input, output, window, weighted, x),
        OperatorKind::FullyConnected { weighted } => fully_connected(input, output, weighted, x),
        OperatorKind::MaxPool { window, activation } => {
            pool(input, output, window, *activation, x, |taps| *taps.iter().max().expect("a window has a tap"))
        }
        OperatorKind::AveragePool { window, activation } => pool(input, output, window, *activation, x, |taps| {
            let (sum, count) = (taps.iter().sum::<i64>(), taps.len() as i64);
            // Rounds half away from zero, as the reference does with `acc > 0 ? (acc + n / 2) / n : (acc - n / 2) / n`.
            if sum > 0 { (sum + count / 2) / count } else { (sum - count / 2) / count }
        }),
        OperatorKind::Reshape => x.to_vec(),
        OperatorKind::Lut { table } => x.iter().map(|q| table[(i32::from(*q) + 128) as usize]).collect(),
        OperatorKind::DepthwiseConv2d { window, multiplier, weighted } => {
            depthwise(input, output, window, *multiplier as i64, weighted, x)
        }
        OperatorKind::Softmax(spec) => softmax(input, spec.scale, x),
        OperatorKind::GeneralConv2d(spec) => general::conv2d(input, output, spec, x),
        OperatorKind::BatchMatmul(spec) => general::batch_matmul(&tensors, output, spec, inputs),
        OperatorKind::LayerNorm(spec) => general::layer_norm(output, spec, x),
        kind => movement::run(kind, &tensors, output, inputs).expect("every operator has an oracle"),
    }
}

/// a + sign * b, each in its scale.
fn combined(spec: &Add, [a, b]: [i64; 2], sign: i64, output: &TensorSpec) -> i64 {
    let left = if output.element == Element::Int16 { 15 } else { 20 };
    let sum = by(a << left, spec.inputs[0]) + sign * by(b << left, spec.inputs[1]);
    clamped(by(sum, spec.output) + i64::from(output.zero_point), spec.activation, output)
}

/// int16 is saturated when its bytes are written.
fn clamped(value: i64, activation: Activation, output: &TensorSpec) -> i64 {
    match output.element {
        Element::Int16 => value,
        _ => value.clamp(i64::from(activation.min), i64::from(activation.max)),
    }
}

fn by(x: i64, number: Multiplier) -> i64 {
    scale(x, (number.multiplier, number.shift), Rounding::Double)
}

fn nhwc(tensor: &TensorSpec) -> [i64; 4] {
    std::array::from_fn(|axis| i64::from(tensor.shape[axis]))
}

/// `(real value of 31 fractional bits) * x * 2^shift` as `MultiplyByQuantizedMultiplier` rounds it.
fn scale(x: i64, (multiplier, shift): (i32, i32), rounding: Rounding) -> i64 {
    let floor_div = |a: i128, b: i128| a.div_euclid(b);
    let product = i128::from(x) * i128::from(multiplier);
    match rounding {
        Rounding::Single => floor_div(product * 2 + (1 << (31 - shift)), 1 << (32 - shift)) as i64,
        Rounding::Double => {
            let product = if shift > 0 { product << shift } else { product };
            let nudge = if product >= 0 { 1i128 << 30 } else { 1 - (1i128 << 30) };
            let high = (product + nudge) / (1i128 << 31);
            let divisor = 1i128 << (-shift).max(0);
            let (quotient, remainder) = (high / divisor, high % divisor);
            let away = remainder.abs() * 2 >= divisor && divisor > 1;
            (quotient + if away { high.signum() } else { 0 }) as i64
        }
    }
}

fn finish(sum: i64, o: usize, weighted: &WeightedSpec, output: &TensorSpec) -> i8 {
    let value = scale(sum, weighted.multipliers[o], weighted.rounding) + i64::from(output.zero_point);
    value.max(i64::from(weighted.activation.min)).min(i64::from(weighted.activation.max)) as i8
}

fn conv2d(input: &TensorSpec, output: &TensorSpec, window: &Window, weighted: &WeightedSpec, x: &[i8]) -> Vec<i8> {
    let ([_, h, w, c], [n, oh, ow, oc]) = (nhwc(input), nhwc(output));
    let [kernel, stride, dilation, padding] =
        [window.kernel, window.stride, window.dilation, window.padding].map(|pair| pair.map(|v| v as i64));
    let mut result = Vec::new();
    for b in 0..n {
        for at in 0..oh * ow * oc {
            let (y, column, o) = (at / oc / ow, at / oc % ow, at % oc);
            let mut sum = i64::from(weighted.bias[o as usize]);
            for tap in 0..kernel[0] * kernel[1] * c {
                let (ky, kx, i) = (tap / c / kernel[1], tap / c % kernel[1], tap % c);
                let iy = y * stride[0] - padding[0] + ky * dilation[0];
                let ix = column * stride[1] - padding[1] + kx * dilation[1];
                if (0..h).contains(&iy) && (0..w).contains(&ix) {
                    let q = i64::from(x[(((b * h + iy) * w + ix) * c + i) as usize]) - i64::from(input.zero_point);
                    let weight = weighted.weights[(((o * kernel[0] + ky) * kernel[1] + kx) * c + i) as usize];
                    sum += q * i64::from(weight);
                }
            }
            result.push(finish(sum, o as usize, weighted, output));
        }
    }
    result
}

fn depthwise(
    input: &TensorSpec,
    output: &TensorSpec,
    window: &Window,
    multiplier: i64,
    weighted: &WeightedSpec,
    x: &[i8],
) -> Vec<i8> {
    let ([_, h, w, c], [n, oh, ow, oc]) = (nhwc(input), nhwc(output));
    let [kernel, stride, dilation, padding] =
        [window.kernel, window.stride, window.dilation, window.padding].map(|pair| pair.map(|v| v as i64));
    let mut result = Vec::new();
    for at in 0..n * oh * ow * oc {
        let (b, y, column, o) = (at / oc / ow / oh, at / oc / ow % oh, at / oc % ow, at % oc);
        let mut sum = i64::from(weighted.bias[o as usize]);
        for (tap, weight) in weighted.weights[(o * kernel[0] * kernel[1]) as usize..].iter().enumerate() {
            let (ky, kx) = (tap as i64 / kernel[1], tap as i64 % kernel[1]);
            if ky == kernel[0] {
                break;
            }
            let iy = y * stride[0] - padding[0] + ky * dilation[0];
            let ix = column * stride[1] - padding[1] + kx * dilation[1];
            if (0..h).contains(&iy) && (0..w).contains(&ix) {
                let q = x[(((b * h + iy) * w + ix) * c + o / multiplier) as usize];
                sum += (i64::from(q) - i64::from(input.zero_point)) * i64::from(*weight);
            }
        }
        result.push(finish(sum, o as usize, weighted, output));
    }
    result
}

fn fully_connected(input: &TensorSpec, output: &TensorSpec, weighted: &WeightedSpec, x: &[i8]) -> Vec<i8> {
    let inputs = weighted.weights.len() / weighted.bias.len();
    let mut result = Vec::new();
    for row in x.chunks(inputs) {
        for (o, weights) in weighted.weights.chunks(inputs).enumerate() {
            let products =
                row.iter().zip(weights).map(|(q, w)| (i64::from(*q) - i64::from(input.zero_point)) * i64::from(*w));
            result.push(finish(i64::from(weighted.bias[o]) + products.sum::<i64>(), o, weighted, output));
        }
    }
    result
}

fn pool(
    input: &TensorSpec,
    output: &TensorSpec,
    window: &Window,
    activation: Activation,
    x: &[i8],
    reduce: impl Fn(&[i64]) -> i64,
) -> Vec<i8> {
    let values = movement::numbers(input.element, x);
    let ([_, h, w, c], [n, oh, ow, _]) = (nhwc(input), nhwc(output));
    let inside = |position: i64, axis: usize, limit: i64| {
        let first = position * window.stride[axis] as i64 - window.padding[axis] as i64;
        (first..first + window.kernel[axis] as i64).filter(move |i| (0..limit).contains(i))
    };
    let mut result = Vec::new();
    for at in 0..n * oh * ow * c {
        let (b, y, column, channel) = (at / c / ow / oh, at / c / ow % oh, at / c % ow, at % c);
        let rows = inside(y, 0, h);
        let taps: Vec<i64> = rows
            .flat_map(|iy| inside(column, 1, w).map(move |ix| (((b * h + iy) * w + ix) * c + channel) as usize))
            .map(|at| values[at])
            .collect();
        result.push(clamped(reduce(&taps), activation, output));
    }
    movement::bytes(output.element, &result)
}

fn softmax(tensor: &TensorSpec, number: Multiplier, x: &[i8]) -> Vec<i8> {
    let depth = *tensor.shape.last().expect("a dimension") as usize;
    let lowest = -((31i128 << 26) >> number.shift);
    let power = |q: i8, largest: i8| {
        let difference = i128::from(q) - i128::from(largest);
        let scaled =
            Fixed::<32>::new(difference << number.shift, 5).times(Fixed::new(i128::from(number.multiplier), 0));
        (difference >= lowest).then(|| exponential(scaled))
    };
    let mut result = Vec::new();
    for row in x.chunks(depth) {
        let largest = *row.iter().max().expect("a row");
        let powers: Vec<Option<Fixed<32>>> = row.iter().map(|q| power(*q, largest)).collect();
        let sum: i128 = powers.iter().flatten().map(|e| e.rescaled(12).raw).sum();
        let bits = 127 - sum.leading_zeros() as i32;
        let inverse = one_over_one_plus(Fixed::new((sum << (31 - bits)) - (1 << 31), 0));
        // The sum is 2^(bits - 19) * (1 + fraction).
        let share = |e: &Fixed<32>| nearest(e.times(inverse).raw, 23 + bits - 19) - 128;
        result.extend(powers.iter().map(|e| e.as_ref().map_or(-128, |e| share(e).clamp(-128, 127) as i8)));
    }
    result
}
