use ackermann_core::blob::write::{Network, OperatorKind};
use ackermann_core::quantized::quantize_multiplier;

use super::made::*;
use super::*;
use crate::graph::Executor;
use crate::import::is_seed;
use crate::quant::{FloatGraph, Observer, assemble, quantize_graph};

/// Numbers between -1 and 1.
fn numbers(count: usize, seed: usize) -> Vec<f32> {
    (0..count).map(|at| ((at * 7919 + seed * 104_729) % 1999) as f32 / 999.5 - 1.0).collect()
}

fn float_graph(bytes: &[u8]) -> FloatGraph {
    let Imported::Float(float) = read_onnx(bytes).unwrap() else { panic!("not float") };
    *float
}

/// The outputs of the graph for an input in the graph's order.
fn outputs(float: &FloatGraph, input: &[f32]) -> Vec<f32> {
    let mut executor = Executor::<f32>::new(&float.graph, &float.outputs);
    executor.input_mut(float.inputs[0]).copy_from_slice(input);
    executor.run(&float.params).unwrap();
    executor.value(float.outputs[0]).to_vec()
}

/// NHWC from NCHW.
fn channels_last(values: &[f32], [channels, height, width]: [usize; 3]) -> Vec<f32> {
    let pixel = |at: usize| (0..channels).map(move |c| values[c * height * width + at]);
    (0..height * width).flat_map(pixel).collect()
}

/// conv 3x2 (stride 2, pads 1 0 1 1) on `[1, 2, 5, 4]`, relu, flatten, a matrix: as ONNX defines it, in ONNX's order.
fn expected(x: &[f32], w: &[f32], b: &[f32], matrix: &[f32]) -> Vec<f32> {
    let mut flat = Vec::new();
    for o in 0..3 {
        for (y, column) in (0..3).flat_map(|y| (0..2).map(move |column| (y, column))) {
            let mut sum = b[o];
            for (c, ky, kx) in (0..2).flat_map(|c| (0..3).flat_map(move |ky| (0..2).map(move |kx| (c, ky, kx)))) {
                let (iy, ix) = ((2 * y + ky) as i64 - 1, (2 * column + kx) as i64);
                if (0..5).contains(&iy) && (0..4).contains(&ix) {
                    sum += x[c * 20 + iy as usize * 4 + ix as usize] * w[((o * 2 + c) * 3 + ky) * 2 + kx];
                }
            }
            flat.push(sum.max(0.0));
        }
    }
    matrix.chunks(flat.len()).map(|row| row.iter().zip(&flat).map(|(w, x)| w * x).sum()).collect()
}

fn convolutional(opset: i64, middle: &[Made], more: &[Made]) -> Vec<u8> {
    let conv = [ints("strides", &[2, 2]), ints("pads", &[1, 0, 1, 1])];
    let mut nodes = vec![node("Conv", &["x", "w", "b"], &["a"], &conv)];
    nodes.extend_from_slice(middle);
    nodes.push(node("Gemm", &["flat", "m"], &["y"], &[int("transB", 1)]));
    let mut initializers = vec![
        floats("w", &[3, 2, 3, 2], &numbers(36, 1)),
        floats("b", &[3], &numbers(3, 2)),
        floats("m", &[4, 18], &numbers(72, 3)),
    ];
    initializers.extend_from_slice(more);
    model(opset, &nodes, &initializers, &[input("x", &[0, 2, 5, 4])])
}

#[test]
fn channels_first_becomes_channels_last() {
    let x = numbers(40, 9);
    let expected = expected(&x, &numbers(36, 1), &numbers(3, 2), &numbers(72, 3));
    let flatten = node("Flatten", &["r"], &["flat"], &[]);
    let relu = node("Relu", &["a"], &["r"], &[]);
    let clip = node("Clip", &["a", "zero"], &["r"], &[]);
    let zero = floats("zero", &[], &[0.0]);
    // The same network as exporters of many years wrote it.
    let shape = [
        node("Shape", &["r"], &["s"], &[]),
        node("Gather", &["s", "first"], &["n"], &[]),
        node("Unsqueeze", &["n"], &["n1"], &[ints("axes", &[0])]),
        node("Concat", &["n1", "rest"], &["to"], &[int("axis", 0)]),
        node("Reshape", &["r", "to"], &["flat"], &[]),
    ];
    let first = Made::default().int(2, schema::element::INT64).int(7, 0).bytes(8, b"first");
    let variants = [
        convolutional(17, &[relu.clone(), flatten.clone()], &[]),
        convolutional(13, &[clip, flatten.clone()], &[zero]),
        convolutional(6, &[node("Clip", &["a"], &["r"], &[float("min", 0.0)]), flatten.clone()], &[]),
        convolutional(9, &[core::slice::from_ref(&relu), &shape[..]].concat(), &[first, int64s("rest", &[-1])]),
        convolutional(
            12,
            &[
                node("Relu", &["a"], &["r0"], &[]),
                node("Transpose", &["r0"], &["r1"], &[ints("perm", &[0, 2, 3, 1])]),
                node("Transpose", &["r1"], &["r"], &[ints("perm", &[0, 3, 1, 2])]),
                flatten,
            ],
            &[],
        ),
    ];
    for (at, bytes) in variants.iter().enumerate() {
        is_seed("onnx", &format!("float_{at}"), bytes);
        let float = float_graph(bytes);
        let moved = float.graph.nodes().iter().filter(|node| node.op.name() == "Transpose").count();
        assert_eq!(moved, 0, "variant {at}: the weights are moved, not the elements");
        let found = outputs(&float, &channels_last(&x, [2, 5, 4]));
        let close = found.iter().zip(&expected).all(|(found, expected)| (found - expected).abs() < 1e-4);
        assert!(close && found.len() == expected.len(), "variant {at}: {found:?}, not {expected:?}");
    }
}

