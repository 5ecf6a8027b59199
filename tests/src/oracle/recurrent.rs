//! LSTM, GRU and RNN, step by step.

use ackermann_core::blob::Rounding;
use ackermann_core::blob::write::{MatrixSpec, Network, OperatorKind, OperatorSpec, RecurrentSpec};
use ackermann_core::ops::{lstm, rnn};
use ackermann_core::quantized::{Multiplier, table16::LOGISTIC};

use super::fixed::{Fixed, exponential, nearest, one_over_one_plus, two_over_one_plus};
use super::{by, scale};

/// The output of a recurrent operator, whose states change; `None` for other operators.
pub fn run(network: &Network, spec: &OperatorSpec, values: &mut [Vec<i8>]) -> Option<Vec<i8>> {
    let (gates, count) = match &spec.kind {
        OperatorKind::Lstm { gates, .. } => (gates, 4),
        OperatorKind::Gru { gates, .. } => (gates, 3),
        OperatorKind::Rnn { gates, .. } => (gates, 1),
        _ => return None,
    };
    let [x, h] = [0, 1].map(|at| usize::from(spec.inputs[at]));
    let zeros = [x, h].map(|tensor| i64::from(network.tensors[tensor].zero_point));
    let units = gates.hidden.bias.len() / count;
    let shape = &network.tensors[x].shape;
    let [batch, steps] = if gates.time_major { [shape[1], shape[0]] } else { [shape[0], shape[1]] }.map(|d| d as usize);
    let inputs = shape[2] as usize;
    let mut output = vec![0; batch * steps * units];
    for b in 0..batch {
        for step in 0..steps {
            let t = if gates.backward { steps - 1 - step } else { step };
            let at = if gates.time_major { t * batch + b } else { b * steps + t };
            let hidden = values[h][b * units..][..units].to_vec();
            let sums = both(gates, &values[x][at * inputs..][..inputs], &hidden, zeros);
            for u in 0..units {
                let gates: Vec<[i64; 2]> = (0..count).map(|gate| sums[gate * units + u]).collect();
                let memory = spec.inputs.get(2).map(|memory| (usize::from(*memory), (b * units + u) * 2));
                let old =
                    memory.map_or(0, |(m, at)| i16::from_le_bytes([values[m][at] as u8, values[m][at + 1] as u8]));
                let (new, q) = cell(&spec.kind, &gates, i64::from(old));
                let q = (q + zeros[1]).clamp(-128, 127) as i8;
                values[h][b * units + u] = q;
                output[at * units + u] = q;
                if let Some((m, at)) = memory {
                    let bytes = i16::try_from(new).expect("a memory within int16").to_le_bytes();
                    values[m][at..at + 2].copy_from_slice(&bytes.map(|byte| byte as i8));
                }
            }
        }
    }
    Some(output)
}

/// Per row what comes from the input and from the hidden state.
fn both(gates: &RecurrentSpec, x: &[i8], h: &[i8], zeros: [i64; 2]) -> Vec<[i64; 2]> {
    let row = |spec: &MatrixSpec, row: usize, vector: &[i8], zero: i64| {
        let weights = &spec.weights[row * vector.len()..][..vector.len()];
        let products = vector.iter().zip(weights).map(|(q, w)| (i64::from(*q) - zero) * i64::from(*w));
        saturated(scale(i64::from(spec.bias[row]) + products.sum::<i64>(), spec.multipliers[row], Rounding::Double))
    };
    let rows = 0..gates.input.bias.len();
    rows.map(|r| [row(&gates.input, r, x, zeros[0]), row(&gates.hidden, r, h, zeros[1])]).collect()
}

fn saturated(x: i64) -> i64 {
    x.clamp(-32768, 32767)
}

