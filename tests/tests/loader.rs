//! The loader against damaged and hostile blobs: a named error, or a model that runs.

use std::mem::offset_of;

use ackermann_core::blob::format::{Channel, Header, OperatorRecord};
use ackermann_core::blob::write::{Network, OperatorKind, WriteError};
use ackermann_core::blob::{AlignedBytes, GeneralSpec, LayerNormSpec, Layout, arena_bytes, repack, verify_checksum};
use ackermann_core::{LoadError, Model, Session, SessionError};
use ackermann_tests::cases::{self, Numbers};

fn blob(layout: Layout) -> AlignedBytes {
    cases::chain(5).to_bytes(layout).expect("a valid network")
}

/// Loads, and runs if that succeeds and the arena is not absurd.
fn load_and_run(blob: &[u8]) -> Result<(), LoadError> {
    let model = Model::load(blob)?;
    let inputs = (0..).map_while(|i| model.input(i)).map(|t| t.elements()).sum::<usize>();
    if model.arena_bytes() < 1 << 20 && model.macs() < 1 << 22 && inputs > 0 {
        let mut arena = AlignedBytes::zeroed(model.arena_bytes());
        let mut session = Session::new(model, &mut arena).expect("the arena the model asks for");
        session.input_mut(0).expect("an input").fill(-7);
        session.run();
    }
    Ok(())
}

#[test]
fn every_byte_changed_is_refused_or_runs() {
    for layout in Layout::ALL {
        let valid = blob(layout);
        let mut refused = 0;
        for at in 0..valid.len() {
            for change in [1u8, 0x80, 0xff] {
                let mut bytes = valid.clone();
                bytes[at] ^= change;
                let verdict = load_and_run(&bytes);
                refused += usize::from(verdict.is_err());
                // The first words are not under the checksum: each has only one right value.
                if at < 12 {
                    assert!(verdict.is_err(), "byte {at}");
                } else {
                    assert_eq!(verify_checksum(&bytes), Err(LoadError::BadChecksum), "byte {at}");
                }
            }
        }
        assert!(refused > 1000, "only {refused} refused");
    }
}

#[test]
fn every_byte_of_general_operators_changed_is_refused_or_runs() {
    let sliding = cases::Sliding {
        input: [1, 4, 5, 2],
        channels: 3,
        kernel: [2, 3],
        stride: [2, 1],
        dilation: [1, 1],
        border: cases::Border::Same,
    };
    let general = |transposed, int4, int16| {
        cases::general_conv2d(&sliding, cases::Form { groups: 2, transposed, int4, int16 }, 7, false).expect("it fits")
    };
    let networks = [
        general(false, false, true),
        general(true, true, false),
        general(true, false, true),
        cases::batch_matmul([2, 2], [3, 4, 5], 1),
        cases::layer_norm(2, 9, 3),
    ];
    for network in networks {
        let valid = network.to_bytes(Layout::Natural).expect("a valid network");
        let mut refused = 0;
        for at in 12..valid.len() {
            for change in [1u8, 0x80, 0xff] {
                let mut bytes = valid.clone();
                bytes[at] ^= change;
                refused += usize::from(load_and_run(&bytes).is_err());
            }
        }
        assert!(refused > 500, "only {refused} refused");
    }
}

/// What the loader says of `network` after `change` of its one operator.
fn refused(mut network: Network, change: impl FnOnce(&mut OperatorKind)) -> LoadError {
    assert!(network.to_bytes(Layout::Natural).is_ok());
    change(&mut network.operators[0].kind);
    match network.to_bytes(Layout::Natural) {
        Err(WriteError::Refused(error)) => error,
        other => panic!("not refused by the loader: {other:?}"),
    }
}