/// A convolution and a matrix quantized elsewhere, uint8 activations, weights per channel.
fn quantized() -> Vec<u8> {
    let qdq = |from: &str, to: &str, scale: &str, zero: &str| {
        let between = format!("{to}_q");
        [
            node("QuantizeLinear", &[from, scale, zero], &[&between], &[]),
            node("DequantizeLinear", &[&between, scale, zero], &[to], &[]),
        ]
    };
    let known = |q: &str, to: &str, scale: &str, zero: &str| {
        node("DequantizeLinear", &[q, scale, zero], &[to], &[int("axis", 0)])
    };
    let nodes = [
        &qdq("x", "xd", "xs", "xz")[..],
        &[known("w", "wd", "ws", "wz"), known("b", "bd", "bs", "bz"), known("m", "md", "ms", "mz")],
        &[node("Conv", &["xd", "wd", "bd"], &["a"], &[]), node("Relu", &["a"], &["r"], &[])],
        &qdq("r", "rd", "rs", "rz"),
        &[node("Flatten", &["rd"], &["flat"], &[]), node("Gemm", &["flat", "md"], &["g"], &[int("transB", 1)])],
        &qdq("g", "y", "gs", "gz"),
    ]
    .concat();
    let uint8 = |name: &str, value: u8| {
        Made::default().int(2, schema::element::UINT8).bytes(8, name.as_bytes()).bytes(9, &[value])
    };
    let initializers = [
        floats("xs", &[], &[0.02]),
        uint8("xz", 120),
        int8s("w", &[2, 2, 1, 1], &[1, -2, -128, 127]),
        floats("ws", &[2], &[0.01, 0.03]),
        int8s("wz", &[2], &[0, 0]),
        int32s("b", &[2], &[1_000_000_007, -5]),
        floats("bs", &[2], &[0.02 * 0.01, 0.02 * 0.03]),
        int32s("bz", &[2], &[0, 0]),
        floats("rs", &[], &[0.05]),
        uint8("rz", 3),
        int8s("m", &[1, 4], &[10, 20, 30, 40]),
        floats("ms", &[], &[0.004]),
        int8s("mz", &[], &[0]),
        floats("gs", &[], &[0.1]),
        uint8("gz", 128),
    ];
    model(13, &nodes, &initializers, &[input("x", &[1, 2, 1, 2])])
}

#[test]
fn quantized_numbers_stay_as_they_are() {
    let bytes = quantized();
    is_seed("onnx", "qdq", &bytes);
    let mut network: Network = quantize_graph(&float_graph(&bytes), None, Observer::MinMax).unwrap();
    let scales: Vec<_> = network.tensors.iter().map(|t| (t.scale, t.zero_point)).collect();
    assert_eq!(scales, [(0.02, -8), (0.05, -125), (0.05, -125), (0.1, 0)]);
    let [conv, reshape, matrix] = &network.operators[..] else { panic!("{:?}", network.operators) };
    assert_eq!(reshape.kind, OperatorKind::Reshape);
    let OperatorKind::Conv2d { weighted, .. } = &conv.kind else { panic!("{conv:?}") };
    assert_eq!((&weighted.weights[..], &weighted.bias[..]), (&[1, -2, -128, 127][..], &[1_000_000_007, -5][..]));
    let product =
        |from: f32, weight: f32, to: f32| quantize_multiplier(f64::from(from) * f64::from(weight) / f64::from(to));
    assert_eq!(weighted.multipliers, [product(0.02, 0.01, 0.05), product(0.02, 0.03, 0.05)]);
    assert_eq!((weighted.activation.min, weighted.activation.max), (-125, 127));
    // Two pixels of two channels: channels last, the matrix likewise.
    let OperatorKind::FullyConnected { weighted } = &matrix.kind else { panic!("{matrix:?}") };
    assert_eq!((&weighted.weights[..], weighted.multipliers[0]), (&[10, 30, 20, 40][..], product(0.05, 0.004, 0.1)));
    assert!(assemble(&mut network).is_ok());
}

