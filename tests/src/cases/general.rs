//! Networks of one general convolution, product of matrices or layer normalization.

use ackermann_core::blob::write::{Network, OperatorKind, OperatorSpec, Storage};
use ackermann_core::blob::{Activation, Element, GeneralSpec, LayerNormSpec, Scaling, Window};
use ackermann_core::ops::BatchMatmul;
use ackermann_core::quantized::{Multiplier, quantize_multiplier};

use super::{Numbers, Sliding, single, zero_point};

/// Which of the forms of a general convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// Parts of the channels.
    pub groups: usize,
    /// Whether it goes backwards.
    pub transposed: bool,
    /// 4-bit weights.
    pub int4: bool,
    /// 16-bit activations.
    pub int16: bool,
}

/// A general convolution with random numbers; `sliding` has the channels of one group. Of a transposed one, `sliding`'s input is
/// the output. `extreme` scalings are anything that the loader takes.
pub fn general_conv2d(sliding: &Sliding, form: Form, seed: u64, extreme: bool) -> Option<Network> {
    let mut n = Numbers(seed);
    let (mut output, window) = sliding.resolve()?;
    let mut input = sliding.input;
    if form.transposed {
        (input, output) = (output, input);
    }
    let (per_group, outputs) = (input[3], output[3] * form.groups);
    (input[3], output[3]) = (per_group * form.groups, outputs);
    let taps = sliding.kernel[0] * sliding.kernel[1] * per_group;
    let scaling = if form.int16 { Scaling::Wide } else { [Scaling::Double, Scaling::Single][n.between(0, 1) as usize] };
    let spec = general(&mut n, window, form, [outputs, taps], scaling, extreme);
    let zero_points = if form.int16 { [0, 0] } else { [zero_point(&mut n), zero_point(&mut n)] };
    Some(of_width(single(&input, &output, zero_points, OperatorKind::GeneralConv2d(spec)), form.int16))
}

/// A fully connected layer as a general convolution of one tap, on an input of any shape.
pub fn general_matrix(rows: usize, inputs: usize, outputs: usize, form: Form, seed: u64) -> Network {
    let mut n = Numbers(seed);
    let window = Window { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], padding: [0, 0] };
    let scaling = if form.int16 { Scaling::Wide } else { Scaling::Single };
    let spec = general(&mut n, window, form, [outputs, inputs / form.groups], scaling, false);
    let zero_points = if form.int16 { [0, 0] } else { [zero_point(&mut n), zero_point(&mut n)] };
    let network = single(&[1, rows, inputs], &[rows, outputs], zero_points, OperatorKind::GeneralConv2d(spec));
    of_width(network, form.int16)
}

/// A pool of int16.
pub fn pool_int16(sliding: &Sliding, seed: u64, average: bool) -> Option<Network> {
    let mut network = of_width(super::pool(sliding, seed, average)?, true);
    network.tensors.iter_mut().for_each(|tensor| tensor.zero_point = 0);
    match &mut network.operators[0].kind {
        OperatorKind::MaxPool { activation, .. } | OperatorKind::AveragePool { activation, .. } => {
            *activation = Activation::NONE;
        }
        _ => return None,
    }
    Some(network)
}

/// Tensors of 16 bits, the second after the first.
fn of_width(mut network: Network, int16: bool) -> Network {
    if int16 {
        network.tensors.iter_mut().for_each(|tensor| tensor.element = Element::Int16);
        network.tensors[1].arena_offset = network.tensors[0].bytes().next_multiple_of(16) as u32;
    }
    network
}

