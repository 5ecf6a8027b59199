//! Networks of one operator, or of a few, made from small numbers: every shape that a kernel could get wrong.

mod general;
mod movement;
mod recurrent;

use ackermann_core::blob::write::{Network, OperatorKind, OperatorSpec, TensorSpec, WeightedSpec};
use ackermann_core::blob::{Activation, Rounding, Window};
use ackermann_core::ops::{Add, Softmax};
use ackermann_core::quantized::Multiplier;

pub use general::{Form, batch_matmul, general_conv2d, general_matrix, layer_norm, pool_int16};
pub use movement::{Movement, movement};
pub use recurrent::{Recurrence, Sequence, recurrent};

/// A small linear congruential generator: cases are equal on every machine and need no dependency.
#[derive(Debug, Clone)]
pub struct Numbers(pub u64);

impl Numbers {
    /// The next number in `low..=high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        low + ((self.0 >> 33) as i64) % (high - low + 1)
    }

    /// `count` int8 values; one in eight is an extreme.
    pub fn bytes(&mut self, count: usize) -> Vec<i8> {
        let value = |numbers: &mut Self| match numbers.between(0, 15) {
            0 => -128,
            1 => 127,
            _ => numbers.between(-128, 127) as i8,
        };
        (0..count).map(|_| value(self)).collect()
    }

    /// Weights are symmetric: -127 to 127.
    pub fn weights(&mut self, count: usize) -> Vec<i8> {
        self.bytes(count).into_iter().map(|w| w.max(-127)).collect()
    }
}

/// How the border is treated, as in TensorFlow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Border {
    /// Windows lie inside the input.
    Valid,
    /// As many outputs as strides fit into the input; padding is split, the smaller half before.
    Same,
}

/// TensorFlow's output length and padding before, for one axis.
pub fn border(border: Border, input: usize, kernel: usize, stride: usize, dilation: usize) -> Option<(usize, usize)> {
    let extent = (kernel - 1) * dilation + 1;
    match border {
        Border::Valid => Some((input.checked_sub(extent)? / stride + 1, 0)),
        Border::Same => {
            let output = input.div_ceil(stride);
            Some((output, ((output - 1) * stride + extent).saturating_sub(input) / 2))
        }
    }
}

/// The sizes of a sliding operator.
#[derive(Debug, Clone, Copy)]
pub struct Sliding {
    /// Batch, height, width, channels.
    pub input: [usize; 4],
    /// Channels of the output.
    pub channels: usize,
    /// Height, width.
    pub kernel: [usize; 2],
    /// Height, width.
    pub stride: [usize; 2],
    /// Height, width.
    pub dilation: [usize; 2],
    /// Both axes.
    pub border: Border,
}

impl Sliding {
    /// Output shape and window; `None` where the window is larger than the input.
    pub fn resolve(&self) -> Option<([usize; 4], Window)> {
        let axis = |i: usize| border(self.border, self.input[i + 1], self.kernel[i], self.stride[i], self.dilation[i]);
        let ((oh, top), (ow, left)) = (axis(0)?, axis(1)?);
        let Self { kernel, stride, dilation, .. } = *self;
        let window = Window { kernel, stride, dilation, padding: [top, left] };
        Some(([self.input[0], oh, ow, self.channels], window))
    }
}

/// Random requantization of `outputs` channels with `taps` weights each, such that outputs spread over int8.
pub fn weighted(numbers: &mut Numbers, outputs: usize, taps: usize, rounding: Rounding, extreme: bool) -> WeightedSpec {
    let spread = (taps as f64).sqrt() * 74.0 * 74.0 / 60.0;
    let multiplier = |numbers: &mut Numbers| {
        let (multiplier, shift) = ackermann_core::quantized::quantize_multiplier(1.0 / spread);
        let jitter = numbers.between(0, i64::from(i32::MAX - multiplier)) as i32;
        if extreme { (multiplier + jitter, numbers.between(-31, 2) as i32) } else { (multiplier + jitter, shift) }
    };
    let min = if numbers.between(0, 2) == 0 { numbers.between(-128, 0) as i8 } else { -128 };
    let max = if numbers.between(0, 2) == 0 { numbers.between(0, 127) as i8 } else { 127 };
    WeightedSpec {
        weights: numbers.weights(outputs * taps),
        bias: (0..outputs).map(|_| numbers.between(-9000, 9000) as i32).collect(),
        multipliers: (0..outputs).map(|_| multiplier(numbers)).collect(),
        rounding,
        activation: Activation { min, max },
    }
}

