//! What a board says to damaged, missing and hostile input, and that it goes on afterwards.

use ackermann_core::blob::write::{Network, OperatorKind, TensorSpec};
use ackermann_core::blob::{Activation, AlignedBytes, Layout, Window};
use ackermann_firmware::control::Phase;
use ackermann_firmware::link::{Answer, Pong, Reply, Request, Status, encode, max_encoded};
use ackermann_trainer::Frame;
use ackermann_trainer::board::{HOST, Link, Logs, board, boot};

use crate::{A57, M4, M7, M33, M55, net, reference, time_us};

/// Duty of a neutral pulse: 1.5 ms of a 20 ms period that has 60,000 counts.
const NEUTRAL: u16 = 4_500;
/// Duty of the throttle while driving: 1.6 ms.
const CRUISE: u16 = 4_800;

/// A board, and the frames sent to it so far.
struct Car {
    link: Link,
    frames: u32,
    blob: AlignedBytes,
    max_body: usize,
}

impl Car {
    fn start(name: &str) -> Self {
        let blob = net::blob();
        let (link, greeting, _) = boot(name, &blob, Logs::Off).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((greeting.status, greeting.model.as_str()), (Status::Ok, "hil-small"));
        assert_eq!((greeting.board.as_str(), greeting.input), (name, [32, 96, 3]));
        Self { link, frames: 0, blob, max_body: greeting.max_body }
    }

    fn now(&self) -> u64 {
        time_us(self.frames)
    }

    fn next_frame(&mut self) -> Frame {
        self.frames += 1;
        net::frame(self.frames, net::INPUT.0, net::INPUT.1)
    }

    fn send(&mut self, frame: &Frame) -> Reply {
        self.link.frame(self.now(), frame).expect("the board answers")
    }

    /// The next good frame is served, whatever was before.
    fn is_served(&mut self) {
        let frame = self.next_frame();
        let reply = self.send(&frame);
        assert_eq!((reply.status, reply.phase), (Status::Ok, Phase::Driving));
        assert_eq!(reply.outputs.to_vec(), reference(&self.blob, &frame));
        assert_eq!(reply.throttle_duty, CRUISE);
    }

    /// The car is in the safe state for `cause`.
    fn is_safe(&mut self, cause: Status) -> Pong {
        let pong = self.link.tick(self.now()).expect("the board answers");
        assert_eq!((pong.cause, pong.throttle_duty), (cause, NEUTRAL));
        assert_ne!(pong.phase, Phase::Driving);
        pong
    }

    fn sealed_frame(&mut self) -> Vec<u8> {
        let frame = self.next_frame();
        let time_us = self.now();
        let request = Request::Frame { time_us, height: 32, width: 96, rgb: &frame.rgb };
        self.link.seal(&request).1
    }
}

fn damaged_messages(name: &str) {
    let mut car = Car::start(name);
    car.is_served();

    let mut wire = car.sealed_frame();
    // From block to block of the COBS coding, to a byte that carries data.
    let mut block = 1;
    while block < wire.len() / 2 || wire[block] < 2 {
        block += usize::from(wire[block]);
    }
    wire[block + 1] = if wire[block + 1] == 1 { 2 } else { 1 };
    car.link.send_raw(&wire).expect("sent");
    assert_eq!(car.link.complaint(), Ok(Status::Corrupt));
    assert_eq!(car.is_safe(Status::Corrupt).phase, Phase::Holding);
    car.is_served();

    let wire = car.sealed_frame();
    // Cut anywhere: the zero of the next message ends it.
    for cut in [2, 9, wire.len() / 3, wire.len() - 2] {
        car.link.send_raw(&wire[..cut]).expect("sent");
        car.link.send_raw(&[0]).expect("sent");
        assert_eq!(car.link.complaint(), Ok(Status::Truncated), "cut at {cut}");
        car.is_safe(Status::Truncated);
        car.is_served();
    }

    let long = vec![7; car.max_body + 1];
    let mut wire = vec![0; max_encoded(long.len())];
    let length = encode(3, 1, &[&long], &mut wire).expect("the buffer suffices");
    car.link.send_raw(&wire[..length]).expect("sent");
    assert_eq!(car.link.complaint(), Ok(Status::TooLong));
    car.is_served();

    let mut wire = vec![0; 64];
    for (kind, status) in [(99, Status::UnknownKind), (2, Status::BadBody)] {
        let length = encode(kind, 0, &[&[1, 2, 3]], &mut wire).expect("the buffer suffices");
        car.link.send_raw(&wire[..length]).expect("sent");
        assert_eq!(car.link.complaint(), Ok(status));
        car.is_safe(status);
        car.is_served();
    }
}

