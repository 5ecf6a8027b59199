//! Files as older converters wrote them.

use ackermann_core::blob::Element;
use ackermann_core::blob::write::OperatorKind;

use super::made::*;
use super::schema::{FLOAT32, INT8, INT32, UINT8};
use super::*;
use crate::quant::{Int8Predictor, Observer, assemble};

/// A network of operators with these codes (in the old field), tensors and buffers, from tensor 0 to the last.
fn network(codes: &[i8], tensors: Vec<Fields>, operators: Vec<Fields>, buffers: Option<Vec<Fields>>) -> Vec<u8> {
    let codes = codes.iter().map(|code| vec![(0, I8(*code))]).collect();
    let last = tensors.len() as i32 - 1;
    let graph = vec![(0, Tables(tensors)), (1, I32s(vec![0])), (2, I32s(vec![last])), (3, Tables(operators))];
    let mut model = vec![(0, I32(3)), (1, Tables(codes)), (2, Tables(vec![graph]))];
    model.extend(buffers.map(|buffers| (4, Tables(buffers))));
    file(&model)
}

fn converted(bytes: &[u8]) -> Network {
    convert_tflite(bytes, &ImportOptions::default()).unwrap()
}

/// Before codes beyond 127 there was one field for them, a byte; between, converters wrote both.
#[test]
fn codes_in_the_old_field() {
    let new = converted(&sample_of(2, |code| vec![(3, I32(code))]));
    assert_eq!(converted(&sample_of(2, |code| vec![(0, I8(code as i8))])), new);
    assert_eq!(converted(&sample_of(2, |code| vec![(0, I8(code as i8)), (3, I32(code))])), new);
    // Newer ones say 127, a placeholder, in the old field where the code does not fit.
    let placeholder = sample_of(2, |code| vec![(0, I8(127)), (3, I32(code))]);
    let error = convert_tflite(&placeholder, &ImportOptions::default()).unwrap_err();
    assert!(error.to_string().contains("operator 0: PLACEHOLDER"), "{error}");
}

/// Tensors without content need no buffers, and may not name one at all.
#[test]
fn buffers_that_are_left_out() {
    let side = |shape: &[i32]| {
        let mut tensor = tensor(shape, INT8, 0, 1.0 / 128.0, 0);
        tensor.retain(|(field, _)| *field != 2);
        tensor
    };
    let tensors = vec![side(&[1, 4]), side(&[1, 4])];
    let bytes = network(&[28], tensors.clone(), vec![operator(0, &[0], 1, vec![])], None);
    assert!(matches!(converted(&bytes).operators[..], [ref tanh] if matches!(tanh.kind, OperatorKind::Lut { .. })));
    // Weights that name a buffer that is not there are damage.
    let tensors = vec![side(&[1, 4]), tensor(&[2, 4], INT8, 1, 0.1, 0), side(&[1, 2])];
    let bytes = network(&[9], tensors, vec![operator(0, &[0, 1], 2, vec![])], None);
    let error = convert_tflite(&bytes, &ImportOptions::default()).unwrap_err();
    assert!(error.to_string().contains("tensor 1: names buffer 1, which does not exist"), "{error}");
}

/// A bias that is left out: -1, or a list of inputs that ends before it; an operator without options, which then has the defaults.
#[test]
fn operands_and_options_that_are_left_out() {
    let make = |inputs: &[i32]| {
        let tensors = vec![
            tensor(&[1, 3, 3, 1], INT8, 0, 0.1, 3),
            tensor(&[2, 2, 2, 1], INT8, 1, 0.5, 0),
            tensor(&[1, 3, 3, 2], INT8, 0, 0.4, -9),
        ];
        let mut conv = operator(0, inputs, 2, vec![]);
        conv.retain(|(field, _)| *field != 4);
        let buffers = vec![vec![], vec![(0, Bytes((1..9).collect()))]];
        converted(&network(&[3], tensors, vec![conv], Some(buffers)))
    };
    let network = make(&[0, 1]);
    assert_eq!(network, make(&[0, 1, -1]));
    let OperatorKind::Conv2d { window, weighted } = &network.operators[0].kind else { panic!("{network:?}") };
    assert_eq!((window.stride, window.dilation, &weighted.bias[..]), ([1, 1], [1, 1], &[0, 0][..]));
    // One scale for all channels, as before there was one for each.
    assert_eq!(weighted.multipliers[0], weighted.multipliers[1]);
}