#[test]
fn general_operators_are_checked() {
    let form = |int16| cases::Form { groups: 2, transposed: false, int4: false, int16 };
    let general = |int16, change: fn(&mut GeneralSpec)| {
        refused(cases::general_matrix(2, 8, 4, form(int16), 1), |kind| match kind {
            OperatorKind::GeneralConv2d(spec) => change(spec),
            _ => panic!("no general convolution"),
        })
    };
    let operator = 0;
    assert_eq!(general(true, |spec| spec.bias[0] = 1 << 47), LoadError::AccumulatorOverflow { operator });
    assert_eq!(general(false, |spec| spec.bias[1] = 1 << 31), LoadError::AccumulatorOverflow { operator });
    assert_eq!(general(false, |spec| spec.bias[1] = -(1 << 31)), LoadError::AccumulatorOverflow { operator });
    assert_eq!(general(true, |spec| spec.multipliers[3].1 = 8), LoadError::BadMultiplier { operator });
    assert_eq!(general(false, |spec| spec.multipliers[3].0 = -1), LoadError::BadMultiplier { operator });
    assert_eq!(general(false, |spec| spec.range = [-129, 127]), LoadError::BadParameter { operator });
    assert_eq!(general(true, |spec| spec.range = [1, 0]), LoadError::BadParameter { operator });
    assert_eq!(general(true, |spec| spec.groups = 3), LoadError::ShapeMismatch { operator });
    assert_eq!(general(true, |spec| spec.window.stride = [1, 2]), LoadError::ShapeMismatch { operator });
    let matmul = refused(cases::batch_matmul([1, 1], [2, 3, 4], 1), |kind| match kind {
        OperatorKind::BatchMatmul(spec) => spec.scale.shift = 14,
        _ => panic!("no product"),
    });
    assert_eq!(matmul, LoadError::AccumulatorOverflow { operator });
    let norm = |change: fn(&mut LayerNormSpec)| {
        refused(cases::layer_norm(2, 5, 1), |kind| match kind {
            OperatorKind::LayerNorm(spec) => change(spec),
            _ => panic!("no layer normalization"),
        })
    };
    assert_eq!(norm(|spec| spec.epsilon = 0), LoadError::BadParameter { operator });
    assert_eq!(norm(|spec| spec.scale.shift = 8), LoadError::BadMultiplier { operator });
    assert_eq!(norm(|spec| spec.gamma.truncate(4)), LoadError::BadConstant { operator });
}

#[test]
fn several_bytes_changed_are_refused_or_run() {
    let valid = blob(Layout::Dsp);
    let mut numbers = Numbers(99);
    for _ in 0..20_000 {
        let mut bytes = valid.clone();
        for _ in 0..numbers.between(1, 4) {
            // Most of the structure is at the front and at words' lower bytes.
            let at = numbers.between(16, 1000.min(bytes.len() as i64 - 1)) as usize;
            bytes[at] = numbers.between(0, 255) as u8;
        }
        let _ = load_and_run(&bytes);
    }
}

#[test]
fn every_truncation_is_refused() {
    let valid = blob(Layout::Natural);
    for length in 0..valid.len() {
        let mut bytes = AlignedBytes::copy_of(&valid[..length]);
        assert!(Model::load(&bytes).is_err(), "{length} bytes");
        if length >= 32 {
            bytes[offset_of!(Header, total_bytes)..][..4].copy_from_slice(&(length as u32).to_le_bytes());
            assert!(Model::load(&bytes).is_err(), "{length} bytes, and it says so");
        }
    }
}

#[test]
fn the_frame_is_checked() {
    let valid = blob(Layout::Natural);
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = valid.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        Model::load(&changed).err()
    };
    assert_eq!(with(0, b"ACKN"), Some(LoadError::BadMagic));
    assert_eq!(with(4, &[1, 0]), Some(LoadError::UnsupportedVersion { version: 1 }));
    assert_eq!(with(6, &[1]), Some(LoadError::UnknownFlags));
    assert_eq!(with(8, &[0, 0, 0, 1]), Some(LoadError::WrongLength { stated: 1 << 24 }));
    assert_eq!(with(16, &[1]), Some(LoadError::ArenaTooLarge));
    assert_eq!(with(20, &[4]), Some(LoadError::BadSections));
    assert_eq!(with(32, &[2]), Some(LoadError::BadSections));
    assert_eq!(Model::load(&AlignedBytes::zeroed(0)).err(), Some(LoadError::TooShort));
    let shifted = AlignedBytes::copy_of(&[&[0u8; 4], &valid[..]].concat());
    assert_eq!(Model::load(&shifted[4..]).err(), Some(LoadError::Misaligned));
}

