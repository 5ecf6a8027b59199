//! Recurrent operators with random numbers.

use ackermann_core::blob::write::{
    MatrixSpec, Network, OperatorKind, OperatorSpec, RecurrentSpec, Storage, TensorSpec,
};
use ackermann_core::blob::{Element, Rounding};
use ackermann_core::ops::{lstm, rnn};
use ackermann_core::quantized::{Multiplier, quantize_multiplier};

use super::{Numbers, tensor, zero_point};

/// Which operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recurrence {
    /// In one of the two roundings.
    Lstm(Rounding),
    /// Gated.
    Gru,
    /// Plain.
    Rnn(rnn::Function),
}

impl Recurrence {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Lstm(Rounding::Double),
        Self::Lstm(Rounding::Single),
        Self::Gru,
        Self::Rnn(rnn::Function::Tanh),
        Self::Rnn(rnn::Function::Relu),
    ];
}

/// Sizes of a recurrent operator.
#[derive(Debug, Clone, Copy)]
pub struct Sequence {
    /// Sequences.
    pub batch: usize,
    /// Length of each.
    pub steps: usize,
    /// Length of an input vector.
    pub inputs: usize,
    /// Length of an output vector.
    pub units: usize,
    /// Order of the first two dimensions.
    pub time_major: bool,
    /// From the end to the start.
    pub backward: bool,
}

/// A network of one recurrent operator. `extreme` multipliers are any, so that sums and states saturate.
pub fn recurrent(what: Recurrence, sizes: &Sequence, seed: u64, extreme: bool) -> Network {
    let mut numbers = Numbers(seed);
    let Sequence { batch, steps, inputs, units, time_major, backward } = *sizes;
    let gates = |count: usize, numbers: &mut Numbers| RecurrentSpec {
        input: matrix(numbers, count * units, inputs, extreme),
        hidden: matrix(numbers, count * units, units, extreme),
        time_major,
        backward,
    };
    let spread = Multiplier { multiplier: numbers.between(1 << 30, i64::from(i32::MAX)) as i32, shift: 0 };
    let output = |shift| Multiplier { shift, ..spread };
    let shift = |numbers: &mut Numbers, usual: i32| if extreme { numbers.between(-31, 0) as i32 } else { usual };
    let mut integer_bits = 0;
    let kind = match what {
        Recurrence::Lstm(rounding) => {
            integer_bits = numbers.between(0, 6) as u32;
            let clip = if extreme { numbers.between(0, 32767) as i16 } else { 0 };
            let output = output(shift(&mut numbers, -23));
            let cell = lstm::Cell { rounding, integer_bits, clip, output };
            OperatorKind::Lstm { gates: gates(4, &mut numbers), cell }
        }
        Recurrence::Gru => {
            let output = output(shift(&mut numbers, -8));
            OperatorKind::Gru { gates: gates(3, &mut numbers), output }
        }
        Recurrence::Rnn(function) => {
            let output = output(shift(&mut numbers, -8));
            OperatorKind::Rnn { gates: gates(1, &mut numbers), cell: rnn::Cell { function, output } }
        }
    };
    let zero = if what == Recurrence::Lstm(Rounding::Single) { 0 } else { zero_point(&mut numbers) };
    let dimensions = if time_major { [steps, batch] } else { [batch, steps] };
    let mut tensors = vec![
        tensor(&[dimensions[0], dimensions[1], inputs], zero_point(&mut numbers), 0),
        TensorSpec { storage: Storage::State, ..tensor(&[batch, units], zero, 0) },
        TensorSpec {
            storage: Storage::State,
            element: Element::Int16,
            scale: 1.0 / (1u32 << (15 - integer_bits)) as f32,
            ..tensor(&[batch, units], 0, 0)
        },
        tensor(&[dimensions[0], dimensions[1], units], zero, 0),
    ];
    if matches!(what, Recurrence::Rnn(_)) {
        tensors.remove(2);
    }
    place(&mut tensors);
    let output = tensors.len() as u16 - 1;
    let operators = vec![OperatorSpec { inputs: (0..output).collect(), output, kind, name: String::new() }];
    Network { tensors, operators, inputs: vec![0], outputs: vec![output], metadata: vec![] }
}

/// Bytes one after another, each tensor at a multiple of 16.
fn place(tensors: &mut [TensorSpec]) {
    let mut next = 0;
    for tensor in tensors {
        tensor.arena_offset = next;
        next += tensor.bytes().next_multiple_of(16) as u32;
    }
}

fn matrix(numbers: &mut Numbers, rows: usize, columns: usize, extreme: bool) -> MatrixSpec {
    // Typical sums become a few units of 2^-12 times a thousand: where logistic and tanh bend.
    let usual = quantize_multiplier(3000.0 / ((columns as f64).sqrt() * 74.0 * 74.0));
    let multiplier = |numbers: &mut Numbers| {
        let multiplier = numbers.between(i64::from(usual.0), i64::from(i32::MAX)) as i32;
        (multiplier, if extreme { numbers.between(-31, 2) as i32 } else { usual.1 })
    };
    MatrixSpec {
        weights: numbers.weights(rows * columns),
        bias: (0..rows).map(|_| numbers.between(-9000, 9000) as i32).collect(),
        multipliers: (0..rows).map(|_| multiplier(numbers)).collect(),
    }
}
