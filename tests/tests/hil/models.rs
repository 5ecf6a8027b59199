//! Networks quantized elsewhere answer on every board what TFLite's reference kernels answered, byte for byte. They come over the link, one
//! after another, to firmware with all operators.

use ackermann_core::blob::{AlignedBytes, repack};
use ackermann_core::{Model, Session};
use ackermann_firmware::link::Status;
use ackermann_tests::shared::{REFERENCES, int8, models};
use ackermann_trainer::board::{Logs, board, boot};
use ackermann_trainer::import::{DenseRounding, ImportOptions, import_tflite};

use crate::{A57, M4, M7, M33, M55};

/// Runs every network three times: new, once more (states go on from where they were), and after a reset.
fn answers_as_the_references(name: &str) {
    let Some(folder) = models() else { return };
    let target = board(name).expect("it is in the table").blob_target();
    let (mut link, greeting, _) = boot(name, &[], Logs::Off).unwrap_or_else(|error| panic!("{error}"));
    let mut compared = 0;
    for reference in REFERENCES {
        let rounding = if reference.who == "tflm" { DenseRounding::Double } else { DenseRounding::Single };
        let blob = import_tflite(&reference.network(&folder), &ImportOptions { rounding }).expect("it is imported");
        let packed = repack(&blob, target).expect("it can be packed");
        let (bytes, room) = (packed.len(), greeting.slot_bytes);
        assert!(bytes <= room, "{}: {bytes} bytes, and the slot of {name} has {room}", reference.model);
        let outcome = link.load(&packed).expect("the board answers");
        assert_eq!((outcome.status, outcome.reason.as_str()), (Status::Ok, ""), "{}", reference.model);
        let (input, expected) = (int8(&reference.input(&folder)), int8(&reference.output(&folder)));
        let mut run = |reset| link.run(&input, reset).expect("the board answers").output;
        for (what, found, expected) in [
            ("new", run(false), &expected),
            ("again", run(false), &second(&blob, &input)),
            ("after a reset", run(true), &expected),
        ] {
            let wrong = found.iter().zip(expected).filter(|(found, expected)| found != expected).count();
            let (model, who) = (reference.model, reference.who);
            println!("{name}, {model}, {who}, {what}: {} bytes, {wrong} wrong", found.len());
            assert_eq!((found.len(), wrong), (expected.len(), 0), "{name}, {model}, {who}, {what}");
        }
        compared += expected.len();
    }
    assert_eq!(compared, 2 * (1 + 640 + 12 + 2 + 10 + 10));
}

/// What the host answers to the same input given twice, the second time.
fn second(blob: &[u8], input: &[u8]) -> Vec<u8> {
    let model = Model::load(blob).expect("the blob is good");
    let mut arena = AlignedBytes::zeroed(model.arena_bytes());
    let mut session = Session::new(model, &mut arena).expect("the arena is as large as the model says");
    for _ in 0..2 {
        let room = session.input_mut(0).expect("there is an input");
        room.iter_mut().zip(input).for_each(|(to, from)| *to = *from as i8);
        session.run();
    }
    session.output(0).expect("there is an output").iter().map(|&value| value as u8).collect()
}

#[test]
fn m4_answers_as_the_references() {
    answers_as_the_references(M4);
}

#[test]
fn m7_answers_as_the_references() {
    answers_as_the_references(M7);
}

#[test]
fn m33_answers_as_the_references() {
    answers_as_the_references(M33);
}

#[test]
fn m55_answers_as_the_references() {
    answers_as_the_references(M55);
}

#[test]
fn a57_answers_as_the_references() {
    answers_as_the_references(A57);
}
