//! Recurrent operators made from float weights stay near the float formulas, over sequences long enough for errors to add up.

use ackermann_core::blob::write::{Network, OperatorKind, OperatorSpec, RecurrentSpec, Storage, TensorSpec};
use ackermann_core::blob::{AlignedBytes, Element, Layout};
use ackermann_core::ops::recurrent::float::{FUNCTION_SCALE, FloatMatrix};
use ackermann_core::ops::{Gru, lstm, rnn};
use ackermann_core::{Model, Session};
use ackermann_tests::cases::Numbers;

const INPUTS: usize = 12;
const UNITS: usize = 16;
const STEPS: usize = 50;
const INPUT_SCALE: f32 = 1.0 / 64.0;
const OUTPUT_SCALE: f32 = 1.0 / 127.0;

struct Floats {
    input: Vec<f32>,
    hidden: Vec<f32>,
    bias: Vec<f32>,
    hidden_bias: Vec<f32>,
}

/// Weights that keep the functions out of saturation, for so many gates.
fn floats(numbers: &mut Numbers, gates: usize, spread: f32) -> Floats {
    let mut random = |count: usize| (0..count).map(|_| numbers.between(-1000, 1000) as f32 * spread / 1000.0).collect();
    Floats {
        input: random(gates * UNITS * INPUTS),
        hidden: random(gates * UNITS * UNITS),
        bias: random(gates * UNITS),
        hidden_bias: random(gates * UNITS),
    }
}

impl Floats {
    fn spec(&self, sums: f32) -> RecurrentSpec {
        let input = FloatMatrix { weights: &self.input, bias: &self.bias };
        let hidden = FloatMatrix { weights: &self.hidden, bias: &self.hidden_bias };
        RecurrentSpec::from_float(input, hidden, UNITS, [INPUT_SCALE, OUTPUT_SCALE], sums).expect("finite weights")
    }

    /// What comes from the input and from the hidden state, gates x units.
    fn parts(&self, x: &[f32], h: &[f32]) -> [Vec<f32>; 2] {
        let product = |weights: &[f32], bias: &[f32], vector: &[f32]| {
            let rows = weights.chunks(vector.len()).zip(bias);
            rows.map(|(row, bias)| row.iter().zip(vector).fold(*bias, |sum, (w, v)| sum + w * v)).collect()
        };
        [product(&self.input, &self.bias, x), product(&self.hidden, &self.hidden_bias, h)]
    }
}

fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

fn network(kind: OperatorKind, memory: Option<f32>) -> Network {
    let tensor = |shape: &[u32], scale: f32, arena_offset| TensorSpec {
        shape: shape.to_vec(),
        scale,
        arena_offset,
        ..TensorSpec::default()
    };
    let state = |tensor| TensorSpec { storage: Storage::State, ..tensor };
    let mut tensors = vec![
        tensor(&[1, 1, INPUTS as u32], INPUT_SCALE, 0),
        state(tensor(&[1, UNITS as u32], OUTPUT_SCALE, 32)),
        tensor(&[1, 1, UNITS as u32], OUTPUT_SCALE, 64),
    ];
    if let Some(scale) = memory {
        let memory = TensorSpec { element: Element::Int16, ..tensor(&[1, UNITS as u32], scale, 128) };
        tensors.insert(2, state(memory));
    }
    let output = tensors.len() as u16 - 1;
    let operators = vec![OperatorSpec { inputs: (0..output).collect(), output, kind, name: String::new() }];
    Network { tensors, operators, inputs: vec![0], outputs: vec![output], metadata: vec![] }
}

/// The largest and the root mean square difference between int8 and `float`, which gets each input and its last output.
fn difference(network: &Network, numbers: &mut Numbers, mut float: impl FnMut(&[f32], &[f32]) -> Vec<f32>) -> [f32; 2] {
    let blob = network.to_bytes(Layout::Natural).expect("a valid network");
    let model = Model::load(&blob).expect("a valid blob");
    let mut arena = AlignedBytes::zeroed(model.arena_bytes());
    let mut session = Session::new(model, &mut arena).expect("a large enough arena");
    let (mut h, mut largest, mut squares) = (vec![0f32; UNITS], 0f32, 0f32);
    for _ in 0..STEPS {
        let x = numbers.bytes(INPUTS);
        session.input_mut(0).expect("an input").copy_from_slice(&x);
        session.run();
        let real: Vec<f32> = x.iter().map(|q| f32::from(*q) * INPUT_SCALE).collect();
        h = float(&real, &h);
        for (q, h) in session.output(0).expect("an output").iter().zip(&h) {
            let error = (f32::from(*q) * OUTPUT_SCALE - h).abs();
            (largest, squares) = (largest.max(error), squares + error * error);
        }
    }
    [largest, (squares / (STEPS * UNITS) as f32).sqrt()]
}

