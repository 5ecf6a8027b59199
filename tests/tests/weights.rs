//! Weights that no writer makes: seen by whoever receives a blob, and harmless where nobody looks.

use ackermann_core::blob::format::{FLAG_NARROW, OperatorRecord};
use ackermann_core::blob::write::Network;
use ackermann_core::blob::{AlignedBytes, Layout, Rounding, received};
use ackermann_core::ops::{Dsp, Kernels, Mve, Neon, Portable, Reference, Selected, rnn};
use ackermann_core::{LoadError, Model, Session};
use ackermann_tests::cases::{self, Border, Numbers, Recurrence, Sequence, Sliding};

/// Networks of one operator whose weights need filler in most layouts, and of one that needs none.
fn networks(seed: u64) -> Vec<Network> {
    let sliding = |input, channels, kernel| Sliding {
        input,
        channels,
        kernel,
        stride: [1, 1],
        dilation: [1, 1],
        border: Border::Same,
    };
    let conv =
        |input, channels, kernel| cases::conv2d(&sliding(input, channels, kernel), seed, false).expect("it fits");
    let sequence = Sequence { batch: 1, steps: 2, inputs: 5, units: 3, time_major: false, backward: false };
    let recurrent = |what| cases::recurrent(what, &sequence, seed, false);
    vec![
        conv([1, 4, 5, 3], 5, [3, 3]),
        conv([1, 3, 3, 7], 3, [2, 3]),
        conv([1, 3, 3, 16], 16, [1, 1]),
        cases::fully_connected(2, 9, 3, seed, Rounding::Double, false),
        cases::fully_connected(1, 6, 5, seed, Rounding::Single, false),
        cases::depthwise_conv2d(&sliding([1, 4, 4, 3], 3, [3, 3]), 1, seed, false).expect("it fits"),
        recurrent(Recurrence::Lstm(Rounding::Double)),
        recurrent(Recurrence::Gru),
        recurrent(Recurrence::Rnn(rnn::Function::Tanh)),
    ]
}

/// Where the record of the one operator, and its weights, are.
fn places(blob: &[u8]) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
    let word = |at: usize| u32::from_le_bytes(blob[at..at + 4].try_into().expect("4 bytes")) as usize;
    let (records, constants) = (word(32 + 16 + 4), word(32 + 48 + 4));
    let record: OperatorRecord = bytemuck::pod_read_unaligned(&blob[records..records + 96]);
    let start = constants + record.constants[0].offset as usize;
    (records..records + 96, start..start + record.constants[0].bytes as usize)
}

/// With the checksum that its bytes have.
fn sealed(mut blob: AlignedBytes) -> AlignedBytes {
    let sum = ackermann_core::blob::format::CRC.checksum(&blob[16..]);
    blob[12..16].copy_from_slice(&sum.to_le_bytes());
    blob
}

#[test]
fn a_received_blob_has_weights_that_a_writer_makes() {
    let (mut accepted, mut refused) = (0, 0);
    for network in networks(3) {
        for layout in Layout::ALL {
            let valid = network.to_bytes(layout).expect("a valid network");
            assert!(received(&valid).is_ok());
            let (_, weights) = places(&valid);
            let step = 1 + weights.len() / 400;
            for (at, change) in weights.clone().step_by(step).flat_map(|at| [(at, 1u8), (at, 2), (at, 0x40)]) {
                let mut changed = valid.clone();
                changed[at] ^= change;
                let changed = sealed(changed);
                // The numbers of the x86 layout are the loader's, as is the size of weights in recurrent operators.
                let Ok(model) = Model::load(&changed) else { continue };
                let written = Network::from_model(&model).to_bytes(layout).expect("a valid network");
                let same = written[places(&written).1] == changed[weights.clone()];
                let expected = if same { Ok(()) } else { Err(LoadError::BadWeights { operator: 0 }) };
                assert_eq!(received(&changed).map(drop), expected, "{layout:?}, byte {at}");
                *(if same { &mut accepted } else { &mut refused }) += 1;
            }
        }
    }
    assert!(accepted > 1000 && refused > 1000, "{accepted} accepted, {refused} refused");
}

/// Overflow checks are on in tests: a sum that left its type would end them.
#[test]
fn any_bytes_as_weights_run() {
    fn run<K: Kernels>(model: Model<'_>, numbers: &mut Numbers) {
        let mut arena = AlignedBytes::zeroed(model.arena_bytes());
        arena.fill(0x81);
        let mut session = Session::new(model, &mut arena).expect("the arena the model asks for");
        for extreme in [None, Some(-128), Some(127)] {
            let input = session.input_mut(0).expect("an input");
            let bytes = numbers.bytes(input.len());
            input.iter_mut().zip(bytes).for_each(|(to, from)| *to = extreme.unwrap_or(from));
            session.run_with::<K>(|_, _| ());
        }
    }
    let mut ran = 0;
    for (seed, layout) in (0..6).flat_map(|seed| Layout::ALL.map(|layout| (seed, layout))) {
        for network in networks(seed) {
            let mut blob = network.to_bytes(layout).expect("a valid network");
            let (record, weights) = places(&blob);
            // It promises that no weight is -128, which hosts check.
            blob[record.start + 3] &= !FLAG_NARROW;
            let mut numbers = Numbers(seed);
            for byte in &mut blob[weights] {
                *byte = [0x80, 0x7f, 0xff, numbers.between(0, 255) as u8][(seed as usize).min(3)];
            }
            // Weights of the x86 layout and those of recurrent operators may be refused.
            let Ok(model) = Model::load(&blob) else { continue };
            run::<Reference>(model, &mut numbers);
            run::<Portable>(model, &mut numbers);
            run::<Dsp>(model, &mut numbers);
            run::<Mve>(model, &mut numbers);
            run::<Neon>(model, &mut numbers);
            run::<Selected>(model, &mut numbers);
            ran += 1;
        }
    }
    assert!(ran > 150, "only {ran} ran");
}