/// The new memory, and the output without its zero point.
fn cell(kind: &OperatorKind, gates: &[[i64; 2]], memory: i64) -> (i64, i64) {
    let sum = |gate: usize| saturated(gates[gate][0] + gates[gate][1]);
    match kind {
        OperatorKind::Lstm { cell, .. } => lstm(cell, [sum(0), sum(1), sum(2), sum(3)], memory),
        OperatorKind::Gru { output, .. } => {
            let [z, r] = [0, 1].map(|gate| table_logistic(sum(gate)));
            let reset = nearest(i128::from(r * gates[2][1]), 15) as i64;
            let g = table_tanh(saturated(gates[2][0] + reset), 3);
            let new = g + nearest(i128::from(z * (memory - g)), 15) as i64;
            (new, by(new, *output))
        }
        OperatorKind::Rnn { cell, .. } => {
            let value = match cell.function {
                rnn::Function::Tanh => table_tanh(sum(0), 3),
                rnn::Function::Relu => sum(0).max(0),
            };
            (0, by(value, cell.output))
        }
        _ => unreachable!("not recurrent"),
    }
}

fn lstm(cell: &lstm::Cell, [i, f, g, o]: [i64; 4], c: i64) -> (i64, i64) {
    let bits = cell.integer_bits as i32;
    let twice = cell.rounding == Rounding::Double;
    let logistic = |x| if twice { table_logistic(x) } else { fixed_logistic(x) };
    let tanh = |x, bits| if twice { table_tanh(x, bits) } else { fixed_tanh(x, bits) };
    let divided = |product: i64, bits: i32| {
        let half = Multiplier { multiplier: 1 << 30, shift: 1 - bits };
        if twice { by(product, half) } else { nearest(i128::from(product), bits) as i64 }
    };
    let kept = saturated(divided(logistic(f) * c, 15));
    let added = saturated(divided(logistic(i) * tanh(g, 3), 15 + bits));
    let sum = saturated(kept + added);
    let most = i64::from(cell.clip);
    let c = if most > 0 { sum.clamp(-most, most) } else { sum };
    (c, by(logistic(o) * tanh(c, bits), cell.output))
}

/// Between entries of the table of 1 / (1 + e^-(i / 24)), in 2^-16, at `position` in 2^-`bits`; the last one serves beyond.
fn between(position: i64, bits: u32) -> i64 {
    let (at, within) = ((position >> bits) as usize, position & ((1 << bits) - 1));
    if at >= 255 {
        return i64::from(LOGISTIC[255]) << bits;
    }
    let [a, b] = [LOGISTIC[at], LOGISTIC[at + 1]].map(i64::from);
    (a << bits) + within * (b - a)
}

/// `x` has 12 fractional bits, so 3 x is in units of 1/24 with 9.
fn table_logistic(x: i64) -> i64 {
    let above = between((3 * x).abs(), 9);
    let real = if x >= 0 { above } else { (1 << 25) - above };
    // To 15 bits, ties upwards (of a negative x: of what is less by one).
    (real + (1 << 9) - i64::from(x < 0)) >> 10
}

/// tanh(x) = 2 logistic(2 x) - 1.
fn table_tanh(x: i64, integer_bits: i32) -> i64 {
    let position = if integer_bits >= 3 {
        (3 * x) << (integer_bits - 3)
    } else {
        (3 * x + (1 << (2 - integer_bits))) >> (3 - integer_bits)
    };
    let twice = between(position.abs(), 8) - (1 << 23);
    if position >= 0 { (twice + 128) >> 8 } else { (127 - twice) >> 8 }
}

fn fixed_logistic(x: i64) -> i64 {
    let above = one_over_one_plus(exponential(Fixed::<16>::new(-i128::from(x.abs()), 3))).raw as i64;
    match x {
        0 => 1 << 14,
        1.. => above,
        _ => 32767 - above,
    }
}

fn fixed_tanh(x: i64, integer_bits: i32) -> i64 {
    let e = exponential(Fixed::<16>::new(-i128::from(x.abs()), integer_bits + 1));
    let magnitude = Fixed::<16>::new(two_over_one_plus(e).raw - (1 << 13), 2).rescaled(0).raw as i64;
    x.signum() * magnitude
}