#[test]
fn lstm() {
    let mut numbers = Numbers(1);
    let floats = floats(&mut numbers, 4, 0.4);
    let cell = lstm::Cell::for_scales(7.0, OUTPUT_SCALE).expect("scales in range");
    let network = network(OperatorKind::Lstm { gates: floats.spec(FUNCTION_SCALE), cell }, Some(cell.state_scale()));
    let mut c = [0f32; UNITS];
    let [largest, mean] = difference(&network, &mut numbers, |x, h| {
        let [x, h] = floats.parts(x, h);
        let gate = |gate: usize, u: usize| x[gate * UNITS + u] + h[gate * UNITS + u];
        let step = |(u, c): (usize, &mut f32)| {
            *c = logistic(gate(1, u)) * *c + logistic(gate(0, u)) * gate(2, u).tanh();
            logistic(gate(3, u)) * c.tanh()
        };
        c.iter_mut().enumerate().map(step).collect()
    });
    assert!(largest < 0.05 && mean < 0.01, "largest {largest}, root mean square {mean}");
}

#[test]
fn gru() {
    let mut numbers = Numbers(2);
    let floats = floats(&mut numbers, 3, 0.4);
    let output = Gru::output_for_scale(OUTPUT_SCALE).expect("a scale in range");
    let network = network(OperatorKind::Gru { gates: floats.spec(FUNCTION_SCALE), output }, Some(Gru::STATE_SCALE));
    let [largest, mean] = difference(&network, &mut numbers, |x, last| {
        let [x, h] = floats.parts(x, last);
        let gate = |gate: usize, u: usize| logistic(x[gate * UNITS + u] + h[gate * UNITS + u]);
        let step = |(u, last): (usize, &f32)| {
            let g = (x[2 * UNITS + u] + gate(1, u) * h[2 * UNITS + u]).tanh();
            g + gate(0, u) * (last - g)
        };
        last.iter().enumerate().map(step).collect()
    });
    assert!(largest < 0.05 && mean < 0.01, "largest {largest}, root mean square {mean}");
}

#[test]
fn rnn() {
    for function in [rnn::Function::Tanh, rnn::Function::Relu] {
        let mut numbers = Numbers(3);
        let floats = floats(&mut numbers, 1, 0.1);
        let cell = rnn::Cell::for_scales(function, FUNCTION_SCALE, OUTPUT_SCALE).expect("scales in range");
        let network = network(OperatorKind::Rnn { gates: floats.spec(FUNCTION_SCALE), cell }, None);
        let [largest, mean] = difference(&network, &mut numbers, |x, h| {
            let [x, h] = floats.parts(x, h);
            let value = |(x, h): (&f32, &f32)| match function {
                rnn::Function::Tanh => (x + h).tanh(),
                // int8 ends at 127 steps.
                rnn::Function::Relu => (x + h).clamp(0.0, 1.0),
            };
            x.iter().zip(&h).map(value).collect()
        });
        assert!(largest < 0.05 && mean < 0.01, "{function:?}: largest {largest}, root mean square {mean}");
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let matrix = |weights: &'static [f32]| FloatMatrix { weights, bias: &[] };
    let make = |input, hidden| RecurrentSpec::from_float(matrix(input), matrix(hidden), 1, [0.1, 0.1], FUNCTION_SCALE);
    assert!(make(&[1.0, 2.0], &[1.0]).is_some());
    assert!(make(&[f32::NAN, 2.0], &[1.0]).is_none());
    assert!(make(&[], &[1.0]).is_none());
    assert!(lstm::Cell::for_scales(8.0, 1e-30).is_none());
}