fn zero_point(numbers: &mut Numbers) -> i32 {
    match numbers.between(0, 4) {
        0 => -128,
        1 => 127,
        _ => numbers.between(-128, 127) as i32,
    }
}

fn tensor(shape: &[usize], zero_point: i32, arena_offset: usize) -> TensorSpec {
    TensorSpec {
        shape: shape.iter().map(|d| *d as u32).collect(),
        scale: 0.05,
        zero_point,
        arena_offset: arena_offset as u32,
        ..TensorSpec::default()
    }
}

/// A network of one operator.
pub fn single(input: &[usize], output: &[usize], zero_points: [i32; 2], kind: OperatorKind) -> Network {
    let second = input.iter().product::<usize>().next_multiple_of(16);
    Network {
        tensors: vec![tensor(input, zero_points[0], 0), tensor(output, zero_points[1], second)],
        operators: vec![OperatorSpec { inputs: vec![0], output: 1, kind, name: String::new() }],
        inputs: vec![0],
        outputs: vec![1],
        metadata: vec![],
    }
}

/// A convolution with random numbers.
pub fn conv2d(sliding: &Sliding, seed: u64, extreme: bool) -> Option<Network> {
    let mut numbers = Numbers(seed);
    let (output, window) = sliding.resolve()?;
    let taps = sliding.kernel[0] * sliding.kernel[1] * sliding.input[3];
    let weighted = weighted(&mut numbers, sliding.channels, taps, Rounding::Double, extreme);
    let zero_points = [zero_point(&mut numbers), zero_point(&mut numbers)];
    Some(single(&sliding.input, &output, zero_points, OperatorKind::Conv2d { window, weighted }))
}

/// A depthwise convolution with random numbers, `multiplier` outputs per input channel.
pub fn depthwise_conv2d(sliding: &Sliding, multiplier: usize, seed: u64, extreme: bool) -> Option<Network> {
    let mut numbers = Numbers(seed);
    let sliding = Sliding { channels: sliding.input[3] * multiplier, ..*sliding };
    let (output, window) = sliding.resolve()?;
    let taps = sliding.kernel[0] * sliding.kernel[1];
    let weighted = weighted(&mut numbers, sliding.channels, taps, Rounding::Double, extreme);
    let zero_points = [zero_point(&mut numbers), zero_point(&mut numbers)];
    let kind = OperatorKind::DepthwiseConv2d { window, multiplier, weighted };
    Some(single(&sliding.input, &output, zero_points, kind))
}

/// A matrix with random numbers.
pub fn fully_connected(
    rows: usize,
    inputs: usize,
    outputs: usize,
    seed: u64,
    rounding: Rounding,
    extreme: bool,
) -> Network {
    let mut numbers = Numbers(seed);
    let weighted = weighted(&mut numbers, outputs, inputs, rounding, extreme);
    let zero_points = [zero_point(&mut numbers), zero_point(&mut numbers)];
    single(&[rows, inputs], &[rows, outputs], zero_points, OperatorKind::FullyConnected { weighted })
}

/// A pooling operator; `average` or the largest.
pub fn pool(sliding: &Sliding, seed: u64, average: bool) -> Option<Network> {
    let mut numbers = Numbers(seed);
    let sliding = Sliding { channels: sliding.input[3], dilation: [1, 1], ..*sliding };
    let (output, window) = sliding.resolve()?;
    let zero = zero_point(&mut numbers);
    let activation = weighted(&mut numbers, 1, 1, Rounding::Double, false).activation;
    let kind = if average {
        OperatorKind::AveragePool { window, activation }
    } else {
        OperatorKind::MaxPool { window, activation }
    };
    Some(single(&sliding.input, &output, [zero, zero], kind))
}

