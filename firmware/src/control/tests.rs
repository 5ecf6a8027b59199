use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use ackermann_core::blob::write::{Network as Spec, OperatorKind, OperatorSpec, TensorSpec, WeightedSpec};
use ackermann_core::blob::{Activation, AlignedBytes, Layout, Rounding, keys};
use ackermann_core::quantized::quantize_multiplier;
use embedded_hal::pwm::{ErrorKind, ErrorType};

use super::*;
use crate::link::{Answer, Inbox, Reply, encode, max_encoded};
use crate::servo::Degrees;

const NEUTRAL: u16 = 4_500;
const CRUISE: u16 = 4_800;

/// Everything outside of the loop.
#[derive(Debug, Default)]
struct World {
    to_board: VecDeque<u8>,
    from_board: Vec<u8>,
    /// Bytes that the transport still takes.
    room: usize,
    now_us: u64,
    ticks: u32,
    ticks_per_reading: u32,
    servo_broken: bool,
}

#[derive(Debug, Clone, Default)]
struct Shared(Rc<RefCell<World>>);

impl Transport for Shared {
    fn read(&mut self, buffer: &mut [u8]) -> usize {
        let world = &mut *self.0.borrow_mut();
        let length = buffer.len().min(world.to_board.len());
        for (slot, byte) in buffer.iter_mut().zip(world.to_board.drain(..length)) {
            *slot = byte;
        }
        length
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        let mut world = self.0.borrow_mut();
        let length = bytes.len().min(world.room);
        world.room -= length;
        world.from_board.extend(&bytes[..length]);
        length
    }
}

impl Clock for Shared {
    const TICK_PICOS: u32 = 1_000_000;

    fn now_us(&mut self) -> u64 {
        self.0.borrow().now_us
    }

    fn ticks(&mut self) -> u32 {
        let mut world = self.0.borrow_mut();
        world.ticks = world.ticks.wrapping_add(world.ticks_per_reading);
        world.ticks
    }

    fn advance(&mut self, elapsed_us: u64) {
        self.0.borrow_mut().now_us += elapsed_us;
    }
}

impl ErrorType for Shared {
    type Error = ErrorKind;
}

impl SetDutyCycle for Shared {
    fn max_duty_cycle(&self) -> u16 {
        60_000
    }

    fn set_duty_cycle(&mut self, _: u16) -> Result<(), ErrorKind> {
        if self.0.borrow().servo_broken { Err(ErrorKind::Other) } else { Ok(()) }
    }
}

/// A network of 2 x 2 pixels whose `outputs` outputs are each the mean of its input.
fn blob(outputs: usize, full_scale: &str) -> AlignedBytes {
    described(outputs, &[(keys::FULL_SCALE_DEG, full_scale)])
}

/// The same with any metadata.
fn described(outputs: usize, metadata: &[(&str, &str)]) -> AlignedBytes {
    let tensor = |shape: &[u32], arena_offset| TensorSpec {
        shape: shape.to_vec(),
        scale: 1.0 / 128.0,
        zero_point: 0,
        arena_offset,
        ..TensorSpec::default()
    };
    let weighted = WeightedSpec {
        weights: vec![1; 12 * outputs],
        bias: vec![0; outputs],
        multipliers: vec![quantize_multiplier(1.0 / 12.0); outputs],
        rounding: Rounding::Double,
        activation: Activation::NONE,
    };
    let kind = OperatorKind::FullyConnected { weighted };
    let spec = Spec {
        tensors: vec![tensor(&[1, 2, 2, 3], 0), tensor(&[1, outputs as u32], 16)],
        operators: vec![OperatorSpec { inputs: vec![0], output: 1, kind, name: String::new() }],
        inputs: vec![0],
        outputs: vec![1],
        metadata: metadata.iter().map(|&(key, value)| (key.into(), value.into())).collect(),
    };
    spec.to_bytes(Layout::Natural).unwrap()
}

struct Bench {
    world: Shared,
    control: ControlLoop<'static, Shared, Shared, Shared, Shared>,
    blob: AlignedBytes,
    sequence: u32,
    time_us: u64,
}

