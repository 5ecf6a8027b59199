//! A small steering network with random weights, and frames to steer it by.

use ackermann_core::blob::write::{Network, OperatorKind, OperatorSpec, TensorSpec, WeightedSpec};
use ackermann_core::blob::{Activation, AlignedBytes, Layout, Rounding, Window, keys};
use ackermann_core::quantized::quantize_multiplier;
use ackermann_trainer::Frame;

/// Rows and columns of the network's input.
pub const INPUT: (usize, usize) = (32, 96);

/// xorshift32: enough for weights and pixels.
pub struct Random(pub u32);

impl Random {
    pub fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    pub fn byte(&mut self) -> u8 {
        (self.next() >> 11) as u8
    }
}

fn weighted(random: &mut Random, outputs: usize, row: usize, relu: bool) -> WeightedSpec {
    let weights = (0..outputs * row).map(|_| (random.byte() as i8).max(-127)).collect();
    // Sums of `row` products of uniform bytes come out around +-40.
    let real = if relu { 40.0 } else { 100.0 } / (73.0 * 50.0 * (row as f64).sqrt());
    WeightedSpec {
        weights,
        bias: (0..outputs).map(|_| random.byte() as i8 as i32 * 40).collect(),
        multipliers: (0..outputs).map(|i| quantize_multiplier(real * (1.0 + i as f64 / 64.0))).collect(),
        rounding: Rounding::Double,
        activation: if relu { Activation { min: -128, max: 127 } } else { Activation::NONE },
    }
}

fn tensor(shape: &[u32], scale: f32, zero_point: i32, arena_offset: u32) -> TensorSpec {
    TensorSpec { shape: shape.to_vec(), scale, zero_point, arena_offset, ..TensorSpec::default() }
}

fn convolution(random: &mut Random, index: u16, outputs: usize, inputs: usize) -> OperatorSpec {
    let window = Window { kernel: [3, 3], stride: [2, 2], dilation: [1, 1], padding: [0, 0] };
    let kind = OperatorKind::Conv2d { window, weighted: weighted(random, outputs, 9 * inputs, true) };
    OperatorSpec { inputs: vec![index], output: index + 1, kind, name: String::new() }
}

/// Three convolutions and a fully connected layer: 32 x 96 x 3 to one number.
pub fn network() -> Network {
    let mut random = Random(0x9e37_79b9);
    let tensors = vec![
        tensor(&[1, 32, 96, 3], 1.0 / 128.0, 0, 0),
        tensor(&[1, 15, 47, 8], 0.02, -128, 9216),
        tensor(&[1, 7, 23, 11], 0.02, -128, 0),
        tensor(&[1, 3, 11, 6], 0.02, -128, 9216),
        tensor(&[1, 1], 1.0 / 128.0, 0, 0),
    ];
    let dense = OperatorKind::FullyConnected { weighted: weighted(&mut random, 1, 198, false) };
    let operators = vec![
        convolution(&mut random, 0, 8, 3),
        convolution(&mut random, 1, 11, 8),
        convolution(&mut random, 2, 6, 11),
        OperatorSpec { inputs: vec![3], output: 4, kind: dense, name: String::new() },
    ];
    let metadata = vec![
        (keys::NETWORK.to_string(), "hil-small".to_string()),
        (keys::FULL_SCALE_DEG.to_string(), "25".to_string()),
    ];
    Network { tensors, operators, inputs: vec![0], outputs: vec![4], metadata }
}

/// Its blob.
pub fn blob() -> AlignedBytes {
    network().to_bytes(Layout::Natural).expect("the network is well-formed")
}

/// Frame number `seed`: coloured bands under noise, so that the steering changes from frame to frame.
pub fn frame(seed: u32, height: usize, width: usize) -> Frame {
    let mut random = Random(seed.wrapping_mul(0x85eb_ca6b) | 1);
    let bands: Vec<u8> = (0..24).map(|_| random.byte()).collect();
    let mut frame = Frame::black(height, width);
    for (index, pixel) in frame.rgb.iter_mut().enumerate() {
        let (column, channel) = (index / 3 % width, index % 3);
        let band = bands[column * 8 / width * 3 + channel];
        *pixel = (band / 4 * 3).wrapping_add(random.byte() / 4);
    }
    frame
}
