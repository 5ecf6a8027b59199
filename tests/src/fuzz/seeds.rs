//! Seeds for the fuzzer: small files that are right, made here.

use ackermann_core::blob::Layout;
use ackermann_core::blob::write::Network;
use ackermann_firmware::link::{Request, encode, max_encoded};

use crate::cases::{self, Border, Form, Movement, Recurrence, Sequence, Sliding};

/// A general convolution that a plain one could be.
const PLAIN: Form = Form { groups: 1, transposed: false, int4: false, int16: false };

/// A name and the bytes.
pub type Seed = (String, Vec<u8>);

/// All seeds of the target `name`.
pub fn of(name: &str) -> Vec<Seed> {
    match name {
        "loader" => blobs(),
        "link" => messages(),
        "arrays" => arrays(),
        "samples" => samples(),
        #[cfg(feature = "importers")]
        "onnx" => models("onnx", &ONNX),
        #[cfg(feature = "importers")]
        "tflite" => models("litert", &TFLITE),
        _ => Vec::new(),
    }
}

/// A small network of each operator, with a name.
///
/// # Panics
/// When a window does not fit, which is a mistake here.
pub fn networks() -> Vec<(String, Network)> {
    let sliding = |channels, border| Sliding {
        input: [1, 5, 4, 3],
        channels,
        kernel: [3, 2],
        stride: [2, 1],
        dilation: [1, 1],
        border,
    };
    let mut networks: Vec<(String, Option<Network>)> = vec![
        ("conv2d".into(), cases::conv2d(&sliding(5, Border::Same), 1, false)),
        ("conv2d_extreme".into(), cases::conv2d(&sliding(2, Border::Valid), 2, true)),
        ("depthwise_conv2d".into(), cases::depthwise_conv2d(&sliding(0, Border::Same), 2, 3, false)),
        (
            "fully_connected".into(),
            Some(cases::fully_connected(1, 9, 3, 4, ackermann_core::blob::Rounding::Single, false)),
        ),
        ("max_pool".into(), cases::pool(&sliding(3, Border::Same), 5, false)),
        ("average_pool".into(), cases::pool(&sliding(3, Border::Valid), 6, true)),
        ("add".into(), Some(cases::add(&[1, 3, 3], 7, false, false))),
        ("softmax".into(), Some(cases::softmax(1, 7, 0.1, 1.0, 8))),
        ("chain".into(), Some(cases::chain(9))),
    ];
    for (seed, (name, form)) in (40..).zip([
        ("grouped", Form { groups: 2, ..PLAIN }),
        ("transposed", Form { transposed: true, ..PLAIN }),
        ("int4", Form { int4: true, ..PLAIN }),
        ("int16", Form { int16: true, ..PLAIN }),
    ]) {
        networks.push((format!("general_{name}"), cases::general_conv2d(&sliding(2, Border::Same), form, seed, false)));
    }
    networks.push(("max_pool_int16".into(), cases::pool_int16(&sliding(3, Border::Same), 44, false)));
    networks.push(("batch_matmul".into(), Some(cases::batch_matmul([1, 2], [2, 3, 4], 45))));
    networks.push(("layer_norm".into(), Some(cases::layer_norm(2, 5, 46))));
    for (seed, what) in (10..).zip(Movement::ALL) {
        networks.push((format!("moved_{what:?}").to_lowercase(), Some(cases::movement(what, &[1, 3, 2, 4], seed))));
    }
    let sizes = Sequence { batch: 1, steps: 2, inputs: 3, units: 2, time_major: false, backward: false };
    for (seed, what) in (30..).zip(Recurrence::ALL) {
        let name: String = format!("{what:?}").to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
        networks.push((name, Some(cases::recurrent(what, &sizes, seed, false))));
    }
    let whole = |(name, network): (String, Option<Network>)| (name, network.expect("a window that fits"));
    networks.into_iter().map(whole).collect()
}

/// Their blobs in each order of weights.
fn blobs() -> Vec<Seed> {
    let bytes = |network: &Network, layout| network.to_bytes(layout).expect("a valid network").to_vec();
    let blob = |(name, network): (String, Network)| {
        Layout::ALL.map(|layout| (format!("{name}_{layout:?}").to_lowercase(), bytes(&network, layout)))
    };
    let mut blobs: Vec<Seed> = networks().into_iter().flat_map(blob).collect();
    blobs.sort_by(|a, b| a.1.cmp(&b.1));
    blobs.dedup_by(|a, b| a.1 == b.1);
    blobs
}

/// Groups and cases of the archives of foreign networks.
#[cfg(feature = "importers")]
const ONNX: [(&str, &str); 17] = [
    ("float", "argmax_2"),
    ("float", "attention"),
    ("float", "embedding"),
    ("float", "gather_any"),
    ("float", "gru_reverse"),
    ("float", "layer_norm_2"),
    ("float", "lstm_bidirectional"),
    ("float", "matmul_repeated"),
    ("float", "prelu"),
    ("float", "resize_axes"),
    ("float", "resize_factors"),
    ("float", "rnn_relu"),
    ("float", "split"),
    ("float", "transposed_grouped"),
    ("float", "transposed_strided"),
    ("quantized", "transposed_plain"),
    ("quantized", "embedding"),
];

