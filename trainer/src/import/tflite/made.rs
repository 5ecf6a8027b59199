//! TFLite files made here, for what the shared models do not hold: float edges, padding, pools, tables, shape arithmetic.

use ackermann_core::Model;
use ackermann_core::blob::Activation;
use ackermann_core::blob::write::OperatorKind;

use super::*;
use crate::quant::assemble;

/// A FlatBuffer value; a table is its fields by number.
#[derive(Clone)]
pub enum Value {
    I8(i8),
    I32(i32),
    I32s(Vec<i32>),
    I64s(Vec<i64>),
    F32s(Vec<f32>),
    Bytes(Vec<u8>),
    Table(Fields),
    Tables(Vec<Fields>),
}
pub use Value::{Bytes, F32s, I8, I32, I32s, I64s, Table, Tables};

pub type Fields = Vec<(usize, Value)>;

/// Appends a table (field list, then one word per field, then what the fields point to); returns where it is.
fn write_table(out: &mut Vec<u8>, fields: &Fields) -> usize {
    let slots = fields.iter().map(|(number, _)| number + 1).max().unwrap_or(0);
    let (vtable, at) = (out.len(), out.len() + 4 + 2 * slots);
    let mut offsets = vec![0u16; slots];
    for (place, (number, _)) in fields.iter().enumerate() {
        offsets[*number] = 4 + 4 * place as u16;
    }
    let head = [4 + 2 * slots as u16, 4 + 4 * fields.len() as u16];
    out.extend(head.iter().chain(&offsets).flat_map(|v| v.to_le_bytes()));
    out.extend(((at - vtable) as i32).to_le_bytes());
    out.resize(at + 4 + 4 * fields.len(), 0);
    for (place, (_, value)) in fields.iter().enumerate() {
        let slot = at + 4 + 4 * place;
        let word = match value {
            I8(v) => i32::from(*v),
            I32(v) => *v,
            pointed => (write_pointed(out, pointed) - slot) as i32,
        };
        out[slot..slot + 4].copy_from_slice(&word.to_le_bytes());
    }
    at
}

fn write_pointed(out: &mut Vec<u8>, value: &Value) -> usize {
    let (len, bytes): (usize, Vec<u8>) = match value {
        Table(fields) => return write_table(out, fields),
        Tables(tables) => (tables.len(), vec![0; 4 * tables.len()]),
        I32s(v) => (v.len(), v.iter().flat_map(|x| x.to_le_bytes()).collect()),
        I64s(v) => (v.len(), v.iter().flat_map(|x| x.to_le_bytes()).collect()),
        F32s(v) => (v.len(), v.iter().flat_map(|x| x.to_le_bytes()).collect()),
        Bytes(v) => (v.len(), v.clone()),
        I8(_) | I32(_) => (0, Vec::new()),
    };
    let at = out.len();
    out.extend((len as u32).to_le_bytes());
    out.extend(bytes);
    if let Tables(tables) = value {
        for (index, table) in tables.iter().enumerate() {
            let (slot, target) = (at + 4 + 4 * index, write_table(out, table));
            out[slot..slot + 4].copy_from_slice(&((target - slot) as u32).to_le_bytes());
        }
    }
    at
}

/// A tensor: shape, element type, buffer, scale, zero point.
pub fn tensor(shape: &[i32], element: i8, buffer: i32, scale: f32, zero_point: i64) -> Fields {
    let quantization = vec![(2, F32s(vec![scale])), (3, I64s(vec![zero_point]))];
    vec![(0, I32s(shape.to_vec())), (1, I8(element)), (2, I32(buffer)), (4, Table(quantization))]
}

/// An operator: number of its code, inputs, output, options.
pub fn operator(code: i32, inputs: &[i32], output: i32, options: Fields) -> Fields {
    vec![(0, I32(code)), (1, I32s(inputs.to_vec())), (2, I32s(vec![output])), (4, Table(options))]
}

/// Float in, QUANTIZE, CONV_2D (SAME, stride 2, RELU6), MAX_POOL_2D, TANH, SHAPE and RESHAPE, DEQUANTIZE, float out.
fn sample(conv_stride: i32) -> Vec<u8> {
    sample_of(conv_stride, |code| vec![(3, I32(code))])
}