impl Bench {
    fn new() -> Self {
        Self::with(blob(1, "25"))
    }

    fn with(blob: AlignedBytes) -> Self {
        let world = Shared::default();
        world.0.borrow_mut().room = usize::MAX;
        let board = Board {
            name: "bench",
            transport: world.clone(),
            servo: world.clone(),
            throttle: world.clone(),
            clock: world.clone(),
            stack_bytes: || 0,
            slot_bytes: 0,
            arena_room: 1024,
        };
        let control = ControlLoop::new(Config::default(), board, vec![0; 4096].leak());
        Self { world, control, blob, sequence: 0, time_us: 0 }
    }

    fn send(&self, sequence: u32, request: &Request<'_>) {
        let (head, bulk) = request.parts();
        let mut wire = vec![0; max_encoded(head.len() + bulk.len())];
        let length = encode(request.kind(), sequence, &[&head, bulk], &mut wire).unwrap();
        self.world.0.borrow_mut().to_board.extend(&wire[..length]);
    }

    fn step(&mut self) -> Step {
        let mut arena = AlignedBytes::zeroed(1024);
        let mut network = Network::open(&self.blob, &mut arena);
        self.control.step(match &mut network {
            Ok(network) => Stage::Ready(network),
            Err(refusal) => Stage::Empty(*refusal),
        })
    }