#[cfg(feature = "importers")]
const TFLITE: [(&str, &str); 16] = [
    ("float", "arg_max"),
    ("float", "batch_matmul_1"),
    ("float", "conv2d_grouped"),
    ("float", "gather"),
    ("float", "lstm_1"),
    ("float", "mean"),
    ("float", "prelu"),
    ("float", "resize_bilinear_0"),
    ("float", "split_v"),
    ("float", "strided_slice_back"),
    ("float", "transpose_conv_1"),
    ("weights", "conv2d_plain_int16"),
    ("movement", "reverse_1"),
    ("weights", "conv2d_grouped_int4"),
    ("weights", "batch_matmul_0_01"),
    ("weights", "transpose_conv_1_int8"),
];

#[cfg(feature = "importers")]
fn models(folder: &str, names: &[(&str, &str)]) -> Vec<Seed> {
    let model = |(group, case): &(&str, &str)| {
        let mut cases = crate::archive::cases(&format!("{folder}/{group}"));
        let arrays = cases.remove(*case).unwrap_or_else(|| panic!("no case {case} in {group}"));
        (format!("{group}_{case}"), crate::archive::payload(&arrays["model"]))
    };
    names.iter().map(model).collect()
}

fn messages() -> Vec<Seed> {
    let requests = [
        Request::Hello,
        Request::Tick { time_us: 1_000_000 },
        Request::Frame { time_us: 7, height: 1, width: 2, rgb: &[1, 0, 3, 4, 5, 0] },
        Request::Info,
        Request::Bench,
        Request::Load { total: 32, offset: 0, bytes: b"ACKM" },
        Request::Run { reset: true, offset: 0, bytes: &[1, 0, 3] },
        Request::Output { offset: 1024 },
    ];
    let sealed = |request: &Request<'_>| {
        let (head, bulk) = request.parts();
        let mut wire = vec![0; max_encoded(head.len() + bulk.len())];
        let length = encode(request.kind(), 1, &[&head, bulk], &mut wire).expect("room");
        (format!("request_{}", request.kind()), wire[..length].to_vec())
    };
    requests.iter().map(sealed).collect()
}

/// A `.npy` file.
fn array(descriptor: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descriptor}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
}

fn arrays() -> Vec<Seed> {
    vec![
        ("int8".into(), array("|i1", "(2, 3)", &[1, 2, 3, 4, 5, 255])),
        ("uint8".into(), array("|u1", "(1, 2, 1)", &[0, 9])),
        ("float32".into(), array("<f4", "(2,)", &[0, 0, 128, 63, 0, 0, 0, 64])),
        ("scalar".into(), array("<f4", "()", &[0; 4])),
    ]
}

/// Folders of two files each.
fn samples() -> Vec<Seed> {
    let folder = |name: &str, layout: u8, first: &[u8], second: &[u8]| {
        let length = (first.len() as u16).to_le_bytes();
        (name.to_string(), [&[layout], &length[..], first, second].concat())
    };
    let idx = |shape: &[u32], data: &[u8]| {
        let lengths: Vec<u8> = shape.iter().flat_map(|length| length.to_be_bytes()).collect();
        [&[0, 0, 8, shape.len() as u8], &lengths[..], data].concat()
    };
    // 16 bits, one channel, 8000 samples per second.
    let wav = |data: &[u8]| {
        let word = |value: usize| (value as u32).to_le_bytes();
        let form = [1, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x80, 0x3e, 0, 0, 2, 0, 16, 0];
        let chunks = [b"WAVEfmt ", &word(form.len())[..], &form[..], b"data", &word(data.len())[..], data].concat();
        [b"RIFF", &word(chunks.len())[..], &chunks].concat()
    };
    let (x, y) =
        (array("<f4", "(2, 1)", &[0, 0, 128, 63, 0, 0, 0, 64]), array("<i4", "(2,)", &[1, 0, 0, 0, 0, 0, 0, 0]));
    let pictures = array("|u1", "(2, 1, 2)", &[0, 9, 200, 255]);
    let table = b"offset_samples,n_samples,digit\n0,2,one\n1,3,two\n";
    vec![
        folder("idx", 0, &idx(&[2, 2, 3], &[0, 50, 100, 150, 200, 250, 9, 8, 7, 6, 5, 4]), &idx(&[2], &[1, 0])),
        folder("wav", 1, &wav(&[0, 1, 2, 3, 0, 0x80]), &wav(&[9, 9])),
        folder("texts", 2, b"a wonderful film\tgood\nnot good\tbad\n", b"a wonderful one\tgood\n"),
        folder("arrays", 3, &x, &y),
        folder("array_of_pictures", 3, &pictures, &y),
        folder("packed_sounds", 4, table, &[0, 1, 2, 3, 0, 0x80, 0xff, 0x7f]),
    ]
}