/// [`sample`] with operator codes as `code` writes them.
pub fn sample_of(conv_stride: i32, code: impl Fn(i32) -> Fields) -> Vec<u8> {
    let codes = [114, 3, 17, 28, 77, 22, 6].map(code).to_vec();
    let tensors = vec![
        tensor(&[1, 5, 6, 1], 0, 0, 1.0, 0),
        tensor(&[1, 5, 6, 1], 9, 0, 0.1, 0),
        tensor(&[2, 3, 3, 1], 9, 1, 0.5, 0),
        tensor(&[1, 3, 3, 2], 9, 0, 0.1, -20),
        tensor(&[1, 1, 1, 2], 9, 0, 0.1, -20),
        tensor(&[1, 1, 1, 2], 9, 0, 1.0 / 128.0, 0),
        tensor(&[4], 2, 0, 1.0, 0),
        tensor(&[1, 2], 9, 0, 1.0 / 128.0, 0),
        tensor(&[1, 2], 0, 0, 1.0, 0),
    ];
    let conv = vec![(0, I8(0)), (1, I32(2)), (2, I32(conv_stride)), (3, I8(3))];
    let pool = vec![(0, I8(1)), (1, I32(3)), (2, I32(3)), (3, I32(3)), (4, I32(3))];
    let operators = vec![
        operator(0, &[0], 1, vec![]),
        operator(1, &[1, 2, -1], 3, conv),
        operator(2, &[3], 4, pool),
        operator(3, &[4], 5, vec![]),
        operator(4, &[5], 6, vec![]),
        operator(5, &[5, 6], 7, vec![]),
        operator(6, &[7], 8, vec![]),
    ];
    let graph = vec![(0, Tables(tensors)), (1, I32s(vec![0])), (2, I32s(vec![8])), (3, Tables(operators))];
    let buffers = vec![vec![], vec![(0, Bytes((0..18).collect()))]];
    file(&vec![(0, I32(3)), (1, Tables(codes)), (2, Tables(vec![graph])), (4, Tables(buffers))])
}

/// The file of a model.
pub fn file(model: &Fields) -> Vec<u8> {
    let mut bytes = vec![0; 8];
    bytes[4..].copy_from_slice(b"TFL3");
    let root = write_table(&mut bytes, model) as u32;
    bytes[..4].copy_from_slice(&root.to_le_bytes());
    bytes
}

#[test]
fn the_fuzzer_has_it() {
    crate::import::is_seed("tflite", "edges", &sample(2));
}

#[test]
fn edges_padding_and_tables() {
    let mut network = convert_tflite(&sample(2), &ImportOptions::default()).unwrap();
    let [conv, pool, tanh, reshape] = &network.operators[..] else { panic!("{:?}", network.operators) };
    let OperatorKind::Conv2d { window, weighted } = &conv.kind else { panic!() };
    // 5 rows: 3 windows of 3 at stride 2 cover 7, one row above. 6 columns: they cover 7, none to the left.
    assert_eq!((window.kernel, window.stride, window.padding), ([3, 3], [2, 2], [1, 0]));
    assert_eq!(weighted.activation, Activation { min: -20, max: 40 });
    assert_eq!(weighted.bias, [0, 0]);
    assert!(matches!(pool.kind, OperatorKind::MaxPool { window, .. } if window.padding == [0, 0]));
    let OperatorKind::Lut { table } = &tanh.kind else { panic!() };
    // Input -20 is 0.0; 127 is 14.7, whose tanh of 1 saturates.
    assert_eq!((table[108], table[255]), (0, 127));
    assert_eq!(table[118], (1f32.tanh() * 128.0).round() as i8);
    assert_eq!(reshape.kind, OperatorKind::Reshape);
    let blob = assemble(&mut network).unwrap();
    let model = Model::load(&blob).unwrap();
    assert_eq!(model.input(0).unwrap().shape(), [1, 5, 6, 1]);
    assert_eq!(model.output(0).unwrap().shape(), [1, 2]);
}

#[test]
fn options_that_do_not_fit_are_refused() {
    // Stride 0; and stride 1, with which 5 rows would stay 5.
    for stride in [0, 1] {
        let error = convert_tflite(&sample(stride), &ImportOptions::default()).unwrap_err();
        assert_eq!(error.place, "operator 1 (CONV_2D)", "{error}");
    }
}