fn unusable_frames(name: &str) {
    let mut car = Car::start(name);
    car.is_served();

    let frame = car.next_frame();
    for repetition in 0..10 {
        car.frames += 1;
        let expected = if repetition < 5 { Status::Ok } else { Status::Frozen };
        assert_eq!(car.send(&frame).status, expected, "repetition {repetition}");
    }
    car.is_safe(Status::Frozen);
    car.is_served();

    let old = car.now();
    car.frames += 8;
    let now = car.now();
    car.link.tick(now).expect("the board answers");
    let frame = net::frame(999, 32, 96);
    assert_eq!(car.link.frame(old, &frame).expect("the board answers").status, Status::Late);
    car.is_safe(Status::Late);
    car.is_served();

    let reply = car.send(&Frame::black(0, 0));
    assert_eq!((reply.status, reply.outputs.len()), (Status::WrongSize, 0));
    car.is_served();
}

fn silence(name: &str) {
    let mut car = Car::start(name);
    let mut last = 0;
    for _ in 0..20 {
        car.is_served();
        last = car.link.tick(car.now()).expect("the board answers").steering.to_bits();
        if last.abs() > 65_536 {
            break;
        }
    }
    assert!(last.abs() > 65_536, "no frame steered away from the middle");

    // 9 frames are the silence limit, 15 more the time of holding; then the wheels need some frames to return.
    car.frames += 8;
    let pong = car.link.tick(car.now()).expect("the board answers");
    assert_eq!((pong.phase, pong.steering.to_bits()), (Phase::Driving, last));
    car.frames += 2;
    let pong = car.is_safe(Status::Silence);
    assert_eq!((pong.phase, pong.steering.to_bits(), pong.safe_entries), (Phase::Holding, last, 1));
    car.frames += 16;
    assert_eq!(car.is_safe(Status::Silence).phase, Phase::Centring);
    car.frames += 30;
    let pong = car.is_safe(Status::Silence);
    assert_eq!((pong.steering.to_bits(), pong.servo_duty), (0, NEUTRAL));
    car.is_served();
    assert_eq!(car.link.tick(car.now()).expect("the board answers").cause, Status::Ok);
}

fn blobs(name: &str) {
    let mut car = Car::start(name);
    car.is_served();

    let mut bad = car.blob.to_vec();
    let last = bad.len() - 20;
    bad[last] ^= 0x10;
    let outcome = car.link.load(&bad).expect("the board answers");
    assert_eq!((outcome.status, outcome.reason.as_str()), (Status::BlobRefused, "BadChecksum"));
    car.is_served();

    let outcome = car.link.load(&vec![0; 5 << 20]).expect("the board answers");
    assert_eq!(outcome.status, Status::BlobTooLarge);
    car.is_served();

    let outcome = car.link.load(&wide(name)).expect("the board answers");
    assert_eq!((outcome.status, outcome.reason.as_str()), (Status::ArenaTooSmall, "ArenaTooSmall"));
    car.is_served();

    let piece = Request::Load { total: 100, offset: 50, bytes: &[1, 2, 3] };
    match car.link.ask(&piece).expect("the board answers") {
        Answer::Loaded(loaded) => assert_eq!(loaded.status, Status::BlobOutOfOrder),
        other => panic!("{other:?}"),
    }
    car.is_served();

    // An upload that stops half-way: the next frame finds the model of before.
    let half = Request::Load { total: 100, offset: 0, bytes: &[1, 2, 3] };
    match car.link.ask(&half).expect("the board answers") {
        Answer::Loaded(loaded) => assert_eq!((loaded.status, loaded.stored), (Status::BlobIncomplete, 3)),
        other => panic!("{other:?}"),
    }
    car.is_served();

    car.blob = other(name);
    assert_eq!(car.link.load(&car.blob).expect("the board answers").status, Status::Ok);
    car.is_served();
    car.is_served();
}