fn general(
    n: &mut Numbers,
    window: Window,
    form: Form,
    [outputs, taps]: [usize; 2],
    scaling: Scaling,
    extreme: bool,
) -> GeneralSpec {
    let (weight, activation) = (if form.int4 { 4.0 } else { 74.0 }, if form.int16 { 19_000.0 } else { 74.0 });
    let spread = (taps as f64).sqrt() * weight * activation / if form.int16 { 16_000.0 } else { 60.0 };
    let multipliers = (0..outputs).map(|_| {
        let (multiplier, shift) = quantize_multiplier(1.0 / spread);
        let jitter = n.between(0, i64::from(i32::MAX - multiplier)) as i32;
        let most = if form.int16 { 7 } else { 2 };
        (multiplier + jitter, if extreme { n.between(-31, most) as i32 } else { shift })
    });
    let multipliers = multipliers.collect();
    let (least, most) = if form.int16 { (-32_768, 32_767) } else { (-128, 127) };
    let low = if n.between(0, 2) == 0 { n.between(least, 0) } else { least };
    let high = if n.between(0, 2) == 0 { n.between(0, most) } else { most };
    let bias = if form.int16 { 1 << 36 } else { 9000 };
    GeneralSpec {
        window,
        transposed: form.transposed,
        groups: form.groups,
        int4: form.int4,
        weights: match form.int4 {
            true => (0..outputs * taps).map(|_| n.between(-8, 7) as i8).collect(),
            false => n.weights(outputs * taps),
        },
        bias: (0..outputs).map(|_| n.between(-bias, bias)).collect(),
        multipliers,
        scaling,
        range: [low as i16, high as i16],
    }
}

/// Products of matrices: places `batch` (repeated where one side has 1), `rows` x `inner` times `inner` x `columns`.
pub fn batch_matmul(batch: [usize; 2], [rows, inner, columns]: [usize; 3], seed: u64) -> Network {
    let mut n = Numbers(seed);
    let adjoint = [n.between(0, 1) == 0, n.between(0, 1) == 0];
    let mut places = |whole: usize| if n.between(0, 2) == 0 { 1 } else { whole };
    let left = [places(batch[0]), places(batch[1])];
    let right = [places(batch[0]), places(batch[1])];
    let matrix = |at: [usize; 2], sides: [usize; 2], adjoint: bool| {
        if adjoint { [at[0], at[1], sides[1], sides[0]] } else { [at[0], at[1], sides[0], sides[1]] }
    };
    let (a, b) = (matrix(left, [rows, inner], adjoint[0]), matrix(right, [inner, columns], adjoint[1]));
    let output = [left[0].max(right[0]), left[1].max(right[1]), rows, columns];
    let scale =
        Multiplier { multiplier: n.between(1 << 30, i64::from(i32::MAX)) as i32, shift: n.between(-10, -6) as i32 };
    let kind = OperatorKind::BatchMatmul(BatchMatmul { adjoint, scale });
    let mut tensors: Vec<_> = [a, b, output].iter().map(|shape| super::tensor(shape, zero_point(&mut n), 0)).collect();
    let mut end = 0;
    for tensor in &mut tensors {
        tensor.arena_offset = end as u32;
        end += tensor.bytes().next_multiple_of(16);
    }
    let mut inputs = vec![0, 1];
    if n.between(0, 1) == 0 {
        let bytes = n.bytes(tensors[1].bytes()).iter().map(|q| *q as u8).collect();
        (tensors[1].storage, tensors[1].arena_offset) = (Storage::Constant(bytes), 0);
        inputs.pop();
    }
    let operators = vec![OperatorSpec { inputs: vec![0, 1], output: 2, kind, name: String::new() }];
    Network { tensors, operators, inputs, outputs: vec![2], metadata: vec![] }
}

/// A layer normalization of rows, with an input scale of 0.05 and an output scale of 1 / 32.
pub fn layer_norm(rows: usize, depth: usize, seed: u64) -> Network {
    let mut n = Numbers(seed);
    let mut real = |low: i64, high: i64| (0..depth).map(|_| n.between(low, high) as f32 / 1000.0).collect::<Vec<f32>>();
    let (gamma, beta) = (real(-1800, 1800), real(-900, 900));
    let epsilon = [1e-3, 1e-5, 1e-12][n.between(0, 2) as usize];
    let spec = LayerNormSpec::for_scales(&gamma, &beta, epsilon, 0.05, 1.0 / 32.0);
    let zero_points = [zero_point(&mut n), zero_point(&mut n)];
    let mut network = single(&[rows, depth], &[rows, depth], zero_points, OperatorKind::LayerNorm(spec));
    network.tensors[1].scale = 1.0 / 32.0;
    network
}