/// What the loader says of the chain after `change`.
fn refusal(change: impl FnOnce(&mut Network)) -> LoadError {
    let mut network = cases::chain(5);
    change(&mut network);
    match network.to_bytes(Layout::Natural) {
        Err(WriteError::Refused(error)) => error,
        other => panic!("not refused by the loader: {other:?}"),
    }
}

fn weighted(network: &mut Network, operator: usize) -> &mut ackermann_core::blob::write::WeightedSpec {
    match &mut network.operators[operator].kind {
        OperatorKind::Conv2d { weighted, .. } | OperatorKind::FullyConnected { weighted } => weighted,
        _ => panic!("no weights"),
    }
}

#[test]
fn tensors_are_checked() {
    assert_eq!(refusal(|n| n.tensors[1].shape[2] = 0), LoadError::BadShape { tensor: 1 });
    assert_eq!(refusal(|n| n.tensors[0].shape = vec![1, 70_000, 1, 1]), LoadError::BadShape { tensor: 0 });
    assert_eq!(refusal(|n| n.tensors[2].scale = f32::NAN), LoadError::BadQuantization { tensor: 2 });
    assert_eq!(refusal(|n| n.tensors[2].scale = 0.0), LoadError::BadQuantization { tensor: 2 });
    assert_eq!(refusal(|n| n.tensors[3].zero_point = 128), LoadError::BadQuantization { tensor: 3 });
    assert_eq!(refusal(|n| n.tensors[3].arena_offset = 8), LoadError::OutsideArena { tensor: 3 });
    assert_eq!(refusal(|n| n.tensors[1].arena_offset = 320), LoadError::LiveOverlap { tensor: 1 });
    assert_eq!(refusal(|n| n.tensors[5].arena_offset = 64), LoadError::LiveOverlap { tensor: 5 });
    let unused = |n: &mut Network| n.tensors.push(n.tensors[6].clone());
    assert_eq!(refusal(unused), LoadError::NotProduced { tensor: 7 });
    let many = |n: &mut Network| (0..256).for_each(|_| n.tensors.push(n.tensors[6].clone()));
    assert_eq!(refusal(many), LoadError::TooManyTensors);
}

#[test]
fn operators_are_checked() {
    assert_eq!(refusal(|n| n.operators[1].inputs = vec![2]), LoadError::OutOfOrder { operator: 1 });
    assert_eq!(refusal(|n| n.operators[1].inputs = vec![9]), LoadError::BadOperands { operator: 1 });
    assert_eq!(refusal(|n| n.operators[1].inputs = vec![1, 1]), LoadError::BadOperands { operator: 1 });
    assert_eq!(refusal(|n| n.operators[1].inputs.clear()), LoadError::BadOperands { operator: 1 });
    assert_eq!(refusal(|n| n.tensors[1].shape[1] = 6), LoadError::ShapeMismatch { operator: 0 });
    assert_eq!(refusal(|n| n.tensors[2].scale = 0.06), LoadError::QuantizationMismatch { operator: 1 });
    assert_eq!(refusal(|n| weighted(n, 0).multipliers[2].0 = -1), LoadError::BadMultiplier { operator: 0 });
    assert_eq!(refusal(|n| weighted(n, 5).multipliers[2].1 = 31), LoadError::BadMultiplier { operator: 5 });
    assert_eq!(refusal(|n| weighted(n, 5).multipliers[2].1 = 30), LoadError::AccumulatorOverflow { operator: 5 });
    assert_eq!(
        refusal(|n| weighted(n, 5).bias[0] = i32::MAX - 100_000),
        LoadError::AccumulatorOverflow { operator: 5 }
    );
    assert_eq!(refusal(|n| weighted(n, 0).activation.min = 127), LoadError::BadParameter { operator: 0 });
    let huge = |n: &mut Network| match &mut n.operators[2].kind {
        OperatorKind::AveragePool { window, .. } => window.kernel = [4095, 4095],
        _ => panic!("no pool"),
    };
    assert_eq!(refusal(huge), LoadError::BadParameter { operator: 2 });
    assert_eq!(refusal(|n| n.outputs = vec![6, 6]), LoadError::BadEndpoints);
    assert_eq!(refusal(|n| n.inputs.clear()), LoadError::BadEndpoints);
    assert_eq!(refusal(|n| n.operators.clear()), LoadError::TooManyOperators);
}