    /// The one answer that was sent since the last call.
    fn answer<T>(&self, read: impl FnOnce(Answer<'_>) -> T) -> T {
        let wire = std::mem::take(&mut self.world.0.borrow_mut().from_board);
        let mut buffer = [0; 2048];
        let mut inbox = Inbox::new(&mut buffer);
        let mut source = Shared::default();
        source.0.borrow_mut().to_board.extend(wire);
        let packet = inbox.poll(&mut source).expect("an answer").expect("an undamaged one");
        read(Answer::read(packet.kind, packet.body).expect("a known one"))
    }

    /// The next frame, 33 ms later, of four pixels of value `grey`.
    fn frame(&mut self, grey: u8) -> Reply {
        self.sequence += 1;
        self.time_us += 33_000;
        self.frame_as(self.sequence, self.time_us, 2, grey)
    }

    fn frame_as(&mut self, sequence: u32, time_us: u64, side: u16, grey: u8) -> Reply {
        let rgb = vec![grey; usize::from(side) * usize::from(side) * 3];
        self.send(sequence, &Request::Frame { time_us, height: side, width: side, rgb: &rgb });
        assert_eq!(self.step(), Step::Served);
        self.answer(|answer| match answer {
            Answer::Reply(reply) => reply,
            other => panic!("{other:?}"),
        })
    }

    fn is_safe(&self, status: Status) {
        let safety = self.control.pilot().safety();
        assert_eq!((safety.phase(), safety.cause()), (Phase::Holding, status));
    }

    /// The next good frame leads out of the safe state.
    fn recovers(&mut self) {
        let reply = self.frame((self.sequence * 3) as u8 % 100 + 80);
        assert_eq!((reply.status, reply.phase, reply.throttle_duty), (Status::Ok, Phase::Driving, CRUISE));
        let newest = self.control.pilot().events().iter().last().map(|(_, event)| event);
        assert_eq!(newest, Some(Event::Driving));
    }
}

#[test]
fn a_good_frame_steers() {
    let mut bench = Bench::new();
    assert_eq!(bench.step(), Step::Idle);
    // 128 + 16: an eighth of 25 degrees.
    let reply = bench.frame(144);
    assert_eq!((reply.status, reply.phase), (Status::Ok, Phase::Driving));
    assert_eq!(reply.outputs, [16]);
    assert_eq!(reply.steering, Degrees::from_num(3.125));
    assert_eq!(reply.throttle_duty, CRUISE);
    // 3.125 of 26 degrees are 60 of 500 microseconds, 3 counts each.
    assert!((4_678..=4_683).contains(&reply.servo_duty), "{}", reply.servo_duty);
}

#[test]
fn a_network_sees_the_part_of_the_frame_that_it_was_trained_on() {
    let mut bench = Bench::with(described(1, &[(keys::INPUT_CROP, "2..3,0..1")]));
    // 4 x 4 pixels, black but for a grey of 144 in the lower left quarter.
    let mut rgb = vec![0; 48];
    for at in [24, 27, 36, 39] {
        rgb[at..at + 3].fill(144);
    }
    bench.send(1, &Request::Frame { time_us: 33_000, height: 4, width: 4, rgb: &rgb });
    assert_eq!(bench.step(), Step::Served);
    let outputs = bench.answer(|answer| match answer {
        Answer::Reply(reply) => (reply.status, reply.outputs.to_vec()),
        other => panic!("{other:?}"),
    });
    assert_eq!(outputs, (Status::Ok, vec![16]));

    (bench.sequence, bench.time_us) = (1, 33_000);

    // Frames that do not reach that far, and a part that cannot be read.
    assert_eq!(bench.frame(150).status, Status::WrongSize);
    bench.blob = described(1, &[(keys::INPUT_CROP, "below")]);
    assert_eq!(bench.frame(151).status, Status::NoModel);
    bench.blob = blob(1, "25");
    bench.recovers();
}

#[test]
fn large_steps_are_taken_slowly() {
    let mut bench = Bench::new();
    bench.frame(128);
    // 300 degrees a second for 33 ms.
    let reply = bench.frame(255);
    assert!((reply.steering - Degrees::from_num(9.9)).abs() < Degrees::from_num(0.001), "{}", reply.steering);
    for _ in 0..2 {
        bench.frame(255);
    }
    let full = Degrees::from_num(127.0 / 128.0 * 25.0);
    assert!((bench.control.pilot().steering().angle() - full).abs() < Degrees::from_num(0.001));
}

#[test]
fn every_unusable_frame_leads_to_the_safe_state_and_the_next_good_one_out() {
    let mut bench = Bench::new();
    bench.frame(150);

    assert_eq!(bench.frame_as(bench.sequence, bench.time_us, 2, 10).status, Status::Repeated);
    bench.is_safe(Status::Repeated);
    bench.recovers();

    bench.sequence += 1;
    assert_eq!(bench.frame_as(bench.sequence, bench.time_us, 0, 10).status, Status::WrongSize);
    bench.is_safe(Status::WrongSize);
    bench.recovers();

    bench.time_us += 201_000;
    bench.send(0, &Request::Tick { time_us: bench.time_us });
    bench.step();
    bench.answer(|answer| assert!(matches!(answer, Answer::Pong(_))));
    bench.sequence += 1;
    assert_eq!(bench.frame_as(bench.sequence, bench.time_us - 201_000, 2, 10).status, Status::Late);
    bench.is_safe(Status::Late);
    bench.recovers();

    for repetition in 0..7 {
        let expected = if repetition < 5 { Status::Ok } else { Status::Frozen };
        assert_eq!(bench.frame(7).status, expected, "repetition {repetition}");
    }
    bench.is_safe(Status::Frozen);
    bench.recovers();
}

#[test]
fn faults_of_the_board_lead_to_the_safe_state() {
    let mut bench = Bench::new();
    bench.frame(150);

    // A tick is a microsecond here; the clock is read before and after the run.
    bench.world.0.borrow_mut().ticks_per_reading = 100_001;
    let reply = bench.frame(90);
    assert_eq!((reply.status, reply.ticks, reply.throttle_duty), (Status::DeadlineMissed, 100_001, NEUTRAL));
    bench.is_safe(Status::DeadlineMissed);
    bench.world.0.borrow_mut().ticks_per_reading = 100_000;
    bench.recovers();

    bench.world.0.borrow_mut().servo_broken = true;
    assert_eq!(bench.frame(20).status, Status::ServoFailed);
    bench.is_safe(Status::ServoFailed);
    bench.world.0.borrow_mut().servo_broken = false;
    bench.recovers();

    let good = std::mem::replace(&mut bench.blob, AlignedBytes::zeroed(0));
    assert_eq!(bench.frame(30).status, Status::NoModel);
    bench.is_safe(Status::NoModel);
    bench.blob = good;
    bench.recovers();

    let good = std::mem::replace(&mut bench.blob, blob(2, "25"));
    assert_eq!(bench.frame(31).status, Status::NotSteering);
    bench.is_safe(Status::NotSteering);
    bench.blob = blob(1, "360");
    assert_eq!(bench.frame(255).status, Status::Implausible);
    bench.is_safe(Status::Implausible);
    bench.blob = good;
    bench.recovers();
}

#[test]
fn unreadable_messages_are_named_and_survived() {
    let mut bench = Bench::new();
    bench.frame(150);
    for (damage, status) in [
        (&b"\x05abc\x00"[..], Status::Truncated),
        (b"\x0babcdefghij\x00", Status::Corrupt),
        (b"\x02a\x00", Status::Truncated),
    ] {
        bench.world.0.borrow_mut().to_board.extend(damage);
        assert_eq!(bench.step(), Step::Served);
        bench.answer(|answer| assert_eq!(answer, Answer::Error(status)));
        bench.is_safe(status);
        bench.recovers();
    }
}

#[test]
fn silence_holds_then_centres() {
    let mut bench = Bench::new();
    for _ in 0..4 {
        bench.frame(255);
    }
    let turned = bench.control.pilot().steering().angle();
    assert!(turned > Degrees::from_num(20));
    let mut pass = |elapsed_us: u64| {
        bench.world.0.borrow_mut().now_us += elapsed_us;
        assert_eq!(bench.step(), Step::Idle);
        let pilot = bench.control.pilot();
        (pilot.safety().phase(), pilot.steering().angle())
    };
    assert_eq!(pass(300_000), (Phase::Driving, turned));
    assert_eq!(pass(1), (Phase::Holding, turned));
    assert_eq!(pass(499_999), (Phase::Holding, turned));
    let (phase, angle) = pass(1);
    assert_eq!(phase, Phase::Centring);
    assert!(turned - angle < Degrees::from_num(0.001), "the wheels must not jump: {angle}");
    let (_, angle) = pass(20_000);
    assert!((turned - angle - Degrees::from_num(6)).abs() < Degrees::from_num(0.01), "{angle}");
    assert_eq!(pass(1_000_000), (Phase::Centring, Degrees::ZERO));
    assert_eq!(bench.control.pilot().safety().entries(), 1);
    bench.time_us = bench.world.0.borrow().now_us;
    bench.recovers();
}

#[test]
fn sequence_numbers_wrap_and_a_greeting_starts_anew() {
    let mut bench = Bench::new();
    assert_eq!(bench.frame_as(u32::MAX, 10, 2, 140).status, Status::Ok);
    assert_eq!(bench.frame_as(0, 20, 2, 150).status, Status::Ok);
    assert_eq!(bench.frame_as(u32::MAX, 30, 2, 160).status, Status::Repeated);
    bench.send(1, &Request::Hello);
    bench.step();
    bench.answer(|answer| assert!(matches!(answer, Answer::Hello(hello) if hello.input == [2, 2, 3])));
    assert_eq!(bench.frame_as(5, 0, 2, 170).status, Status::Ok);
}

#[test]
fn a_stuck_transport_loses_answers_and_nothing_else() {
    let mut bench = Bench::new();
    bench.world.0.borrow_mut().room = 0;
    for time_us in 0..200 {
        bench.send(1, &Request::Tick { time_us });
        assert_eq!(bench.step(), Step::Served);
    }
    assert!(bench.control.pilot().events().iter().any(|(_, event)| event == Event::AnswerLost));
    bench.world.0.borrow_mut().room = usize::MAX;
    assert_eq!(bench.step(), Step::Idle);
    // The oldest answers were kept whole.
    bench.answer(|answer| assert!(matches!(answer, Answer::Pong(_))));
    assert_eq!(bench.frame(140).status, Status::Ok);
}

#[test]
fn the_log_keeps_the_newest_events() {
    let mut events = Events::default();
    for time in 0..100 {
        events.push(time, Event::Driving);
    }
    assert_eq!(events.iter().map(|(time, _)| time).collect::<Vec<_>>(), (68..100).collect::<Vec<_>>());
}

/// What the board says to a piece of an input, and the output after it.
fn ran(bench: &mut Bench, network: &mut Network<'_>, offset: u32, bytes: &[u8]) -> (Status, Vec<u8>) {
    bench.send(1, &Request::Run { reset: true, offset, bytes });
    assert_eq!(bench.control.step(Stage::Ready(network)), Step::Served);
    let status = bench.answer(|answer| match answer {
        Answer::Ran(ran) => ran.status,
        other => panic!("{other:?}"),
    });
    bench.send(2, &Request::Output { offset: 1 });
    assert_eq!(bench.control.step(Stage::Ready(network)), Step::Served);
    bench.answer(|answer| match answer {
        Answer::Output(output) => {
            assert_eq!((output.status, output.total), (Status::Ok, 2));
            (status, output.bytes.to_vec())
        }
        other => panic!("{other:?}"),
    })
}

#[test]
fn inputs_run_in_pieces_and_steer_nothing() {
    let mut bench = Bench::with(blob(2, "25"));
    let (blob, mut arena) = (bench.blob.clone(), AlignedBytes::zeroed(1024));
    let mut network = Network::open(&blob, &mut arena).unwrap();
    let bench = &mut bench;
    let mut piece = |offset, bytes: &[u8]| ran(bench, &mut network, offset, bytes);
    assert_eq!(piece(0, &[12; 12]), (Status::Ok, vec![12]));
    assert_eq!(piece(0, &[24; 8]).0, Status::InputIncomplete);
    assert_eq!(piece(7, &[0; 5]).0, Status::InputOutOfOrder);
    assert_eq!(piece(8, &[0; 5]).0, Status::InputOutOfOrder);
    // What is out of order ends what arrived before it.
    assert_eq!(piece(8, &[0; 4]).0, Status::InputOutOfOrder);
    assert_eq!(piece(0, &[24; 8]).0, Status::InputIncomplete);
    assert_eq!(piece(8, &[24; 4]), (Status::Ok, vec![24]));
    for (offset, length) in [(12, 0), (12, 1), (0, 13), (u32::MAX, 1)] {
        assert_eq!(piece(offset, &vec![0; length]).0, Status::InputOutOfOrder, "{length} bytes at {offset}");
    }
    assert_eq!(bench.control.pilot().safety().cause(), Status::Starting);
}

/// Two inputs of three bytes, and the same as outputs under another shape.
fn twins() -> AlignedBytes {
    let tensor =
        |shape: &[u32], at| TensorSpec { shape: shape.to_vec(), arena_offset: at, scale: 1.0, ..TensorSpec::default() };
    let reshape =
        |from| OperatorSpec { inputs: vec![from], output: from + 2, kind: OperatorKind::Reshape, name: String::new() };
    let tensors = vec![tensor(&[1, 3], 0), tensor(&[1, 3], 16), tensor(&[3, 1], 0), tensor(&[3, 1], 16)];
    let (operators, metadata) = (vec![reshape(0), reshape(1)], vec![]);
    Spec { tensors, operators, inputs: vec![0, 1], outputs: vec![2, 3], metadata }.to_bytes(Layout::Natural).unwrap()
}

#[test]
fn several_inputs_and_outputs_stand_one_after_another() {
    let (blob, mut arena) = (twins(), AlignedBytes::zeroed(1024));
    let mut network = Network::open(&blob, &mut arena).unwrap();
    assert_eq!(network.store(0, &[1, 2]), Ok(false));
    assert_eq!(network.store(2, &[3, 4, 5]), Ok(false));
    assert_eq!(network.store(5, &[6]), Ok(true));
    network.run();
    let rest = [(0, &[1, 2, 3][..]), (2, &[3]), (3, &[4, 5, 6]), (5, &[6]), (6, &[]), (7, &[])];
    rest.into_iter().for_each(|(offset, bytes)| assert_eq!(network.output_bytes(offset), (6, bytes), "{offset}"));
    assert_eq!(network.store(0, &[0; 7]), Err(Status::InputOutOfOrder));
}
