//! A small blob of every operator, in every order of its weights, from bytes to outputs: loaded, run twice, reset, run again.
//!
//! This is what Miri watches for undefined behaviour (`scripts/miri`): sizes are the smallest that have edges.

use std::collections::BTreeSet;

use ackermann_core::blob::{AlignedBytes, Layout};
use ackermann_core::ops::{Kernels, Opcode, Reference, Selected};
use ackermann_core::{Model, Session};
use ackermann_tests::cases::Numbers;
use ackermann_tests::fuzz::seeds;

/// The outputs of two runs, and of one after a reset.
fn outputs<K: Kernels>(model: Model<'_>) -> Vec<Vec<i8>> {
    let mut arena = AlignedBytes::zeroed(model.arena_bytes());
    arena.fill(0x5a);
    let mut session = Session::new(model, &mut arena).expect("the arena the model asks for");
    let mut outputs = Vec::new();
    for run in 0..3 {
        if run == 2 {
            session.reset();
        }
        let mut numbers = Numbers(7);
        for i in 0..model.inputs().len() {
            let input = session.input_mut(i).expect("an input");
            let bytes = numbers.bytes(input.len());
            input.copy_from_slice(&bytes);
        }
        session.run_with::<K>(|_, _| ());
        outputs.push(session.output(0).expect("an output").to_vec());
    }
    outputs
}

#[test]
fn every_operator_loads_and_runs() {
    let mut operators = BTreeSet::new();
    for (index, (name, network)) in seeds::networks().into_iter().enumerate() {
        // An interpreter has no time for all: each network has its turn in another order.
        let layouts = if cfg!(miri) { &Layout::ALL[index % Layout::ALL.len()..][..1] } else { &Layout::ALL[..] };
        for layout in layouts {
            let blob = network.to_bytes(*layout).expect("a valid network");
            let model = Model::load(&blob).expect("a valid blob");
            operators.extend(model.steps().map(|step| step.operator.opcode().name()));
            let expected = outputs::<Reference>(model);
            assert_eq!(expected[0], expected[2], "{name}, {layout:?}: a reset does not forget");
            let found = outputs::<Selected>(model);
            assert!(found == expected, "{name}, {layout:?}: {found:?}, not {expected:?}");
        }
    }
    let missing: Vec<_> = Opcode::ALL.iter().filter(|opcode| !operators.contains(opcode.name())).collect();
    assert!(missing.is_empty(), "no network has {missing:?}");
}