/// The blob of the chain after `change` of operator record 0 or its first channel.
fn record_refusal(change: impl FnOnce(&mut OperatorRecord, &mut Channel)) -> Option<LoadError> {
    let mut bytes = blob(Layout::Natural);
    let word = |bytes: &[u8], at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes")) as usize;
    let (records, constants) = (word(&bytes, 32 + 16 + 4), word(&bytes, 32 + 48 + 4));
    let mut record: OperatorRecord = bytemuck::pod_read_unaligned(&bytes[records..records + 96]);
    let place = constants + record.constants[1].offset as usize;
    let mut channel: Channel = bytemuck::pod_read_unaligned(&bytes[place..place + 16]);
    change(&mut record, &mut channel);
    bytes[records..records + 96].copy_from_slice(bytemuck::bytes_of(&record));
    bytes[place..place + 16].copy_from_slice(bytemuck::bytes_of(&channel));
    Model::load(&bytes).err()
}

#[test]
fn records_are_checked() {
    let operator = 0;
    assert_eq!(record_refusal(|_, _| ()), None);
    assert_eq!(record_refusal(|r, _| r.opcode = 99), Some(LoadError::UnknownOperator { operator }));
    assert_eq!(record_refusal(|r, _| r.layout = 9), Some(LoadError::UnknownOption { operator }));
    assert_eq!(record_refusal(|r, _| r.rounding = 1), Some(LoadError::NotBounded { operator }));
    assert_eq!(record_refusal(|r, _| r.flags = 2), Some(LoadError::UnknownOption { operator }));
    assert_eq!(record_refusal(|r, _| r.inputs[1] = 0), Some(LoadError::BadOperands { operator }));
    assert_eq!(record_refusal(|r, _| r.parameters[2] = 0), Some(LoadError::BadParameter { operator }));
    assert_eq!(record_refusal(|r, _| r.parameters[10] = 3), Some(LoadError::BadParameter { operator }));
    assert_eq!(record_refusal(|r, _| r.constants[0].bytes -= 1), Some(LoadError::BadConstant { operator }));
    assert_eq!(record_refusal(|r, _| r.constants[0].offset = u32::MAX), Some(LoadError::BadConstant { operator }));
    assert_eq!(record_refusal(|r, _| r.scratch_bytes = 0), Some(LoadError::BadScratch { operator }));
    assert_eq!(record_refusal(|r, _| r.scratch_offset = 304), Some(LoadError::BadScratch { operator }));
    assert_eq!(record_refusal(|_, c| c.rounding += 1), Some(LoadError::BadMultiplier { operator }));
    assert_eq!(record_refusal(|_, c| c.bias = 1 << 29), Some(LoadError::NotBounded { operator }));
}

#[test]
fn a_blob_says_what_was_written() {
    let network = cases::chain(5);
    let natural = blob(Layout::Natural);
    let model = Model::load(&natural).expect("valid");
    assert_eq!(Network::from_model(&model), network);
    assert_eq!(model.metadata().get("output.full_scale_deg"), Some("25"));
    assert_eq!(model.operator_name(3), Some("layer 3"));
    assert_eq!(verify_checksum(&natural), Ok(()));
    assert_eq!(verify_checksum(&natural[..15]), Err(LoadError::TooShort));
    assert_eq!(arena_bytes(&natural), model.arena_bytes());
    assert_eq!(arena_bytes(b"something else, longer"), 0);
    let board = repack(&natural, Layout::Dsp).expect("valid");
    assert_eq!(board, blob(Layout::Dsp));
    assert_eq!(repack(&board, Layout::Natural).expect("valid"), natural);
}