/// A sum of two tensors, or of one with itself; `extreme` multipliers are anything below one.
pub fn add(shape: &[usize], seed: u64, extreme: bool, twice: bool) -> Network {
    let mut numbers = Numbers(seed);
    let mut scale = || numbers.between(1, 1000) as f32 * 1e-3;
    let (scales, larger) = ([scale(), scale()], scale() + 1.0);
    let activation = weighted(&mut numbers, 1, 1, Rounding::Double, false).activation;
    let mut spec = Add::for_scales(scales, larger, activation).expect("a multiplier below one");
    if extreme {
        let mut any = |most: i64| Multiplier {
            multiplier: numbers.between(0, i64::from(i32::MAX)) as i32,
            shift: numbers.between(-31, most) as i32,
        };
        (spec.inputs, spec.output) = ([any(0), any(0)], any(-15));
    }
    let bytes = shape.iter().product::<usize>().next_multiple_of(16);
    let mut tensors: Vec<_> = (0..3).map(|i| tensor(shape, zero_point(&mut numbers), i * bytes)).collect();
    if twice {
        tensors.remove(1);
    }
    let inputs: Vec<u16> = if twice { vec![0] } else { vec![0, 1] };
    let (reads, output) = (if twice { vec![0, 0] } else { vec![0, 1] }, inputs.len() as u16);
    let operators = vec![OperatorSpec { inputs: reads, output, kind: OperatorKind::Add(spec), name: String::new() }];
    Network { tensors, operators, inputs, outputs: vec![output], metadata: vec![] }
}

/// A softmax of rows; inputs of a small scale give shares that are alike, of a large one a single winner.
pub fn softmax(rows: usize, depth: usize, scale: f32, beta: f32, seed: u64) -> Network {
    let spec = Softmax::for_scale(beta, scale).expect("a multiplier of at least one");
    let zero_points = [zero_point(&mut Numbers(seed)), -128];
    let mut network = single(&[rows, depth], &[rows, depth], zero_points, OperatorKind::Softmax(spec));
    (network.tensors[0].scale, network.tensors[1].scale) = (scale, 1.0 / 256.0);
    network
}

/// Every operator in a row: convolution, max pool, average pool, table, reshape in place, matrix.
pub fn chain(seed: u64) -> Network {
    let mut numbers = Numbers(seed);
    let shapes: [&[usize]; 7] =
        [&[1, 9, 11, 3], &[1, 5, 6, 6], &[1, 4, 5, 6], &[1, 2, 3, 6], &[1, 2, 3, 6], &[1, 36], &[1, 5]];
    let offsets = [304, 0, 192, 0, 48, 48, 0];
    let zeros = [3, -128, -128, -128, 7, 7, -9];
    let tensors = shapes.iter().zip(offsets).zip(zeros).map(|((s, o), z)| tensor(s, z, o)).collect();
    let window = |kernel, stride, padding| Window { kernel, stride, dilation: [1, 1], padding };
    let table: [i8; 256] = numbers.bytes(256).try_into().expect("256 bytes");
    let kinds = [
        OperatorKind::Conv2d {
            window: window([3, 3], [2, 2], [1, 1]),
            weighted: weighted(&mut numbers, 6, 27, Rounding::Double, false),
        },
        OperatorKind::MaxPool { window: window([2, 2], [1, 1], [0, 0]), activation: Activation::NONE },
        OperatorKind::AveragePool { window: window([2, 2], [2, 2], [0, 0]), activation: Activation::NONE },
        OperatorKind::Lut { table },
        OperatorKind::Reshape,
        OperatorKind::FullyConnected { weighted: weighted(&mut numbers, 5, 36, Rounding::Single, false) },
    ];
    let operators = kinds.into_iter().zip(0u16..);
    Network {
        tensors,
        operators: operators
            .map(|(kind, i)| OperatorSpec { inputs: vec![i], output: i + 1, kind, name: format!("layer {i}") })
            .collect(),
        inputs: vec![0],
        outputs: vec![6],
        metadata: vec![("network.name".into(), "chain".into()), ("output.full_scale_deg".into(), "25".into())],
    }
}
