//! Boards in QEMU, the firmware on them, and everything that can go wrong on the way.
//!
//! These tests need `qemu-system-arm` and the boards' Rust target, and fail with what to do where they are missing: `scripts/test`
//! installs both.

mod counts;
mod faults;
mod memory;
mod models;
mod net;

use ackermann_core::blob::AlignedBytes;
use ackermann_core::ops::Reference;
use ackermann_core::{Model, Session};
use ackermann_firmware::link::{Reply, Status};
use ackermann_firmware::preprocess::{Preprocess, Size, scratch_len};
use ackermann_trainer::Frame;
use ackermann_trainer::board::{HOST, Link, Logs, Qemu, bench, board, boot, build_image, run};
use ackermann_trainer::quant::Int8Predictor;

const M4: &str = "mps2-an386";
const M7: &str = "mps2-an500";
const M33: &str = "mps2-an505";
const M55: &str = "mps3-an547";
const A57: &str = "drive-px";

/// 30 frames a second.
fn time_us(index: u32) -> u64 {
    u64::from(index) * 33_333
}

fn start(name: &str) -> Link {
    boot(name, &net::blob(), Logs::Off).unwrap_or_else(|error| panic!("{error}")).0
}

/// What the reference kernels answer to a frame, with nothing of the firmware's but its preprocessing.
fn reference(blob: &[u8], frame: &Frame) -> Vec<u8> {
    let model = Model::load(blob).expect("the blob is good");
    let mut arena = AlignedBytes::zeroed(model.arena_bytes());
    let mut session = Session::new(model, &mut arena).expect("the arena is as large as the model says");
    let plan = Preprocess::new(Size::new(frame.height, frame.width), None, Size::new(net::INPUT.0, net::INPUT.1));
    let mut scratch = vec![0; scratch_len(net::INPUT.1)];
    let input = session.input_mut(0).expect("there is an input");
    plan.and_then(|plan| plan.to_i8(&frame.rgb, &mut scratch, input)).expect("the frame fits");
    session.run_with::<Reference>(|_, _| {});
    session.output(0).expect("there is an output").iter().map(|&value| value as u8).collect()
}

fn without_ticks(mut reply: Reply) -> Reply {
    reply.ticks = 0;
    reply
}

fn frames_equal_the_host(name: &str) {
    let blob = net::blob();
    let (mut board, mut host) = (start(name), start(HOST));
    let mut answers = std::collections::BTreeSet::new();
    for index in 0..220 {
        // Every fourth frame is larger than the input and goes through the resize.
        let (height, width) = if index % 4 == 3 { (45, 160) } else { net::INPUT };
        let frame = net::frame(index + 1, height, width);
        let on_board = board.frame(time_us(index), &frame).expect("the board answers");
        let on_host = host.frame(time_us(index), &frame).expect("the host answers");
        assert_eq!(on_board.status, Status::Ok, "frame {index}");
        assert!(on_board.ticks > 0, "frame {index}");
        assert_eq!(
            on_board.outputs.to_vec(),
            reference(&blob, &frame),
            "frame {index}: board against reference kernels"
        );
        assert_eq!(without_ticks(on_board.clone()), on_host, "frame {index}: board against host");
        answers.insert((on_board.outputs.to_vec(), on_board.steering, on_board.servo_duty));
    }
    assert!(answers.len() > 60, "only {} different answers: the frames do not exercise the network", answers.len());
}

#[test]
fn m4_answers_220_frames_as_the_host_does() {
    frames_equal_the_host(M4);
}

#[test]
fn m7_answers_220_frames_as_the_host_does() {
    frames_equal_the_host(M7);
}

#[test]
fn m33_answers_220_frames_as_the_host_does() {
    frames_equal_the_host(M33);
}

#[test]
fn m55_answers_220_frames_as_the_host_does() {
    frames_equal_the_host(M55);
}

#[test]
fn a57_answers_220_frames_as_the_host_does() {
    frames_equal_the_host(A57);
}

#[test]
fn the_log_and_the_pwm_registers_reach_the_host() {
    let board = board(M4).expect("it is in the table");
    let image = build_image(board, &net::blob()).unwrap_or_else(|error| panic!("{error}"));
    let qemu = Qemu::start(board, &image, Logs::Keep).unwrap_or_else(|error| panic!("{error}"));
    let (mut link, _) = Link::open(Box::new(qemu.link().expect("the file can be opened twice")), M4).expect("greets");
    // Pulses of 1.5 ms: wheels straight, throttle neutral.
    assert_eq!(qemu.memory().duties(), Some((4_500, 4_500)));
    let reply = link.frame(0, &net::frame(1, 32, 96)).expect("the board answers");
    let duties = (u32::from(reply.servo_duty), u32::from(reply.throttle_duty));
    assert_eq!(qemu.memory().duties(), Some(duties));
    let log = qemu.finish();
    assert!(log.contains("mps2-an386: model of"), "{log}");
    assert!(log.contains("Driving"), "{log}");
}

#[test]
fn inputs_of_a_batch_run_on_a_board_as_on_the_host() {
    let blob = net::blob();
    let mut random = net::Random(7);
    let mut input = || (0..32 * 96 * 3).map(|_| random.byte() as i8).collect::<Vec<i8>>();
    let inputs = [input(), input(), input()];
    let outputs = run(M4, &blob, &inputs, false).unwrap_or_else(|error| panic!("{error}"));
    let on_host = Int8Predictor::new(&blob).and_then(|mut host| host.run(&inputs.concat())).expect("the host runs it");
    assert_eq!((outputs.len(), outputs.concat()), (3, on_host));
}

fn counts_every_layer(name: &str) {
    let result = bench(name, &net::blob()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((result.board.as_str(), result.model.as_str()), (name, "hil-small"));
    assert_eq!(result.layers.iter().map(|layer| layer.macs).collect::<Vec<_>>(), [152_280, 127_512, 19_602, 198]);
    let sum: u64 = result.layers.iter().map(|layer| layer.instructions).sum();
    assert!(result.layers.iter().all(|layer| layer.instructions > 0));
    // Only a Cortex-M4's cycles are estimated, and only from exact counts: most instructions take one, loads and jumps more.
    assert_eq!(result.cycles.is_some(), result.exact && name == M4);
    assert!(result.cycles.is_none_or(|cycles| (11..25).contains(&(10 * cycles / result.instructions))), "{result:?}");
    if !result.exact {
        println!("{name}: instructions by the board's own counter, since QEMU does not take the plugin");
    }
    // The whole run is measured apart from the layers, which may be rounded to ticks of up to 50.
    assert!(sum.abs_diff(result.instructions) < result.instructions / 100, "{sum} against {}", result.instructions);
    assert!(result.arena_bytes >= 14_856 && result.init_instructions > 0);
    assert!((1_000..64 << 10).contains(&result.stack_bytes), "{} bytes of stack", result.stack_bytes);
    assert!((10_000..128 << 10).contains(&result.code_bytes), "{} bytes of code", result.code_bytes);
}

#[test]
fn bench_counts_every_layer() {
    for name in [M4, M55, A57] {
        counts_every_layer(name);
    }
}