#[test]
fn a_session_refuses_a_wrong_arena() {
    let blob = blob(Layout::Natural);
    let model = Model::load(&blob).expect("valid");
    let needed = model.arena_bytes();
    let mut arena = AlignedBytes::zeroed(needed + 16);
    let error = Session::new(model, &mut arena[..needed - 1]).err();
    assert_eq!(error, Some(SessionError::ArenaTooSmall { needed, given: needed - 1 }));
    assert_eq!(Session::new(model, &mut arena[8..]).err(), Some(SessionError::ArenaMisaligned));
    let text = SessionError::ArenaTooSmall { needed: 32, given: 16 }.to_string();
    assert_eq!(text, "the arena is smaller than the model needs (needed 32) (given 16)");
}

/// Sums of earlier tensors, each tensor at one of a few places, against a look at every pair of tensors, of which `a` is the later one.
#[test]
fn a_plan_is_accepted_where_no_two_live_tensors_share_bytes() {
    let mut verdicts = [0, 0];
    for seed in 0..4000 {
        let mut numbers = Numbers(seed);
        let mut any = |most: usize| numbers.between(0, most as i64) as usize;
        let mut network = cases::add(&[20], seed, false, false);
        let (tensor, sum) = (network.tensors.remove(0), network.operators.remove(0));
        let (inputs, operators) = (1 + any(2), 1 + any(5));
        let count = inputs + operators;
        network.tensors = vec![tensor; count];
        // Two blocks each: they meet in halves too.
        network.tensors.iter_mut().for_each(|tensor| tensor.arena_offset = 16 * any(2 * count) as u32);
        let reads: Vec<[usize; 2]> = (0..operators).map(|i| [any(inputs + i - 1), any(inputs + i - 1)]).collect();
        let operator = |(i, reads): (usize, &[usize; 2])| {
            let (inputs, output) = (reads.map(|read| read as u16).to_vec(), (inputs + i) as u16);
            ackermann_core::blob::write::OperatorSpec { inputs, output, ..sum.clone() }
        };
        network.operators = reads.iter().enumerate().map(operator).collect();
        (network.inputs, network.outputs) = ((0..inputs as u16).collect(), vec![count as u16 - 1]);
        let life = |tensor: usize| {
            let first = (tensor + 1).saturating_sub(inputs);
            let last = reads.iter().rposition(|reads| reads.contains(&tensor)).map_or(first, |at| at + 1);
            first..=if tensor == count - 1 { operators + 1 } else { last }
        };
        let shares = |a: usize, b: usize| {
            let [x, y] = [a, b].map(|tensor| network.tensors[tensor].arena_offset);
            let together = life(a).any(|moment| life(b).contains(&moment));
            // A sum may take the place of what it is the last to read.
            let reads_it = a.checked_sub(inputs).is_some_and(|operator| reads[operator].contains(&b));
            let in_place = reads_it && life(b).end() == life(a).start() && x == y;
            together && x.abs_diff(y) < 20 && !in_place
        };
        let clean = (0..count).all(|a| (0..a).all(|b| !shares(a, b)));
        match network.to_bytes(Layout::Natural) {
            Ok(_) => assert!(clean, "seed {seed}"),
            Err(WriteError::Refused(LoadError::LiveOverlap { .. })) => assert!(!clean, "seed {seed}"),
            other => panic!("{other:?}"),
        }
        verdicts[usize::from(clean)] += 1;
    }
    assert!(verdicts.iter().all(|count| *count > 400), "{verdicts:?}");
}

#[test]
fn metadata_is_text() {
    let named = |name: &str| {
        let mut network = cases::chain(5);
        network.metadata[0].1 = name.into();
        network.to_bytes(Layout::Natural).expect("valid")
    };
    for name in ["Netz für Kurven", &"long ".repeat(60)] {
        let blob = named(name);
        assert_eq!(Model::load(&blob).map(|model| model.metadata().get("network.name") == Some(name)), Ok(true));
    }
    let cut = |blob: &AlignedBytes, letter: &str| {
        let mut blob = blob.clone();
        let at = blob.windows(letter.len()).rposition(|window| window == letter.as_bytes()).expect("the letter");
        blob[at] = 0xff;
        Model::load(&blob).err()
    };
    assert_eq!(cut(&named("für"), "ü"), Some(LoadError::BadMetadata));
    assert_eq!(cut(&named("fur"), "fur"), Some(LoadError::BadMetadata));
}