/// In the orders of weights that the board's image was built for; the host takes any.
fn packed(network: &Network, name: &str) -> AlignedBytes {
    let target = board(name).map_or(Layout::Natural.into(), |board| board.blob_target());
    network.to_bytes(target).expect("the network is well-formed")
}

/// The same network with other weights in its last layer.
fn other(name: &str) -> AlignedBytes {
    let mut network = net::network();
    if let Some(OperatorKind::FullyConnected { weighted }) = network.operators.last_mut().map(|last| &mut last.kind) {
        weighted.weights.reverse();
    }
    packed(&network, name)
}

/// The first convolution over a picture that is alone larger than the arenas set aside.
fn wide(name: &str) -> AlignedBytes {
    let Network { mut tensors, mut operators, metadata, .. } = net::network();
    tensors.truncate(2);
    operators.truncate(1);
    tensors[0].shape = vec![1, 641, 641, 3];
    tensors[1].shape = vec![1, 320, 320, 8];
    tensors[1].arena_offset = 1_232_656;
    let network = Network { tensors, operators, inputs: vec![0], outputs: vec![1], metadata };
    packed(&network, name)
}

fn no_model(name: &str) {
    let (link, greeting, _) = boot(name, &[], Logs::Off).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((greeting.status, greeting.model.as_str()), (Status::NoModel, "Missing"));
    let mut car = Car { link, frames: 0, blob: net::blob(), max_body: greeting.max_body };
    let frame = car.next_frame();
    let reply = car.send(&frame);
    assert_eq!((reply.status, reply.throttle_duty, reply.servo_duty), (Status::NoModel, NEUTRAL, NEUTRAL));
    assert_eq!(car.link.load(&car.blob).expect("the board answers").status, Status::Ok);
    car.is_served();
    assert_eq!(car.link.hello().expect("the board answers").model, "hil-small");
}

macro_rules! on_every_board {
    ($($case:ident),*) => {
        mod host {
            $(#[test] fn $case() { super::$case(super::HOST); })*
        }
        mod m4 {
            $(#[test] fn $case() { super::$case(super::M4); })*
        }
        mod m7 {
            $(#[test] fn $case() { super::$case(super::M7); })*
        }
        mod m33 {
            $(#[test] fn $case() { super::$case(super::M33); })*
        }
        mod m55 {
            $(#[test] fn $case() { super::$case(super::M55); })*
        }
        mod a57 {
            $(#[test] fn $case() { super::$case(super::A57); })*
        }
    };
}

/// A blob that needs an operator which the image of `net::blob` does without.
fn left_out(name: &str) {
    let mut car = Car::start(name);
    let outcome = car.link.load(&pooled(name)).expect("the board answers");
    assert_eq!((outcome.status, outcome.reason.as_str()), (Status::OperatorLeftOut, "average_pool"));
    car.is_served();
}

/// The network with a pool behind its first convolution.
fn pooled(name: &str) -> AlignedBytes {
    let Network { mut tensors, mut operators, metadata, .. } = net::network();
    tensors.truncate(3);
    operators.truncate(2);
    tensors[2] = TensorSpec { shape: vec![1, 15, 47, 8], arena_offset: 14_864, ..tensors[1].clone() };
    let window = Window { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], padding: [0, 0] };
    operators[1].kind = OperatorKind::AveragePool { window, activation: Activation::NONE };
    let network = Network { tensors, operators, inputs: vec![0], outputs: vec![2], metadata };
    packed(&network, name)
}

/// Boards whose images were built for one blob; the host has all operators.
mod images {
    #[test]
    fn m4_refuses_an_operator_that_was_left_out() {
        super::left_out(super::M4);
    }

    #[test]
    fn a57_refuses_an_operator_that_was_left_out() {
        super::left_out(super::A57);
    }
}

on_every_board!(damaged_messages, unusable_frames, silence, blobs, no_model);
