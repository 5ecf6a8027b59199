//! A network takes the same number of instructions for every input, to the instruction: counted one by one by QEMU's plugin, for networks of
//! every operator and for those quantized elsewhere.

use ackermann_core::Model;
use ackermann_core::blob::write::Network;
use ackermann_core::blob::{AlignedBytes, Layout, Rounding, repack};
use ackermann_firmware::link::Status;
use ackermann_tests::cases::{self, Border, Form, Movement, Recurrence, Sequence, Sliding};
use ackermann_tests::shared::{REFERENCES, models};
use ackermann_trainer::board::{Link, Qemu, board, build_image, counter, instructions};
use ackermann_trainer::import::{DenseRounding, ImportOptions, import_tflite};

use crate::net::Random;
use crate::{A57, M4, M7, M33, M55};

/// Networks with a name each.
type Networks = Vec<(String, AlignedBytes)>;

/// Each reading of the clock is two marks. It is read twice when a blob is opened, and before and after a run.
const MARKS: usize = 4;

fn counts_are_equal(name: &str) {
    let board = board(name).expect("it is in the table");
    let image = build_image(board, &[]).unwrap_or_else(|error| panic!("{error}"));
    let qemu = match counter().and_then(|counter| Qemu::start_counting(board, &image, &counter)) {
        Ok(qemu) => qemu,
        Err(error) => return println!("skipped: QEMU does not count instructions here: {error}"),
    };
    let (mut link, _) = Link::open(Box::new(qemu.link().expect("the file can be opened twice")), name).expect("greets");
    let networks: Networks = operators().into_iter().chain(elsewhere()).collect();
    for (network, blob) in &networks {
        let packed = repack(blob, board.blob_target()).expect("it can be packed");
        assert_eq!(link.load(&packed).expect("the board answers").status, Status::Ok, "{network}");
        for input in inputs(blob) {
            // Twice, since the clock's interrupt may fall into one run.
            for _ in 0..2 {
                link.run(&input, true).expect("the board answers");
            }
        }
    }
    let counts = qemu.counts().expect("what was counted can be read");
    // The empty built-in model first; per network loading and eight runs.
    assert_eq!(counts.len(), MARKS * (1 + 9 * networks.len()), "marks");
    let mut different = Vec::new();
    for ((network, _), counts) in networks.iter().zip(counts[MARKS..].chunks_exact(9 * MARKS)) {
        let runs: Vec<_> = counts[MARKS..].chunks_exact(MARKS).map(|marks| instructions(&marks[2])).collect();
        let least: Vec<_> = runs.chunks_exact(2).map(|twice| twice[0].min(twice[1])).collect();
        println!("{name}, {network}: {least:?}");
        if least.iter().any(|count| *count != least[0]) {
            different.push(format!("{network}: {least:?}"));
        }
    }
    assert!(different.is_empty(), "{name}: the count depends on the input: {different:#?}");
}

/// Very different inputs of the model: random, the least, the largest, zeros.
fn inputs(blob: &[u8]) -> [Vec<u8>; 4] {
    let model = Model::load(blob).expect("the blob is good");
    let bytes =
        (0..model.inputs().len()).filter_map(|i| model.input(i)).map(|t| t.elements() * t.element().bytes()).sum();
    let mut random = Random(0x2545_f491);
    [(0..bytes).map(|_| random.byte()).collect(), vec![0x80; bytes], vec![0x7f; bytes], vec![0; bytes]]
}