#[test]
fn what_is_not_supported_is_named_with_its_place() {
    let x = [input("x", &[1, 2, 5, 4])];
    let refused = |bytes: &[u8]| read_onnx(bytes).unwrap_err().to_string();
    let relu = node("Relu", &["x"], &["a"], &[]);
    let error = refused(&model(17, &[relu.clone(), node("Einsum", &["a"], &["y"], &[])], &[], &x));
    assert_eq!(error, "operator 1: Einsum is not supported");
    let error = refused(&model(17, &[relu.clone(), node("Relu", &["b"], &["y"], &[])], &[], &x));
    assert_eq!(error, "operator 1 (Relu): reads 'b', which nothing gives");
    let error = refused(&model(17, &[relu], &[], &[input("x", &[1, 2, 0, 4])]));
    assert!(error.contains("input 'x'") && error.contains("dimension 2 ('N')"), "{error}");
    let huge = Made::default().int(1, 1 << 31).int(1, 1 << 31).int(2, 1).bytes(8, b"k").bytes(9, &[0; 4]);
    let error = refused(&model(17, &[node("Add", &["x", "k"], &["y"], &[])], &[huge], &x));
    assert!(error.starts_with("operator 0 (Add): ") && error.contains("too large"), "{error}");
    let fill = node("ConstantOfShape", &["s"], &["k"], &[]);
    let error = refused(&model(17, &[fill], &[int64s("s", &[1 << 40])], &x));
    assert!(error.starts_with("operator 0 (ConstantOfShape): ") && error.contains("too large"), "{error}");
}

/// Variants of operators that the core does not have: one line with the operator and the reason.
#[test]
fn what_an_operator_lacks_is_named() {
    let x = [input("x", &[1, 2, 5, 4])];
    let sequence = [input("x", &[3, 1, 2])];
    let sizes = || int64s("s", &[1, 2, 8, 8]);
    let resize = |attributes: &[Made]| node("Resize", &["x", "", "", "s"], &["y"], attributes);
    let gru = node("GRU", &["x", "w", "r"], &["y"], &[int("hidden_size", 1)]);
    let state = node("RNN", &["x", "w", "r", "", "", "x"], &["y"], &[int("hidden_size", 1)]);
    let gates = || vec![floats("w", &[1, 3, 2], &[0.1; 6]), floats("r", &[1, 3, 1], &[0.1; 3])];
    let last = node("ArgMax", &["x"], &["y"], &[int("select_last_index", 1)]);
    let transposed = node("ConvTranspose", &["x", "w"], &["y"], &[ints("output_padding", &[1, 1])]);
    let cases = [
        (model(17, &[resize(&[text("mode", "cubic")])], &[sizes()], &x), "operator 0 (Resize): has the mode cubic"),
        (
            model(18, &[resize(&[text("mode", "linear"), int("antialias", 1)])], &[sizes()], &x),
            "operator 0 (Resize): has antialiasing",
        ),
        (
            model(17, &[resize(&[text("coordinate_transformation_mode", "tf_crop_and_resize")])], &[sizes()], &x),
            "operator 0 (Resize): has the coordinate transformation tf_crop_and_resize",
        ),
        (model(17, &[gru], &gates(), &sequence), "operator 0 (GRU): resets the hidden state before its matrix"),
        (model(17, &[state], &gates(), &sequence), "operator 0 (RNN): has first states other than zeros"),
        (model(17, &[last], &[], &x), "operator 0 (ArgMax): takes the last of equal values"),
        (
            model(17, &[transposed], &[floats("w", &[2, 1, 2, 2], &[0.5; 8])], &x),
            "operator 0 (ConvTranspose): has a kernel, stride, dilation or output padding",
        ),
    ];
    for (bytes, start) in cases {
        let error = read_onnx(&bytes).unwrap_err().to_string();
        assert!(error.starts_with(start) && !error.contains('\n'), "{error}, not {start}");
    }
}

/// Indices only pick: arithmetic with them is refused when the network is quantized.
#[test]
fn whole_numbers_are_not_computed_with() {
    let nodes = [node("ArgMax", &["x"], &["i"], &[int("axis", 1)]), node("Relu", &["i"], &["y"], &[])];
    let bytes = model(17, &nodes, &[], &[input("x", &[1, 3])]);
    let error = quantize_graph(&float_graph(&bytes), Some(&Ramp), Observer::MinMax).unwrap_err().to_string();
    assert!(error.contains("whole numbers"), "{error}");
}

/// Rising numbers.
struct Ramp;

impl crate::quant::Inputs for Ramp {
    fn count(&self) -> usize {
        1
    }

    fn fill(&self, _: usize, _: usize, values: &mut [f32]) {
        values.iter_mut().enumerate().for_each(|(at, value)| *value = at as f32);
    }
}

#[test]
fn damaged_files_give_errors() {
    for whole in [quantized(), convolutional(17, &[node("Relu", &["a"], &["flat"], &[])], &[])] {
        for cut in 0..whole.len() {
            // The version of the operators stands last.
            assert!(read_onnx(&whole[..cut]).is_err(), "cut at {cut}");
        }
        for (at, change) in (0..whole.len()).flat_map(|at| [1, 0x80, 0xff].map(|change| (at, change))) {
            let mut damaged = whole.clone();
            damaged[at] ^= change;
            if let Ok(Imported::Float(float)) = read_onnx(&damaged) {
                let _ = quantize_graph(&float, None, Observer::MinMax);
            }
        }
    }
}