/// Quantization as it first was: uint8 throughout, weights asymmetric with one scale. It needs no calibration, and what it gives is what the
/// numbers stand for, within a step.
#[test]
fn unsigned_asymmetric_weights() {
    let weights: Vec<u8> = (0..8).map(|at| (at * 37 % 256) as u8).collect();
    let bias: [i32; 2] = [300, -700];
    let tensors = vec![
        tensor(&[1, 3, 3, 1], UINT8, 0, 0.02, 120),
        tensor(&[2, 2, 2, 1], UINT8, 1, 0.01, 100),
        tensor(&[2], INT32, 2, 0.02 * 0.01, 0),
        tensor(&[1, 2, 2, 2], UINT8, 0, 0.06, 90),
    ];
    let content = bias.iter().flat_map(|bias| bias.to_le_bytes()).collect();
    let buffers = vec![vec![], vec![(0, Bytes(weights.clone()))], vec![(0, Bytes(content))]];
    // VALID, stride 1.
    let conv = operator(0, &[0, 1, 2], 3, vec![(0, I8(1)), (1, I32(1)), (2, I32(1))]);
    let bytes = network(&[3], tensors, vec![conv], Some(buffers));
    let Imported::Float(float) = read_tflite(&bytes, &ImportOptions::default()).unwrap() else { panic!("not float") };
    let mut int8 = Imported::Float(float).quantize(None, Observer::MinMax).unwrap();
    let sides: Vec<_> = int8.tensors.iter().map(|t| (t.element, t.scale, t.zero_point)).collect();
    assert_eq!(sides, [(Element::Int8, 0.02, -8), (Element::Int8, 0.06, -38)]);
    let input: Vec<u8> = (0..9).map(|at| (at * 83 % 256) as u8).collect();
    let blob = assemble(&mut int8).unwrap();
    let shifted: Vec<i8> = input.iter().map(|q| (q ^ 0x80) as i8).collect();
    let found = Int8Predictor::new(&blob).unwrap().run(&shifted).unwrap();
    for (at, found) in found.iter().enumerate() {
        let (y, x, o) = (at / 4, at / 2 % 2, at % 2);
        let tap = |t: usize| {
            let q = f64::from(input[(y + t / 2) * 3 + x + t % 2]) - 120.0;
            q * (f64::from(weights[o * 4 + t]) - 100.0)
        };
        let sum = (0..4).map(tap).sum::<f64>() + f64::from(bias[o]);
        let exact = (sum * 0.02 * 0.01 / 0.06 + 90.0).clamp(0.0, 255.0) - 128.0;
        assert!((f64::from(*found) - exact).abs() < 1.5, "{at}: {found} for {exact}");
    }
}

/// Quantization that only says a range, as training did: there is no scale to import.
#[test]
fn ranges_without_scales_are_refused() {
    let range = |shape: &[i32], element: i8| {
        let quantization = vec![(0, F32s(vec![-1.0])), (1, F32s(vec![1.0]))];
        vec![(0, I32s(shape.to_vec())), (1, I8(element)), (2, I32(0)), (4, Table(quantization))]
    };
    let bytes = network(&[28], vec![range(&[1, 4], INT8); 2], vec![operator(0, &[0], 1, vec![])], None);
    let error = convert_tflite(&bytes, &ImportOptions::default()).unwrap_err();
    assert!(error.to_string().starts_with("operator 0 (TANH)"), "{error}");
    // Float tensors may have one: it says nothing that counts.
    let bytes = network(&[28], vec![range(&[1, 4], FLOAT32); 2], vec![operator(0, &[0], 1, vec![])], None);
    assert!(matches!(read_tflite(&bytes, &ImportOptions::default()), Ok(Imported::Float(_))));
}