/// A network of each operator, some in several shapes, and one of many.
fn operators() -> Networks {
    let sliding =
        |input, channels, kernel, stride, border| Sliding { input, channels, kernel, stride, dilation: [1, 1], border };
    let first = sliding([1, 12, 11, 3], 8, [5, 5], [2, 2], Border::Valid);
    let small = sliding([1, 9, 7, 8], 13, [3, 3], [1, 1], Border::Same);
    let point = sliding([1, 6, 5, 16], 9, [1, 1], [1, 1], Border::Valid);
    let mut networks: Vec<(String, Option<Network>)> = vec![
        ("conv2d of pixels".into(), cases::conv2d(&first, 1, false)),
        ("conv2d".into(), cases::conv2d(&small, 2, false)),
        ("conv2d of unbounded channels".into(), cases::conv2d(&small, 3, true)),
        ("conv2d of one tap".into(), cases::conv2d(&point, 4, false)),
        ("depthwise conv2d".into(), cases::depthwise_conv2d(&small, 1, 5, false)),
        (
            "depthwise conv2d, stride 2".into(),
            cases::depthwise_conv2d(&Sliding { stride: [2, 2], ..small }, 1, 6, false),
        ),
        ("depthwise conv2d, multiplier 3".into(), cases::depthwise_conv2d(&first, 3, 7, false)),
        ("max pool".into(), cases::pool(&small, 8, false)),
        ("average pool".into(), cases::pool(&small, 9, true)),
        ("add".into(), Some(cases::add(&[1, 6, 5, 7], 10, false, false))),
        ("add by table".into(), Some(cases::add(&[1, 12, 12, 8], 11, false, false))),
        ("softmax".into(), Some(cases::softmax(3, 12, 0.1, 1.0, 12))),
        ("batch matmul".into(), Some(cases::batch_matmul([1, 2], [3, 7, 5], 13))),
        ("layer norm".into(), Some(cases::layer_norm(3, 20, 14))),
        ("chain".into(), Some(cases::chain(15))),
    ];
    for (seed, rounding) in [(16, Rounding::Double), (17, Rounding::Single)] {
        let network = cases::fully_connected(2, 37, 9, seed, rounding, false);
        networks.push((format!("fully connected, {rounding:?}"), Some(network)));
    }
    for (seed, (int4, int16)) in (20..).zip([(false, false), (true, false), (false, true), (true, true)]) {
        let form = Form { groups: 2, transposed: false, int4, int16 };
        networks.push((format!("{form:?}"), cases::general_conv2d(&small, form, seed, false)));
    }
    for (seed, what) in (30..).zip(Movement::ALL).chain((60..).zip(Movement::ALL)) {
        networks.push((format!("{what:?} {seed}"), Some(cases::movement(what, &[1, 3, 5, 4], seed))));
    }
    let sizes = Sequence { batch: 1, steps: 3, inputs: 10, units: 6, time_major: false, backward: false };
    for (seed, what) in (50..).zip(Recurrence::ALL) {
        networks.push((format!("{what:?}"), Some(cases::recurrent(what, &sizes, seed, false))));
    }
    let blob = |network: Network| network.to_bytes(Layout::Natural).expect("a valid network");
    networks.into_iter().map(|(name, network)| (name, blob(network.expect("a window that fits")))).collect()
}

/// Networks quantized elsewhere, where they are.
fn elsewhere() -> Networks {
    let Some(folder) = models() else { return Vec::new() };
    let options = ImportOptions { rounding: DenseRounding::Double };
    let first = REFERENCES.iter().filter(|reference| reference.who == "tflm");
    let imported = first.map(|reference| {
        let blob = import_tflite(&reference.network(&folder), &options).expect("it is imported");
        (reference.model.to_string(), blob)
    });
    imported.collect()
}

#[test]
fn m4_takes_as_many_instructions_for_every_input() {
    counts_are_equal(M4);
}

#[test]
fn m7_takes_as_many_instructions_for_every_input() {
    counts_are_equal(M7);
}

#[test]
fn m33_takes_as_many_instructions_for_every_input() {
    counts_are_equal(M33);
}

#[test]
fn m55_takes_as_many_instructions_for_every_input() {
    counts_are_equal(M55);
}

#[test]
fn a57_takes_as_many_instructions_for_every_input() {
    counts_are_equal(A57);
}
